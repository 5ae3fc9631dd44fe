"""The demo's CRM: the customers of Lijnnet, a Dutch internet provider that does not exist, in one SQLite file.

    python -m deploy.demo.crm var/demo/crm.db

Making it again changes nothing but the dates of the named customers' orders, which stay
near today. The same day gives the same file. docs/connectors.md says why these numbers
belong to nobody.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

VERSION = 3
"""Of the schema and the customers; an older file is made anew."""

CUSTOMERS = 2_000
SEED = 20261122

SCHEMA = """
CREATE TABLE customers (
    id INTEGER PRIMARY KEY, customer_number TEXT NOT NULL UNIQUE, name TEXT NOT NULL, language TEXT NOT NULL,
    street TEXT NOT NULL, house_number INTEGER NOT NULL, postcode TEXT NOT NULL, city TEXT NOT NULL,
    birth_date TEXT NOT NULL, email TEXT NOT NULL, customer_since TEXT NOT NULL, changed_at TEXT NOT NULL);
CREATE TABLE phones (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers, number TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('home', 'work')));
CREATE TABLE subscriptions (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers,
    product TEXT NOT NULL CHECK (product IN ('internet', 'tv', 'telephony')), started_on TEXT NOT NULL, ended_on TEXT);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, customer_id INTEGER NOT NULL REFERENCES customers,
    description TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('new', 'shipped', 'backorder', 'delivered')),
    ordered_on TEXT NOT NULL, expected_on TEXT);
CREATE INDEX phones_number ON phones (number);
CREATE INDEX phones_customer ON phones (customer_id);
CREATE INDEX subscriptions_customer ON subscriptions (customer_id);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX customers_changed ON customers (changed_at, customer_number);
"""

MADE_AT = "2026-11-01 00:00:00.000"
"""When every customer changed last, for `changed_at`; from then on the triggers keep it."""

# Whatever is told of a customer may have changed: their own row, a number, a product.
TRIGGER = """
CREATE TRIGGER TABLE_EVENT AFTER EVENT ON TABLE BEGIN
    UPDATE customers SET changed_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE id = WHICH;
