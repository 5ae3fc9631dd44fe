"""Connectors to contract servers, made from a vendor's recipe as an admin would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from integrations.rest.connector import RestConnector, RestSettings
from ivr.connectors.connector import Surroundings
from tests.integrations.rest.contract_server import ContractServer, Vendor


class Connected:
    """A vendor's server and a connector to it; `now` is what its pauses are measured by."""

    def __init__(self, server: ContractServer, connector: RestConnector) -> None:
        self.server = server
        self.connector = connector
        self.now = 0.0


Connect = Callable[..., Awaitable[Connected]]


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    """Starts a vendor's server and opens a connector to it."""
    made: list[Connected] = []

    async def connected(vendor: Vendor, *, timeout: float = 5.0, secrets: dict[str, str] | None = None) -> Connected:
        server = ContractServer(vendor)
        await server.start()
        values = {name: value.replace("{base}", server.base) for name, value in vendor.values.items()}
        for name, secret in {**vendor.secrets, **(secrets or {})}.items():
            (tmp_path / name).write_text(f"{secret}\n")
            values[name] = name
        settings = RestSettings(recipe=vendor.recipe, values=values)
        found: Connected
        connector = RestConnector(settings, Surroundings(folder=tmp_path, timeout=timeout), now=lambda: found.now)
        found = Connected(server, connector)
        made.append(found)
        await connector.open()
        return found

    yield connected
    for each in made:
        await each.connector.close()
        await each.server.stop()
