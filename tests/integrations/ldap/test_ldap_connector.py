"""A real OpenLDAP behind a guard: found, not found, slow, refused."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deploy.crm.slapd import SUFFIX, RunningSlapd
from integrations.ldap.connector import LdapConnector, LdapSettings
from ivr.clock import SystemClock
from ivr.config.model import Guard as Limits
from ivr.connectors.system import ConnectedSystem
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.language import Language
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorRefused, ConnectorTimeout, ConnectorUnavailable
from tests.integrations.ldap.people import PEOPLE, Connect

ANNA, BRAM, EMILY, EL_AMRANI, NOBODY = map(
    PhoneNumber, ("+31300000101", "+31500000102", "+31400000103", "+31260000104", "+31300000199")
)
pytestmark = pytest.mark.slapd

LIMIT = 0.3
"""Seconds until the guard gives up, in tests where it must."""


def guarded(connector: LdapConnector, timeout: float = 5.0) -> ConnectedSystem:
    return ConnectedSystem(
        "directory", connector, Limits(timeout=timeout, cache_for=0.0, cache_unknown_for=0.0), SystemClock()
    )


async def test_found_with_everything_the_entry_says(connect: Connect, directory: RunningSlapd) -> None:
    (anna,) = await guarded(connect(directory)).find_caller(ANNA)
    assert anna == Customer(
        id=anna.id,
        name="Anna de Vries",
        numbers=(ANNA,),
        language=Language.NL,
        postcode="3511 AB",
        customer_number="K100001",
        email="Anna@example.nl",
    )
    assert len(anna.id) == len("00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize(
    ("number", "names"),
    [(BRAM, {"Bram Hoekstra"}), (EMILY, {"Emily"}), (EL_AMRANI, {"Youssef El Amrani", "Samira El Amrani"})],
)
async def test_found_however_the_number_was_typed(
    connect: Connect, directory: RunningSlapd, number: PhoneNumber, names: set[str]
) -> None:
    assert {customer.name for customer in await guarded(connect(directory)).find_caller(number)} == names


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        (IdentityKind.EMAIL, "anna@EXAMPLE.nl", ["Anna de Vries"]),
        (IdentityKind.CUSTOMER_NUMBER, "k100001", ["Anna de Vries"]),
        (IdentityKind.PHONE, BRAM, ["Bram Hoekstra"]),
        (IdentityKind.EMAIL, "nobody@example.nl", []),
        (IdentityKind.EMAIL, "", []),
        (IdentityKind.HANDLE, "x:@anna", []),
    ],
)
async def test_found_by_identity(
    connect: Connect, directory: RunningSlapd, kind: IdentityKind, value: str, found: list[str]
) -> None:
    customers = await guarded(connect(directory)).find_customer(Identity(kind, value))
    assert [customer.name for customer in customers] == found


async def test_not_found(connect: Connect, directory: RunningSlapd) -> None:
    assert list(await guarded(connect(directory)).find_caller(NOBODY)) == []


@pytest.mark.parametrize("said", ["*", "a*", "anna@example.nl)(uid=*", "\\2a", "a\0b", "(", "ë*"])
async def test_an_address_is_data_and_never_a_filter(connect: Connect, directory: RunningSlapd, said: str) -> None:
    connector = connect(directory)
    await connector.open()
    assert await connector.find_customer(Identity(IdentityKind.EMAIL, said)) == []


async def test_what_a_filter_would_mean_is_found_as_it_stands(connect: Connect, directory: RunningSlapd) -> None:
    connector = connect(directory, attributes={"email": "cn"})
    await connector.open()
    (emily,) = await connector.find_customer(Identity(IdentityKind.EMAIL, "Emily (Em) Clarke*"))
    assert emily.name == "Emily"


@pytest.mark.parametrize("way", ["start_tls", "ldaps"])
async def test_in_secret_by_start_tls_and_ldaps(connect: Connect, directory: RunningSlapd, way: str) -> None:
    settings: dict[str, Any] = {"ca_file": directory.certificate}
    settings |= {"start_tls": True} if way == "start_tls" else {"url": directory.secret_url}
    (bram,) = await guarded(connect(directory, **settings)).find_caller(BRAM)
    assert bram.name == "Bram Hoekstra"


@pytest.mark.parametrize("settings", [{"start_tls": True}, {"url": ""}])
async def test_refused_a_certificate_that_nobody_we_trust_gave(
    connect: Connect, directory: RunningSlapd, settings: dict[str, Any]
) -> None:
    connector = connect(directory, **settings | ({"url": directory.secret_url} if "url" in settings else {}))
    with pytest.raises(ConnectorRefused, match=r"the certificate of 127\.0\.0\.1:\d+ is not accepted: self-signed"):
        await connector.open()


async def test_refused_a_wrong_password(connect: Connect, directory: RunningSlapd, tmp_path: Path) -> None:
    connector = connect(directory)
    (tmp_path / "ldap.password").write_text("opensesame\n")
    with pytest.raises(ConnectorRefused, match="does not accept bind_dn with this password") as caught:
        await guarded(connector).find_caller(ANNA)
    assert "opensesame" not in str(caught.value)
    (tmp_path / "ldap.password").write_text("\n")
    with pytest.raises(ConnectorRefused, match=r"first line of ldap\.password is empty"):
        await connector.open()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"base": "ou=nowhere," + SUFFIX}, "no entry 'base', or the account may not see it"),
        ({"bind_dn": "", "password_file": None}, "insufficient access rights"),
    ],
)
async def test_refused_a_base_that_is_not_there_or_not_for_us(
    connect: Connect, directory: RunningSlapd, settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConnectorRefused, match=told):
        await connect(directory, **settings).open()


async def test_refused_a_filter_that_selects_no_people(connect: Connect, own_directory: RunningSlapd) -> None:
    connector = connect(own_directory, attributes={"email": "objectClass"}, filter="(objectClass=*)")
    await connector.open()
    own_directory.change("\n".join(entry(f"p{number}") for number in range(101)))
    with pytest.raises(ConnectorRefused, match="more entries were found than this account"):
        await connector.find_customer(Identity(IdentityKind.EMAIL, "inetOrgPerson"))


async def test_slow_a_directory_that_stands_still_is_given_up_and_used_again(
    connect: Connect, own_directory: RunningSlapd
) -> None:
    system = guarded(connect(own_directory, timeout=LIMIT), timeout=LIMIT)
    await system.open()
    os.kill(own_directory.pid, signal.SIGSTOP)
    try:
        with pytest.raises(ConnectorTimeout):
            await system.find_caller(ANNA)
    finally:
        os.kill(own_directory.pid, signal.SIGCONT)
    assert [customer.name for customer in await system.find_caller(BRAM)] == ["Bram Hoekstra"]


async def test_slow_a_server_that_accepts_and_says_nothing(connect: Connect) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectorTimeout):
            await guarded(connect(url=f"ldap://127.0.0.1:{port}", timeout=LIMIT), timeout=2 * LIMIT).open()


async def test_a_directory_that_is_away_is_unavailable_and_used_once_it_is_back(
    connect: Connect, own_directory: RunningSlapd
) -> None:
    system = guarded(connect(own_directory))
    await system.open()
    await asyncio.to_thread(own_directory.stop)
    with pytest.raises(ConnectorUnavailable):
        await system.find_caller(ANNA)
    await asyncio.to_thread(own_directory.start)
    assert len(await system.find_caller(ANNA)) == 1
    # A connection that was dropped while it lay idle costs nobody an answer.
    await asyncio.to_thread(own_directory.stop)
    await asyncio.to_thread(own_directory.start)
    assert len(await system.find_caller(BRAM)) == 1


async def test_questions_at_once_get_their_own_answers(connect: Connect, directory: RunningSlapd) -> None:
    connector = connect(directory)
    await connector.open()
    asked = [ANNA, BRAM, NOBODY, EMILY] * 25
    given_up = [asyncio.create_task(connector.find_caller(ANNA)) for _ in range(10)]
    asking = asyncio.gather(*(connector.find_caller(number) for number in asked))
    await asyncio.sleep(0)
    for task in given_up:
        task.cancel()
    for number, found in zip(asked, await asking, strict=True):
        assert [number in customer.numbers for customer in found] == [True] * (number != NOBODY)


async def test_changes_give_everybody_by_the_page_then_what_changed(
    connect: Connect, own_directory: RunningSlapd
) -> None:
    connector = connect(own_directory, changed_by="entryCSN")
    await connector.open()
    names, cursor = await everything(connector, None, limit=2)
    assert sorted(names) == ["Anna de Vries", "Bram Hoekstra", "Emily", "Samira El Amrani", "Youssef El Amrani"]
    again, cursor = await everything(connector, cursor)
    assert len(again) == 1  # the latest, which comes again
    change = f"dn: uid=bram,{PEOPLE}\nchangetype: modify\nreplace: postalCode\npostalCode: 1012 AB\n"
    own_directory.change(f"{change}\n{entry('cas')}")
    assert {"Bram Hoekstra", "Person cas", *again} == set((await everything(connector, cursor))[0])


async def test_changes_by_the_second_leave_nobody_out(connect: Connect, own_directory: RunningSlapd) -> None:
    connector = connect(own_directory)
    await connector.open()
    _, cursor = await everything(connector, None)
    own_directory.change(entry("cas"))
    names, cursor = await everything(connector, cursor)
    assert "Person cas" in names
    own_directory.change(entry("dirk"))
    assert "Person dirk" in (await everything(connector, cursor))[0]


async def test_changes_begin_the_page_again_on_a_new_connection(connect: Connect, own_directory: RunningSlapd) -> None:
    connector = connect(own_directory)
    await connector.open()
    first = await connector.changes(None, 2)
    assert first.more
    await connector.open()
    names, _ = await everything(connector, first.cursor, limit=2)
    assert len(names) == 5


async def test_an_unreadable_cursor_begins_at_the_start(connect: Connect, directory: RunningSlapd) -> None:
    connector = connect(directory)
    await connector.open()
    for cursor in ("", "[]", "nonsense", '{"after": 1, "page": "xx"}'):
        assert len((await connector.changes(cursor, 100)).customers) == 5


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"url": "directory.example"}, "write such as ldaps://directory.example"),
        ({"url": "ldap://user:opensesame@host"}, "not a directory's address"),
        ({"url": "ldap://directory.example", "bind_dn": "cn=x", "password_file": "x"}, "cross the network in clear"),
        ({"bind_dn": "cn=x"}, "go together"),
        ({"start_tls": True}, "start_tls is for ldap://"),
        ({"filter": "(objectClass=person"}, "this is not a filter"),
        ({"attributes": {"number": "tele phone"}}, "pattern"),
        ({"attributes": {"phone": "mobile"}}, "customer_id"),
        ({"spellings": []}, "at least 1 item"),
    ],
)
def test_wrong_settings_are_told(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told) as caught:
        LdapSettings(**{"url": "ldaps://directory.example", "base": SUFFIX} | settings)
    assert "opensesame" not in str(caught.value)


async def everything(connector: LdapConnector, cursor: str | None, limit: int = 100) -> tuple[list[str], str | None]:
    """The names in all pages of changes, and the cursor after them."""
    names: dict[CustomerId, str] = {}
    for _ in range(20):
        page = await connector.changes(cursor, limit)
        assert len(page.customers) <= limit
        names |= {customer.id: customer.name for customer in page.customers}
        cursor = page.cursor
        if not page.more:
            return list(names.values()), cursor
    raise AssertionError("the pages come to no end")


def entry(uid: str) -> str:
    said = f"objectClass: inetOrgPerson\nuid: {uid}\ncn: Person {uid}\nsn: {uid}\n"
    return f"dn: uid={uid},{PEOPLE}\nchangetype: add\n{said}"
