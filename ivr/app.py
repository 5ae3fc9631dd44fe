"""The application: the one place that names the adapter behind each port, and starts and stops them in order."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry
from structlog.stdlib import get_logger

from ivr.asterisk.agi_server import FastAgiServer
from ivr.asterisk.ami_client import AmiClient
from ivr.asterisk.originate import AmiSwitchboard
from ivr.asterisk.queue_watch import QueueWatch
from ivr.callbacks.desk import BookingDesk
from ivr.calls.contact_notes import ContactNotes
from ivr.calls.entries import Entry
from ivr.calls.errands import Outbox
from ivr.calls.gauges import StateGauges
from ivr.calls.journal import WrittenBehindJournal
from ivr.calls.metrics import CallMetrics
from ivr.calls.reception import Reception
from ivr.calls.spool import Spool
from ivr.calls.warm_up import WarmUp
from ivr.clock import SystemClock
from ivr.config.loading import secret
from ivr.config.model import Config
from ivr.configured import (
    destinations_of,
    errand_systems_of,
    guards_of,
    hours_of,
    identifier_of,
    index_of,
    limits_of,
    named_hours_of,
    queue_hours_of,
    queues_of,
    sources_of,
    syncs_of,
)
from ivr.connectors.metrics import ConnectorMetrics, IndexMetrics
from ivr.connectors.sync import forget_others
from ivr.connectors.system import ConnectedSystem
from ivr.dashboard.server import WebServer
from ivr.dialer.attempt import AttemptRunner
from ivr.dialer.due import Dialer
from ivr.domain.callback import CallbackPurpose
from ivr.domain.contact import Json
from ivr.domain.errand import ErrandState
from ivr.domain.line import parse_number
from ivr.errors import ConnectorError
from ivr.flow.catalog import FlowCatalog
from ivr.flow.engine import Engine
from ivr.flow.loader import load
from ivr.flow.model import FlowSet
from ivr.flow.session import Services
from ivr.flow.versions import LiveVersions
from ivr.outages.board import LiveOutageBoard
from ivr.ports import Clock
from ivr.routing.sites import LiveSites
from ivr.routing.split import Shares
from ivr.speech.engines import engine as speech_engine
from ivr.speech.library import PromptLibrary
from ivr.store.recording_folder import RecordingFolder
from ivr.store.stores import Stores
from ivr.store.switch_follower import SwitchFollower

LEFT_CALLS_LOOKED_BACK = timedelta(days=1)
RECORDINGS_LOOKED_AT_EACH = 10.0
"""Seconds; new recordings, and personal sounds grown old."""

log = get_logger()


async def prompt_files(library: PromptLibrary, flows: FlowSet) -> Mapping[str, Path]:
    """The sound files of everything that is the same in every call, by names such as `nl/welcome`.

    Raises:
        SpeechError: one has to be made and cannot be.
    """
    return {
        f"{utterance.language}/{utterance.name}": Path(f"{await library.files(utterance)}.sln")
        for utterance in flows.fixed_utterances()
    }


def personal_files(config: Config) -> Mapping[str, Path]:
    """The sound files with customers' data that exist at this moment; their names say nothing of what is said."""
    passing = config.speech.cache / "passing"
    return {f"personal/{path.stem[:8]}": path for path in passing.glob("*/*.sln")}


async def prompts_of(config: Config) -> Mapping[str, Path]:
    """The same as `prompt_files`, for who listens to the engine from another process.

    Raises:
        InvalidFiles: the flows contain mistakes.
        SpeechError: a prompt has to be made and cannot be.
    """
    flows = load(sources_of(config))
    library = PromptLibrary(config.speech, speech_engine(config.speech), SystemClock())
    await library.open()
    try:
        return await prompt_files(library, flows)
    finally:
        await library.close()


