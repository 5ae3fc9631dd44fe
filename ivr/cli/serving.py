"""Serving: an engine that runs until it is told to stop, and says what happens."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import signal
from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

import click

from ivr.app import Application, running
from ivr.calls.entries import Entry
from ivr.cli.journey import journey_line
from ivr.cli.output import masked
from ivr.config.model import Config
from ivr.domain.contact import ContactEvent, EventKind

During = Callable[[Application], Awaitable[None]]


def serve(config: Config, *, journeys: bool, during: During | None = None) -> None:
    """Run an engine until SIGINT or SIGTERM; a second one does not wait for calls in progress.

    `during` runs once calls are taken, and is cancelled at the stop. Raises what
    `ivr.app.running` raises.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            runner.run(_serve(config, journeys=journeys, during=during))
        except asyncio.CancelledError:
            click.echo("stopped at once; Asterisk takes the calls that were in progress to their queue", err=True)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop where that extra is installed: the same behaviour for a third of the processor time."""
    module = importlib.import_module("uvloop" if importlib.util.find_spec("uvloop") else "asyncio")
    factory: Callable[[], asyncio.AbstractEventLoop] = module.new_event_loop
    return factory


async def _serve(config: Config, *, journeys: bool, during: During | None) -> None:
    stop = asyncio.Event()
    _stop_on_signals(stop)
    zone = ZoneInfo(config.organisation.time_zone)

    def show(entry: Entry) -> None:
        # Steps are for `ivr calls`: here they would hide what the caller meets.
        if isinstance(entry, ContactEvent) and entry.kind is not EventKind.STEP:
            click.echo(masked(journey_line(entry, zone)))

    async with running(config, say=click.echo, observe=show if journeys else None) as app:
        click.echo(_ready(app))
        # What is there now stays: looking it over again and again would hold up calls for tens of milliseconds.
        gc.collect()
        gc.freeze()
        await _until(stop, during(app) if during else None)
        click.echo("stopping: no new calls, those in progress are let finish (Ctrl-C again stops at once)")


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    everything = asyncio.current_task()

    def told() -> None:
        if stop.is_set() and everything is not None:
            everything.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told)


async def _until(stop: asyncio.Event, during: Awaitable[None] | None) -> None:
    stopping = asyncio.create_task(stop.wait())
    work = asyncio.ensure_future(during) if during is not None else None
    try:
        if work is not None:
            await asyncio.wait({stopping, work}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work
        await stopping
    finally:
        stopping.cancel()
        if work is not None:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


def _ready(app: Application) -> str:
    fastagi, http = app.config.asterisk.fastagi, app.config.http
    link = "connected to Asterisk" if app.ami.connected else "waiting for Asterisk's manager interface"
    return (
        f"Klantlijn takes calls on agi://{fastagi.host}:{app.agi.port}, {link}; "
        f"figures on http://{http.host}:{http.port}/metrics"
    )
