"""An Odoo, a connector to it by each of its doors, and somebody who works in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from deploy.crm.odoo import Odoo, odoo
from integrations.odoo import client as client_module
from integrations.odoo.client import Json2, OdooClient
from integrations.odoo.connector import OdooConnector, OdooSettings
from ivr.connectors.connector import Surroundings


@pytest.fixture(scope="session")
def running_odoo(crm_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Odoo]:
    """An Odoo 19 with the people of `deploy/crm/people.py`."""
    with odoo(crm_home, tmp_path_factory.mktemp("odoo"), print) as running:
        yield running


Connect = Callable[..., OdooConnector]


@pytest.fixture(params=["json2", "jsonrpc", "jsonrpc, as before 17"])
def door(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """By which door Odoo is asked: today's, that of Odoo 14 to 18, and that without nested records."""

    async def is_not_there(self: Json2) -> bool:
        return False

    if request.param != "json2":
        monkeypatch.setattr(Json2, "lets_in", is_not_there)
    if request.param == "jsonrpc, as before 17":
        monkeypatch.setattr(client_module, "SINCE_SPECIFICATIONS", 99)
    return str(request.param)


@pytest.fixture
async def connect(running_odoo: Odoo, tmp_path: Path) -> AsyncIterator[Connect]:
    """Makes connectors, not yet opened; closes them."""
    made: list[OdooConnector] = []

    def make(*, key: str = running_odoo.key, **settings: Any) -> OdooConnector:
        (tmp_path / "odoo.key").write_text(f"{key}\n")
        told = {"url": running_odoo.url, "database": running_odoo.database, "login": running_odoo.login}
        chosen = OdooSettings.model_validate({**told, "key_file": "odoo.key", **settings})
        made.append(OdooConnector(chosen, Surroundings(folder=tmp_path, timeout=20.0)))
        return made[-1]

    yield make
    for connector in made:
        await connector.close()


@pytest.fixture
async def connector(connect: Connect, door: str) -> OdooConnector:
    """A connector that is open, as the user that our page tells an administrator to make."""
    opened = connect()
    await opened.open()
    return opened


@pytest.fixture
async def clerk(running_odoo: Odoo) -> AsyncIterator[OdooClient]:
    """Somebody who may do everything in Odoo, always by its first door."""
    client = OdooClient(
        URL(running_odoo.url), running_odoo.database, "admin", running_odoo.admin_key, Surroundings(timeout=20.0)
    )
    yield client
    await client.close()