class Application:
    """A running engine. Made by `running`."""

    def __init__(self, config: Config, clock: Clock, ami_secret: str, on_flows: Callable[[FlowSet], None]) -> None:
        self.config = config
        self.clock = clock
        self.stores = Stores.of(config.database)
        self.journal = WrittenBehindJournal(
            self.stores.contacts,
            self.stores.errands,
            Spool(config.database.spool),
            clock,
            batch_interval=config.database.batch_interval,
        )
        self.library = PromptLibrary(config.speech, speech_engine(config.speech), clock)
        self.recordings = RecordingFolder(config.recordings, self.stores.recordings, clock)
        sources = sources_of(config)
        self.flows = FlowCatalog(sources, on_change=on_flows)
        self.versions = LiveVersions(self.flows, sources, self.stores.flows, clock, turns=Shares, on_change=on_flows)
        self.board = LiveOutageBoard(self.stores.outages)
        self.sites = LiveSites(config.sites, config.queues, self.stores.splits)
        self.guards = guards_of(config, clock)
        errand_systems = errand_systems_of(config, self.guards, clock)
        self.systems = list({system.name: system for system in (*self.guards, *errand_systems.values())}.values())
        # The same after a restart, so that our own promises and errands are ours again at once.
        owner = f"{socket.gethostname()}:{config.asterisk.fastagi.port}"
        self.index = index_of(config, self.guards, self.stores.database, clock)
        self.syncs = syncs_of(config, self.guards, self.stores.index, clock, owner)
        organisation = config.organisation
        zone = ZoneInfo(organisation.time_zone)
        self.warm_up = WarmUp(config.identify.warm_up, zone, self.stores.contacts, self.guards, clock)
        self.errands = Outbox(
            config.errands,
            errand_systems,
            self.stores.errands,
            self.journal,
            clock,
            owner,
            longest=max((config.connectors[name].guard.timeout for name in errand_systems), default=0.0),
            notes_of=ContactNotes(config.errands.contacts, organisation.language, zone),
        )
        self.ami = AmiClient(config.asterisk.ami, ami_secret, clock)
        self.switchboard = AmiSwitchboard(
            self.ami, config.asterisk.dial, clock, answer_limit=config.asterisk.ami.reconnect_max
        )
        self.queue_watch = QueueWatch(self.ami, self.journal, clock)
        queue_hours = queue_hours_of(config)
        services = Services(
            prompts=self.library,
            outages=self.board,
            callbacks=BookingDesk(
                config.callbacks, config.queues, queue_hours, self.stores.callbacks, self.stores.outages, clock
            ),
            sites=self.sites,
            clock=clock,
            zone=zone,
            fallback_queue=config.fallback_queue,
            language=config.organisation.language,
            country=config.organisation.country,
            hours=hours_of(config.organisation),
            named_hours=named_hours_of(config),
            queue_hours=queue_hours,
            destinations=destinations_of(config),
            recordings=self.recordings,
            errands=self.errands,
        )
        reception = Reception(
            config.entries,
            {
                CallbackPurpose.TALK: config.callbacks.flow,
                CallbackPurpose.OUTAGE_OVER: config.callbacks.outage_flow,
            },
            self.versions.for_call,
            Engine(limits_of(config)),
            services,
            identifier_of(config, self.guards, clock, self.index),
            self.journal,
            self.stores.callbacks,
            clock,
            self.queue_watch.expect,
        )
        self.agi = FastAgiServer(config.asterisk.fastagi, reception.receive, config.organisation.country)
        runner = AttemptRunner(config.callbacks, config.asterisk, self.stores.callbacks, self.switchboard, clock, owner)
        self.dialer = Dialer(
            config.callbacks,
            queues_of(config),
            queue_hours,
            hours_of(config.organisation),
            self.stores.callbacks,
            self.switchboard,
            runner,
            clock,
            owner,
        )
        self.registry = CollectorRegistry()
        self.journal.subscribe(CallMetrics(self.registry).observe)
        self.registry.register(StateGauges(self._readings()))
        self.registry.register(ConnectorMetrics(self.systems))
        self.registry.register(IndexMetrics(self.syncs))
        self.web = WebServer(config.http, self.registry, self.health, self.library.media_file)

    async def health(self) -> Mapping[str, Json]:
        """How it does; `ok` is whether calls can be taken as they should."""
        connectors: dict[str, Json] = {guard.name: guard.status.breaker.value for guard in self.systems}
        ok = self.ami.connected and not self.journal.is_database_away
        return {
            "ok": ok,
            "calls": self.agi.open_sessions,
            "asterisk": "connected" if self.ami.connected else "away",
            "database": "away" if self.journal.is_database_away else "connected",
            "waiting_for_database": self.journal.pending,
            "connectors": connectors,
        }

    def _readings(self) -> Mapping[str, tuple[str, Callable[[], float]]]:
        counts = self.agi.counts
        return {
            "klantlijn_calls_in_progress": ("Calls a flow speaks to now", lambda: self.agi.open_sessions),
            "klantlijn_callers_queued": ("Callers in or through a queue", lambda: self.queue_watch.callers),
            "klantlijn_journal_pending": ("Journal entries the database lacks", lambda: self.journal.pending),
            "klantlijn_journal_lost": ("Journal entries that are gone", lambda: self.journal.lost),
            "klantlijn_errands_waiting": ("Errands to be done", lambda: self.errands.counts[ErrandState.WAITING]),
            "klantlijn_errands_failed": ("Errands that failed", lambda: self.errands.counts[ErrandState.FAILED]),
            "klantlijn_calls_refused": ("Calls refused: full or stopping", lambda: counts.full + counts.draining),
            "klantlijn_calls_failed": ("Calls whose taking failed by a mistake of ours", lambda: counts.failed),
            "klantlijn_asterisk_connected": ("1 while the manager link is up", lambda: self.ami.connected),
            "klantlijn_manager_events_dropped": ("Events that came too fast", lambda: self.ami.dropped_events),
            "klantlijn_database_away": ("1 while the database is away", lambda: self.journal.is_database_away),
        }


