"""The index's store: customers of connected systems, written in pages together with how far each system's are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Row,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from ivr.domain.caller import Customer, CustomerId
from ivr.domain.index_state import IndexState, RunPhase
from ivr.store.database import Database
from ivr.store.indexed_customer import FORMAT, customer_from, identities_of, is_storable, record_of
from ivr.store.tables import index_states, indexed_customers, indexed_identities

SLICE = 16
"""Customers turned into records before the event loop gets its turn again: about 0.3 ms."""

Identities = frozenset[tuple[str, str]]
T = TypeVar("T")


class StoredCustomerIndex:
    """Keeps the index (an `ivr.ports.IndexStore`). Every method may raise StoreError.

    Rows go to the database as one JSON array a statement, which both databases take apart
    themselves: a page costs five statements, whatever its size, and the interpreter is
    free meanwhile.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements = _Statements.of(database)

    async def state(self, connector: str) -> IndexState | None:
        """How far a connector's index is; None when none was ever begun."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(index_states).where(_of(connector)))).one_or_none()
        return None if row is None else _state(row)

    async def claim(
        self, connector: str, *, source: str, owner: str, now: datetime, lease_until: datetime
    ) -> IndexState | None:
        """Take or keep the turn to fill a connector's index; None while another owner's lease lives.

        What came from another `source` is out of use at once, and removed by the next full run.
        """
        source = f"{FORMAT}:{source}"
        mine_or_free = or_(
            index_states.c.lease_owner.is_(None),
            index_states.c.lease_owner == owner,
            index_states.c.lease_until <= now,
        )
        claiming = update(index_states).where(_of(connector), mine_or_free)
        first = self._database.insert(index_states).values(
            connector=connector, source=source, run=0, phase=RunPhase.NONE.value, customers=0
        )
        async with self._database.writing() as connection:
            await connection.execute(first.on_conflict_do_nothing())
            claimed = await connection.execute(
                claiming.values(lease_owner=owner, lease_until=lease_until).returning(index_states)
            )
            row = claimed.one_or_none()
            if row is None:
                return None
            state = _state(row)
            if row.source != source:
                state = IndexState(connector, run=state.run, customers=state.customers)
                anew = update(index_states).where(_of(connector)).values(source=source, **_values(state))
                await connection.execute(anew)
        return state

    async def release(self, connector: str, *, owner: str) -> None:
        """Let another owner have the turn."""
        mine = update(index_states).where(_of(connector), index_states.c.lease_owner == owner)
        async with self._database.writing() as connection:
            await connection.execute(mine.values(lease_owner=None, lease_until=None))

    async def write(
        self,
        state: IndexState,
        *,
        owner: str,
        lease_until: datetime,
        customers: Sequence[Customer] = (),
        gone: Sequence[CustomerId] = (),
    ) -> IndexState | None:
        """Store customers as they are now together with the state that this leads to, and keep the turn.

        Returns the state as it is now; None when the turn was lost, and nothing was stored.
        """
        page = await _page(customers)
        page.gone |= {customer_id for customer_id in gone if is_storable(customer_id)} - page.records.keys()
        async with self._database.writing() as connection:
            if not await self._keep_turn(connection, state, owner, lease_until):
                return None
            counted = replace(state, customers=state.customers + await self._store(connection, state, page))
            await connection.execute(update(index_states).where(_of(state.connector)).values(_values(counted)))
        return counted

    async def sweep(self, state: IndexState, *, owner: str, lease_until: datetime, limit: int) -> IndexState | None:
        """Remove those whom the full run did not see from the next `limit` customers, and keep the turn.

        Returns the state as it is now, which says whether the run is over; None when the turn was lost.
        """
        following = (
            select(indexed_customers.c.id, indexed_customers.c.seen)
            .where(indexed_customers.c.connector == state.connector, indexed_customers.c.id > (state.run_cursor or ""))
            .order_by(indexed_customers.c.id)
            .limit(limit)
        )
        async with self._database.writing() as connection:
            if not await self._keep_turn(connection, state, owner, lease_until):
                return None
            rows = list(await connection.execute(following))
            unseen = _Page(gone={row.id for row in rows if row.seen != state.run})
            state = replace(state, customers=state.customers + await self._store(connection, state, unseen))
            state = replace(state, run_cursor=rows[-1].id) if len(rows) == limit else _completed(state)
            await connection.execute(update(index_states).where(_of(state.connector)).values(_values(state)))
        return state

    async def connectors(self) -> Sequence[str]:
        """The connectors of which there is an index, or a part of one."""
        async with self._database.reading() as connection:
            return list((await connection.execute(select(index_states.c.connector))).scalars())

    async def forget(self, connector: str, *, now: datetime, limit: int) -> bool:
        """Remove about `limit` customers of a connector that nobody fills; False when there is nothing left to do."""
        unattended = or_(index_states.c.lease_until.is_(None), index_states.c.lease_until <= now)
        async with self._database.writing() as connection:
            state = select(index_states.c.connector).where(_of(connector), unattended).with_for_update()
            if (await connection.execute(state)).first() is None:
                return False
            left = 0
            for table in (indexed_identities, indexed_customers):
                keys = tuple_(*table.primary_key.columns)
                some = select(*table.primary_key.columns).where(table.c.connector == connector).limit(limit)
                left += (await connection.execute(delete(table).where(keys.in_(some)))).rowcount
            if not left:
                await connection.execute(delete(index_states).where(_of(connector)))
        return left > 0

    async def _keep_turn(
        self, connection: AsyncConnection, state: IndexState, owner: str, lease_until: datetime
    ) -> bool:
        mine = update(index_states).where(_of(state.connector), index_states.c.lease_owner == owner)
        return (await connection.execute(mine.values(lease_until=lease_until))).rowcount == 1

    async def _store(self, connection: AsyncConnection, state: IndexState, page: _Page) -> int:
        """Bring the customers of a page to what it says of them. Returns how many customers more there are now."""
        do, connector = self._statements, state.connector

        async def run(statement: Executable, rows: Iterable[object], **values: object) -> Sequence[tuple[str, str]]:
            values |= {"of_connector": connector, "rows": json.dumps(list(rows))}
            result = await connection.execute(statement, values)
            return [(row[0], row[1]) for row in result] if result.returns_rows else []

        touched = [[customer_id] for customer_id in (*page.records, *page.gone)]
        if not touched:
            return 0
        before = dict(await run(do.find, touched))
        changed = {each: record for each, record in page.records.items() if before.get(each) != record}
        had = {
            (kind, key, each)
            async for each in _in_slices(before.keys() & (changed.keys() | page.gone))
            for kind, key in identities_of(customer_from(each, before[each]))
        }
        has = {(kind, key, each) for each in changed for kind, key in page.identities[each]}
        removed = before.keys() & page.gone
        if had - has:
            await run(do.remove_identities, had - has)
        if removed:
            await run(do.remove, [[each] for each in removed])
        if changed:
            await run(do.put, changed.items(), in_run=state.run)
        if has - had:
            await run(do.add_identities, has - had)
        if page.records.keys() - changed:
            await run(do.see, [[each] for each in page.records.keys() - changed], in_run=state.run)
        return len(page.records.keys() - before.keys()) - len(removed)


@dataclass(frozen=True, slots=True)
class _Statements:
    """The statements that take their rows from the parameter `rows`, a JSON array of arrays of texts."""

    find: Executable
    put: Executable
    see: Executable
    remove: Executable
    add_identities: Executable
    remove_identities: Executable

    @classmethod
    def of(cls, database: Database) -> _Statements:
        """Those of a kind of database."""
        first, second, third = _cells(is_sqlite=database.is_sqlite)
        connector, seen = bindparam("of_connector", type_=Text), bindparam("in_run", type_=Integer)
        customers, identities = indexed_customers.c, indexed_identities.c
        of_ids = and_(customers.connector == connector, customers.id.in_(select(first)))
        # Without a WHERE, SQLite takes ON CONFLICT for the ON of a join; see https://sqlite.org/lang_upsert.html.
        put = database.insert(indexed_customers).from_select(
            ["connector", "id", "seen", "record"], select(connector, first, seen, second).where(true())
        )
        add_identities = database.insert(indexed_identities).from_select(
            ["connector", "kind", "key", "customer_id"], select(connector, first, second, third).where(true())
        )
        identity = tuple_(identities.kind, identities.key, identities.customer_id)
        return cls(
            find=select(customers.id, customers.record).where(of_ids),
            put=put.on_conflict_do_update(
                index_elements=["connector", "id"], set_={"seen": put.excluded.seen, "record": put.excluded.record}
            ),
            see=update(indexed_customers).where(of_ids, customers.seen != seen).values(seen=seen),
            remove=delete(indexed_customers).where(of_ids),
            add_identities=add_identities.on_conflict_do_nothing(),
            remove_identities=delete(indexed_identities).where(
                identities.connector == connector, identity.in_(select(first, second, third))
            ),
        )


def _cells(*, is_sqlite: bool) -> Sequence[ColumnElement[str]]:
    """The first three cells of each row in the parameter `rows`."""
    rows = bindparam("rows", type_=Text)
    if is_sqlite:
        value = func.json_each(rows).table_valued("value").c.value
        return [func.json_extract(value, f"$[{place}]", type_=Text) for place in range(3)]
    value = func.json_array_elements(cast(rows, postgresql.JSON)).table_valued("value").c.value
    return [value.op("->>", return_type=Text())(literal_column(str(place))) for place in range(3)]


@dataclass(slots=True)
class _Page:
    """What is to become of customers, by their ids."""

    records: dict[str, str] = field(default_factory=dict)
    identities: dict[str, Identities] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)


async def _in_slices(items: Iterable[T]) -> AsyncIterator[T]:
    """The items, with a turn for the event loop now and then."""
    for place, item in enumerate(items, 1):
        yield item
        if place % SLICE == 0:
            await asyncio.sleep(0)


async def _page(customers: Sequence[Customer]) -> _Page:
    """Customers as they are stored, the last of each; those without an id that a database can hold are left out."""
    page = _Page()
    async for customer in _in_slices(customers):
        if is_storable(customer.id):
            page.records[customer.id] = record_of(customer)
            page.identities[customer.id] = identities_of(customer)
    return page


def _completed(state: IndexState) -> IndexState:
    """A full run that saw everybody, and removed whom it did not see, is over."""
    return replace(
        state,
        phase=RunPhase.NONE,
        run_cursor=None,
        run_began_at=None,
        full_at=state.run_began_at,
    )


def _of(connector: str) -> ColumnElement[bool]:
    return index_states.c.connector == connector


def _values(state: IndexState) -> dict[str, object]:
    return {**asdict(state), "phase": state.phase.value}


def _state(row: Row[Any]) -> IndexState:
    values = {name: getattr(row, name) for name in IndexState.__slots__}
    return IndexState(**{**values, "phase": RunPhase(row.phase)})
