"""A Tryton of today and one of 2021, a connector to it, and somebody who works in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from deploy.crm.tryton import PASSWORD, Tryton, tryton
from integrations.tryton.client import TrytonClient
from integrations.tryton.connector import TrytonConnector, TrytonSettings
from ivr.connectors.connector import Surroundings


@pytest.fixture(scope="session", params=["8.2", pytest.param("6.0", marks=pytest.mark.crm)])
def running_tryton(
    request: pytest.FixtureRequest, crm_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tryton]:
    """A Tryton with the people of `deploy/crm/people.py`. That of 2021 keeps numbers as they were typed."""
    with tryton(crm_home, tmp_path_factory.mktemp("tryton"), print, version=request.param) as running:
        yield running


Connect = Callable[..., TrytonConnector]


@pytest.fixture
async def connect(running_tryton: Tryton, tmp_path: Path) -> AsyncIterator[Connect]:
    """Makes connectors, not yet opened; closes them."""
    made: list[TrytonConnector] = []

    def make(*, password: str = running_tryton.password, **settings: Any) -> TrytonConnector:
        (tmp_path / "tryton.password").write_text(f"{password}\n")
        told = {"url": running_tryton.url, "database": running_tryton.database, "login": running_tryton.login}
        chosen = TrytonSettings.model_validate({**told, "password_file": "tryton.password", **settings})
        made.append(TrytonConnector(chosen, Surroundings(folder=tmp_path, timeout=20.0)))
        return made[-1]

    yield make
    for connector in made:
        await connector.close()


@pytest.fixture
async def connector(connect: Connect) -> TrytonConnector:
    """A connector that is open, as the user that our page tells an administrator to make."""
    opened = connect()
    await opened.open()
    return opened


@pytest.fixture
async def clerk(running_tryton: Tryton) -> AsyncIterator[TrytonClient]:
    """Somebody who may do everything in Tryton."""
    client = TrytonClient(
        URL(running_tryton.url), running_tryton.database, "admin", PASSWORD, Surroundings(timeout=20.0)
    )
    await client.open()
    yield client
    await client.close()
