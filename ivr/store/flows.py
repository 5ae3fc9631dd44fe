"""Stored flows: every set of flow files that calls were answered with, and which of them was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ivr.domain.flow_version import FILES, FlowChoice, KeptFlows, Origin
from ivr.store.changes import announce
from ivr.store.database import FLOWS_LOCK, Database
from ivr.store.tables import contacts, flow_choices, flow_files, flow_sets


class StoredFlows:
    """Keeps flows (an `ivr.ports.FlowStore`). Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, flows: KeptFlows, files: Mapping[str, bytes]) -> bool:
        """Store a set with its files by their names; False when the last one of its origin is the same.

        Files that say something else about a flow than when a choice was made for it end that choice.
        """
        digests = {name: sha256(content).hexdigest() for name, content in files.items()}
        last = select(flow_sets.c.id).where(flow_sets.c.origin == flows.origin.value)
        last = last.order_by(flow_sets.c.position.desc()).limit(1)
        keeping = self._database.insert(flow_files).on_conflict_do_nothing()
        row = {
            "id": flows.id,
            "at": flows.at,
            "by": flows.by,
            "origin": flows.origin.value,
            "versions": dict(flows.versions),
            "files": digests,
        }
        async with self._database.writing() as connection:
            # Several nodes take over the same change at the same time.
            await self._database.lock(connection, FLOWS_LOCK)
            if (await connection.execute(last)).scalar() == flows.id:
                return False
            for name, content in files.items():
                await connection.execute(keeping, {"digest": digests[name], "content": content})
            await connection.execute(insert(flow_sets).values(row))
            if flows.origin is Origin.FILES:
                await self._overtake(connection, flows)
        return True

    async def _overtake(self, connection: AsyncConnection, flows: KeptFlows) -> None:
        """Forget the choices that were made while the files said something else."""
        chosen = await connection.execute(select(flow_choices.c.flow, flow_choices.c.files_version))
        over = [row.flow for row in chosen if row.files_version != flows.versions.get(row.flow, FILES)]
        if over:
            await connection.execute(delete(flow_choices).where(flow_choices.c.flow.in_(over)))
            await announce(connection)

    async def history(self) -> Sequence[KeptFlows]:
        """The sets that were kept, newest first; one that came back is there twice."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(flow_sets).order_by(flow_sets.c.position.desc()))
            return [KeptFlows(row.id, row.at, row.by, Origin(row.origin), row.versions) for row in rows]

    async def files(self, set_id: str) -> Mapping[str, bytes]:
        """The files of a set; empty when it was never kept."""
        found = select(flow_sets.c.files).where(flow_sets.c.id == set_id).limit(1)
        async with self._database.reading() as connection:
            digests: Mapping[str, str] = (await connection.execute(found)).scalar() or {}
            wanted = select(flow_files).where(flow_files.c.digest.in_(list(digests.values())))
            contents = {row.digest: row.content for row in await connection.execute(wanted)}
        return {name: contents[digest] for name, digest in digests.items()}

    async def choose(self, choice: FlowChoice) -> None:
        """Choose what a flow's calls get, instead of what was chosen before."""
        row = {
            "flow": choice.flow,
            "files_version": choice.files_version,
            "version": choice.version,
            "candidate": choice.candidate,
            "percent": choice.percent,
            "at": choice.at,
            "by": choice.by,
        }
        choosing = self._database.insert(flow_choices).values(row)
        choosing = choosing.on_conflict_do_update(
            index_elements=[flow_choices.c.flow], set_={name: choosing.excluded[name] for name in row if name != "flow"}
        )
        async with self._database.writing() as connection:
            await connection.execute(choosing)
            await announce(connection)

    async def forget(self, flow: str) -> None:
        """Let a flow's calls get what the files say."""
        async with self._database.writing() as connection:
            await connection.execute(delete(flow_choices).where(flow_choices.c.flow == flow))
            await announce(connection)

    async def choices(self) -> Sequence[FlowChoice]:
        """What was chosen, by flow."""
        async with self._database.reading() as connection:
            return [
                _choice(row) for row in await connection.execute(select(flow_choices).order_by(flow_choices.c.flow))
            ]

    async def calls(self) -> Mapping[tuple[str, str], int]:
        """How many calls each version of each flow has had, by flow and version."""
        counted = select(contacts.c.flow, contacts.c.flow_version, func.count().label("calls"))
        counted = counted.group_by(contacts.c.flow, contacts.c.flow_version)
        async with self._database.reading() as connection:
            return {(row.flow or "", row.flow_version or ""): row.calls for row in await connection.execute(counted)}


def _choice(row: Row[tuple[object, ...]]) -> FlowChoice:
    return FlowChoice(row.flow, row.files_version, row.version, row.at, row.by, row.candidate, row.percent)