@asynccontextmanager
async def running(
    config: Config,
    *,
    say: Callable[[str], None] = lambda line: None,
    observe: Callable[[Entry], None] | None = None,
) -> AsyncIterator[Application]:
    """An engine that takes calls, until the block ends; then calls in progress are let finish.

    `say` gets a line for people at each stage, `observe` every journal entry.

    Raises:
        InvalidFiles: the flows or texts have mistakes.
        SetupError: something is missing or a port is taken; the message says what to do.
        StoreUnavailable: the database cannot be reached.
    """
    loop = asyncio.get_running_loop()

    def on_flows(flows: FlowSet) -> None:
        # Told in the thread that read the files.
        asyncio.run_coroutine_threadsafe(_render(app, flows, say), loop)

    # The first number costs 5 ms, for the numbering plans; not the first caller's.
    parse_number(config.callbacks.caller_id, config.organisation.country)
    app = Application(config, SystemClock(), secret(config.asterisk.ami.secret_file), on_flows)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(app.stores.database.close)
        await app.stores.database.migrate()
        stack.push_async_callback(app.index.close)
        stack.push_async_callback(app.library.close)
        await app.library.open()
        await app.recordings.open()
        await _render(app, app.flows.current(), say)
        for guard in app.systems:
            stack.push_async_callback(guard.close)
            await _open(guard)
        if observe is not None:
            app.journal.subscribe(observe)
        app.journal.start()
        stack.push_async_callback(app.journal.stop)
        await _take_over_calls(app)
        stack.push_async_callback(app.ami.stop)
        tasks = [_background(app.queue_watch.run()), _background(app.switchboard.run())]
        await app.ami.start()
        follower = SwitchFollower(
            app.stores.changes,
            (app.board.refresh, app.sites.refresh, app.versions.refresh),
            app.clock,
            config.database.switch_interval,
        )
        await app.versions.keep()
        # Before the first call, so that it hears of an outage that was open already.
        await follower.step()
        tasks += [
            _background(follower.run()),
            _background(app.versions.watch(config.flows.reload_interval)),
            _background(_follow_recordings(app)),
            _background(app.recordings.run()),
            _background(app.errands.run()),
            _background(app.warm_up.run()),
            _background(forget_others(app.stores.index, app.syncs, app.clock)),
            *(_background(sync.run()) for sync in app.syncs),
        ]
        stack.push_async_callback(_cancel, tasks)
        await app.web.start()
        stack.push_async_callback(app.web.stop)
        await app.agi.start()
        stack.push_async_callback(app.agi.drain)
        # Customers are called only while calls are taken, so this begins last and ends first.
        stack.push_async_callback(_cancel, [_background(app.dialer.run())])
        yield app


async def _take_over_calls(app: Application) -> None:
    """Calls that an earlier process left: Asterisk may still have them in a queue."""
    # What that process had not written yet comes first.
    if await app.journal.flush():
        since = app.clock.now() - LEFT_CALLS_LOOKED_BACK
        app.queue_watch.expect(await app.stores.contacts.unended(since=since))


async def _open(guard: ConnectedSystem) -> None:
    try:
        await guard.open()
    except ConnectorError as error:
        # Callers are then not recognised, which is no reason not to answer them.
        log.warning("connector not available yet", connector=guard.name, error=str(error))


async def _render(app: Application, flows: FlowSet, say: Callable[[str], None]) -> None:
    rendered = await app.library.render_ahead(flows.fixed_utterances())
    if rendered.made:
        say(f"made {rendered.made} prompts")
    for failure in rendered.failed:
        log.error("prompt cannot be made", reason=failure)


async def _follow_recordings(app: Application) -> None:
    while True:
        await app.clock.sleep(RECORDINGS_LOOKED_AT_EACH)
        await app.library.refresh()


def _background(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
    task = asyncio.create_task(work)
    task.add_done_callback(_report)
    return task


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("a part of the engine stopped by a mistake", exc_info=error)


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