END;
"""
TRIGGERS = "".join(
    TRIGGER.replace("TABLE", table).replace("EVENT", event).replace("WHICH", which)
    for table, event, which in (
        ("customers", "INSERT", "new.id"), ("customers", "UPDATE", "new.id"),
        ("phones", "INSERT", "new.customer_id"), ("phones", "UPDATE", "new.customer_id"),
        ("phones", "DELETE", "old.customer_id"),
        ("subscriptions", "INSERT", "new.customer_id"), ("subscriptions", "UPDATE", "new.customer_id"),
        ("subscriptions", "DELETE", "old.customer_id"),
    )
)  # fmt: skip

# City, area code, lowest and highest postcode digits, weight.
CITIES = (
    ("Groningen", "50", 9711, 9746, 14), ("Utrecht", "30", 3511, 3585, 16), ("Eindhoven", "40", 5611, 5658, 14),
    ("Arnhem", "26", 6811, 6846, 12), ("Amsterdam", "20", 1011, 1109, 14), ("Rotterdam", "10", 3011, 3089, 12),
    ("Den Haag", "70", 2511, 2597, 8), ("Zwolle", "38", 8011, 8045, 4), ("Maastricht", "43", 6211, 6229, 3),
    ("Leeuwarden", "58", 8911, 8941, 3),
)  # fmt: skip
FIRST_NAMES = (
    "Anna", "Bram", "Carla", "Daan", "Eva", "Fleur", "Gijs", "Hanna", "Ilse", "Jan", "Kees", "Lotte", "Maarten",
    "Noor", "Omar", "Pieter", "Roos", "Sven", "Tess", "Willem", "Yara", "Zeynep", "Mohammed", "Fatima", "Lars",
    "Sanne", "Thijs", "Julia", "Ruben", "Marieke",
)  # fmt: skip
LAST_NAMES = (
    "de Jong", "Jansen", "de Vries", "van den Berg", "Bakker", "van Dijk", "Visser", "Smit", "Meijer", "de Boer",
    "Mulder", "de Groot", "Bos", "Vos", "Peters", "Hendriks", "van Leeuwen", "Dekker", "Brouwer", "de Wit",
    "Dijkstra", "Smits", "de Graaf", "van der Meer", "Yilmaz", "El Amrani", "Hoekstra", "Kok",
)  # fmt: skip
STREETS = ("Dorpsstraat", "Kerkstraat", "Molenweg", "Stationsweg", "Schoolstraat", "Beatrixlaan", "Julianastraat")
ELDEST, AGES = date(1940, 1, 1), 24_000
"""The first date of birth, and the days in which customers were born."""
DESCRIPTIONS = ("modem", "wifi-versterker", "tv-ontvanger", "glasvezelaansluiting")


@dataclass(frozen=True, slots=True)
class NamedOrder:
    """An order of a named customer; `days` from today until it is expected."""

    number: str
    description: str
    status: str
    days: int


@dataclass(frozen=True, slots=True)
class NamedCustomer:
    """A customer with a part in the demonstration. `number` is E.164; what is not given is drawn."""

    customer_number: str
    name: str
    number: str
    city: str
    postcode: str
    language: str = "nl"
    products: tuple[str, ...] = ("internet",)
    order: NamedOrder | None = None
    house_number: int | None = None
    birth_date: str = ""


NAMED = (
    NamedCustomer("K100001", "Anna de Vries", "+31300000101", "Utrecht", "3511 AB", products=("internet", "tv"),
                  order=NamedOrder("B200001", "modem", "shipped", 0), house_number=12, birth_date="1985-04-12"),
    NamedCustomer("K100002", "Bram Hoekstra", "+31500000102", "Groningen", "9712 CD", products=("internet", "tv"),
                  house_number=34, birth_date="1979-11-30"),
    NamedCustomer("K100003", "Emily Clarke", "+31400000103", "Eindhoven", "5611 EF", language="en",
                  order=NamedOrder("B200003", "wifi-versterker", "backorder", 3)),
    NamedCustomer("K100004", "Youssef El Amrani", "+31260000104", "Arnhem", "6811 GH"),
    NamedCustomer("K100005", "Samira El Amrani", "+31260000104", "Arnhem", "6811 GH", products=("telephony",)),
)  # fmt: skip
"""On its way today; where the outage is; English; two who share one number."""

NOBODYS_NUMBER = "+31300000199"
"""A valid number that no customer has."""


def make_crm(path: Path, today: date) -> bool:
    """Make the CRM, or bring the one that is there up to `today`. Returns whether it was made anew."""
    if _version(path) == VERSION:
        with closing(sqlite3.connect(path)) as crm, crm:
            _date_named_orders(crm, today)
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished)) as crm, crm:
        crm.executescript(SCHEMA)
        _fill(crm, random.Random(SEED))  # noqa: S311 - repeatable on purpose
        _date_named_orders(crm, today)
        crm.executescript(TRIGGERS)
        crm.execute(f"PRAGMA user_version = {VERSION}")
    os.replace(unfinished, path)
    return True


def _version(path: Path) -> int:
    """The version of the CRM in a file; 0 when there is none, or only part of one."""
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(path)) as crm:
            return int(crm.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError:
        return 0


def _fill(crm: sqlite3.Connection, chance: random.Random) -> None:
    for customer_id, named in enumerate(NAMED, 1):
        _add_customer(crm, chance, customer_id, named)
        crm.execute(
            "INSERT INTO phones (customer_id, number, kind) VALUES (?, ?, 'home')",
            (customer_id, typed(named.number, customer_id)),
        )
    numbers = _numbers(chance)
    for customer_id in range(len(NAMED) + 1, CUSTOMERS + 1):
        city, area, low, high, _ = chance.choices(CITIES, weights=[each[4] for each in CITIES])[0]
        postcode = f"{chance.randint(low, high)} {''.join(chance.choices('ABCDEGHJKLNPRTVWXZ', k=2))}"
        name = f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}"
        products = ("internet", *chance.sample(["tv", "telephony"], k=chance.randint(0, 2)))
        order = None
        if chance.random() < 0.3:
            status = chance.choices(("new", "shipped", "backorder", "delivered"), weights=(2, 2, 1, 5))[0]
            order = NamedOrder(f"B3{customer_id:05}", chance.choice(DESCRIPTIONS), status, chance.randint(-20, 10))
        language = "en" if chance.random() < 0.05 else "nl"
        number = f"+31{area}{next(numbers)}"
        customer = NamedCustomer(f"K3{customer_id:05}", name, number, city, postcode, language, products, order)
        _add_customer(crm, chance, customer_id, customer)
        phones = [(customer_id, typed(number, chance.randrange(6)), "home")]
        if chance.random() < 0.2:
            phones.append((customer_id, typed(f"+3120{next(numbers)}", chance.randrange(6)), "work"))
        crm.executemany("INSERT INTO phones (customer_id, number, kind) VALUES (?, ?, ?)", phones)


def _add_customer(crm: sqlite3.Connection, chance: random.Random, customer_id: int, customer: NamedCustomer) -> None:
    street, drawn = chance.choice(STREETS), chance.randint(1, 199)
    crm.execute(
        "INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            customer_id, customer.customer_number, customer.name, customer.language, street,
            drawn if customer.house_number is None else customer.house_number, customer.postcode, customer.city,
            customer.birth_date or str(ELDEST + timedelta(days=customer_id * 7919 % AGES)),
            f"{customer.customer_number}@lijnnet.example".lower(),
            f"{chance.randint(2008, 2025)}-{chance.randint(1, 12):02}-01", MADE_AT,
        ),
    )  # fmt: skip
    crm.executemany(
        "INSERT INTO subscriptions (customer_id, product, started_on, ended_on) VALUES (?, ?, '2024-01-01', NULL)",
        [(customer_id, product) for product in customer.products],
    )
    if customer.order:
        expected = date(2026, 11, 1) + timedelta(days=customer.order.days)
        crm.execute(
            "INSERT INTO orders (number, customer_id, description, status, ordered_on, expected_on)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                customer.order.number, customer_id, customer.order.description, customer.order.status,
                str(expected - timedelta(days=4)), str(expected),
            ),
        )  # fmt: skip


def _date_named_orders(crm: sqlite3.Connection, today: date) -> None:
    for order in (customer.order for customer in NAMED if customer.order):
        expected = today + timedelta(days=order.days)
        crm.execute(
            "UPDATE orders SET expected_on = ?, ordered_on = ?, status = ? WHERE number = ?",
            (str(expected), str(expected - timedelta(days=4)), order.status, order.number),
        )


def _numbers(chance: random.Random) -> Iterator[str]:
    """Subscriber's parts of seven digits that begin with 0, each once, none of a named customer's."""
    yield from (f"0{number:06}" for number in chance.sample(range(1000, 1_000_000), k=2 * CUSTOMERS))


def typed(number: str, manner: int) -> str:
    """A Dutch number as a clerk types it, in one of six manners."""
    area, subscriber = number[3:5], number[5:]
    manners: Sequence[str] = (
        number, f"0{area}{subscriber}", f"0{area}-{subscriber}", f"0031{area}{subscriber}",
        f"0{area} {subscriber[:3]} {subscriber[3:]}", f"+31 (0){area} {subscriber}",
    )  # fmt: skip
    return manners[manner % len(manners)]


def main() -> None:
    """Make the CRM where the command line says."""
    parser = argparse.ArgumentParser(description="Make the demo's CRM, or bring its dates up to today.")
    parser.add_argument("path", type=Path, help="the SQLite file, such as var/demo/crm.db")
    make_crm(parser.parse_args().path, datetime.now(UTC).astimezone(ZoneInfo("Europe/Amsterdam")).date())


if __name__ == "__main__":
    main()
