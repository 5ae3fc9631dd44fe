"""The people and companies that the customer systems of tests know.

Their numbers belong to nobody (docs/connectors.md says why) and stand in the systems as
clerks type them. `PEOPLE` have a part in tests; `crowd` makes as many others as are wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import cycle, islice
from typing import Any

from ivr.domain.line import PhoneNumber
from ivr.domain.spelling import Spelling, spelled


class Purchase(StrEnum):
    """How far an order has come in the system that sells."""

    OFFERED = "offered"
    ORDERED = "ordered"
    LATE = "late"
    LEFT = "left"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Person:
    """A customer. `numbers` are as typed; `company` is the code of who they work for.

    `invoice_due_in` is the days until an invoice has to be paid, None if there is none.
    """

    code: str
    name: str
    numbers: tuple[str, ...]
    language: str = "nl"
    country: str = "NL"
    postcode: str = "3511 AB"
    city: str = "Utrecht"
    email: str = ""
    company: str = ""
    is_company: bool = False
    purchase: Purchase | None = None
    invoice_due_in: int | None = None


ANNA = Person(
    "K100001", "Anna de Vries", ("+31 30 000 0101",), email="anna@lijnnet.example",
    purchase=Purchase.ORDERED, invoice_due_in=45,
)  # fmt: skip
BRAM = Person("K100002", "Bram Hoekstra", ("050-0000102", "+31 50 0000112"), postcode="9712 CD", city="Groningen")
EMILY = Person(
    "K100003", "Emily Clarke", ("(040) 0000103",), language="en", postcode="5611 EF", city="Eindhoven",
    email="Emily.Clarke@lijnnet.example", purchase=Purchase.LATE, invoice_due_in=-7,
)  # fmt: skip
YOUSSEF = Person("K100004", "Youssef El Amrani", ("026 000 0104",), postcode="6811 GH", city="Arnhem")
SAMIRA = Person("K100005", "Samira El Amrani", ("0031 26 0000104",), postcode="6811 GH", city="Arnhem")
MIEKE = Person("K100006", "Mieke Peeters", ("016 00 01 06",), country="BE", postcode="3000", city="Leuven")
BAKERY = Person(
    "K100007", "Bakkerij Janssen", ("+31 (0)70 000 0107",), postcode="2511 JK", city="Den Haag", is_company=True,
    purchase=Purchase.LEFT,
)  # fmt: skip
BAKER = Person("K100008", "Joris Janssen", ("070-0000107", "070-0000108"), company="K100007")
SVEN = Person("K100009", "Sven Bakker", ("010/0000109",), purchase=Purchase.DELIVERED)
OFFERED = Person("K100010", "Tess Visser", ("020 0000110",), purchase=Purchase.OFFERED)

PEOPLE = (ANNA, BRAM, EMILY, YOUSSEF, SAMIRA, MIEKE, BAKERY, BAKER, SVEN, OFFERED)

NOBODYS_NUMBER = PhoneNumber("+31300000199")
"""A valid number that nobody has."""

BUYERS = 200

SPELLINGS = (Spelling.INTERNATIONAL, Spelling.HYPHEN, Spelling.NATIONAL, Spelling.E164, Spelling.GROUPED)


def crowd_number(place: int) -> PhoneNumber:
    """The number of somebody in the crowd."""
    return PhoneNumber(f"+31300{200000 + place}")


def crowd(count: int) -> Iterator[Person]:
    """People of whom nothing more is known; the first BUYERS ordered, and have an invoice to pay."""
    for place, spelling in enumerate(islice(cycle(SPELLINGS), count)):
        person = Person(f"K{200000 + place}", f"Klant {place:05d}", tuple(spelled(crowd_number(place), [spelling])))
        if place < BUYERS:
            person = replace(person, purchase=Purchase.ORDERED, invoice_due_in=45)
        yield person


def as_data(person: Person) -> Mapping[str, Any]:
    """A person as JSON has it, for the program that fills a system."""
    return asdict(person)
