"""Who reads the changes of a directory has what it holds, whatever happens in between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ivr.connectors.directory import FEW, Directory
from ivr.domain.caller import Customer, CustomerId

Reading = dict[str, str]
"""Names by id."""

readings = st.lists(
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["Anna", "Bram"])), min_size=1, max_size=6
)


def customers(reading: Reading) -> list[Customer]:
    return [Customer(CustomerId(each), name, ()) for each, name in reading.items()]


def follow(directory: Directory, copy: Reading, cursor: str | None, pages: int, limit: int = 2) -> str | None:
    """Read some pages of changes into a copy; returns the cursor."""
    for _ in range(pages):
        page = directory.changes(cursor, limit)
        assert len(page.customers) <= limit
        copy.update({customer.id: customer.name for customer in page.customers})
        for each in page.gone:
            copy.pop(each, None)
        cursor = page.cursor
        if not page.more:
            break
    return cursor


@given(readings, st.lists(st.integers(0, 4), min_size=6, max_size=6))
def test_a_copy_is_complete_at_the_end_wherever_it_was_interrupted(held: list[Reading], pages: list[int]) -> None:
    copy: Reading = {}
    directory, cursor = Directory(), None
    for version, (reading, count) in enumerate(zip(held, pages, strict=False)):
        directory = directory.followed_by(customers(reading), f"v{version}")
        cursor = follow(directory, copy, cursor, count)
    cursor = follow(directory, copy, cursor, 100)
    # Of who went while everybody was being read again, nothing tells: that is found out by comparing all.
    assert held[-1].items() <= copy.items()
    assert directory.changes(cursor, 2).customers == ()


@given(readings)
def test_a_copy_that_keeps_up_loses_who_is_gone(held: list[Reading]) -> None:
    copy: Reading = {}
    directory, cursor = Directory(), None
    for version, reading in enumerate(held):
        directory = directory.followed_by(customers(reading), f"v{version}")
        cursor = follow(directory, copy, cursor, 100)
    assert copy == held[-1]


@given(readings, st.integers(0, 3))
def test_after_a_restart_within_a_page_nobody_is_left_out(held: list[Reading], pages: int) -> None:
    """The readings before are forgotten; the same file gives the same version."""
    copy: Reading = {}
    directory, cursor = Directory(), None
    for version, reading in enumerate(held):
        directory = directory.followed_by(customers(reading), f"v{version}")
        cursor = follow(directory, copy, cursor, pages if version == len(held) - 1 else 100)
    restarted = Directory().followed_by(customers(held[-1]), f"v{len(held) - 1}")
    follow(restarted, copy, cursor, 100)
    assert held[-1].items() <= copy.items()


def test_changes_that_are_more_than_all_are_forgotten() -> None:
    """Reading them would be more work than reading everybody."""
    directory = Directory().followed_by(customers({str(each): "Anna" for each in range(FEW + 1)}), "v1")
    after = directory.followed_by(customers({"x": "Bram"}), "v2")
    page = after.changes("v1", 10)
    assert ([customer.id for customer in page.customers], page.gone) == (["x"], [])


def test_an_unknown_cursor_reads_everything() -> None:
    directory = Directory().followed_by(customers({"a": "Anna"}), "v1")
    for cursor in ("v0", "v0>v1@5", "v0>v9@5", ">v9@5", "nonsense"):
        assert [customer.id for customer in directory.changes(cursor, 10).customers] == ["a"]
