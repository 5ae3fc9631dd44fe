"""Opening what a command works on: the configuration and the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from ivr.config.loading import load
from ivr.config.model import Config
from ivr.store.stores import Stores

T = TypeVar("T")


def config_of(ctx: click.Context) -> Config:
    """The configuration a command was given. Raises InvalidFiles."""
    path: Path = ctx.obj
    return load(path)


@asynccontextmanager
async def stores_of(ctx: click.Context) -> AsyncIterator[Stores]:
    """The stores of a command's configuration, up to date and closed afterwards. Raises StoreUnavailable."""
    stores = Stores.of(config_of(ctx).database)
    await stores.database.migrate()
    try:
        yield stores
    finally:
        await stores.database.close()


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's asynchronous part to its end."""
    return asyncio.run(work)
