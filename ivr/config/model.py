"""What `config.yaml` may say. Each field is documented in `docs/config.md`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from ivr.config.errands import Errands
from ivr.config.units import Seconds
from ivr.config.words import Day, Dialled, FieldName, HoursName, Name, Percent, Port, Spans, TimeOfDay, TimeZone
from ivr.domain.language import Language
from ivr.yamlfile.nodes import Node, Place, Scalar, Source, place_of

NOT_WRITTEN: Node = Scalar(Place(Source("config.yaml", ()), 1, 1, 1, 2), "")
"""Where a configuration stands that was not read from a file."""


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Organisation(Section):
    """Who is called. `opening_hours` are local times per weekday; `closed` are dates."""

    name: str
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "NL"
    time_zone: TimeZone = "Europe/Amsterdam"
    language: Language = Language.NL
    opening_hours: dict[Day, Spans] = {}
    closed: list[date] = []


class NamedHours(Section):
    """When some of the people are there: local times per weekday. Without `closed` the organisation's dates hold."""

    week: dict[Day, Spans]
    closed: list[date] | None = None


class FastAgi(Section):
    """The server that Asterisk hands its calls to. `allow` lists the addresses that may connect."""

    host: str = "127.0.0.1"
    port: Port = 4574
    allow: list[str] = ["127.0.0.1"]
    max_sessions: Annotated[int, Field(ge=1)] = 2000
    header_timeout: Seconds = 5.0
    command_timeout: Seconds = 10.0
    drain_timeout: Seconds = 30.0


class Ami(Section):
    """Asterisk's manager interface. The secret is the first line of `secret_file`."""

    host: str = "127.0.0.1"
    port: Port = 5039
    user: Name = "klantlijn"
    secret_file: Path = Path("var/asterisk/ami.secret")
    tls: bool = False
    tls_ca_file: Path | None = None
    action_timeout: Seconds = 5.0
    ping_interval: Seconds = 10.0
    reconnect_max: Seconds = 30.0


class PrivateAsterisk(Section):
    """The Asterisk that `make run` starts, beside any that runs already.

    It lives in `home`. `sip_allow` lists the networks that may call it. Its own calls go to `trunk_port`, where the
    demonstration's callers are.
    """

    home: Path = Path("var/asterisk")
    sip_host: str = "127.0.0.1"
    sip_port: Port = 5070
    sip_allow: list[str] = ["127.0.0.0/8"]
    trunk_port: Port = 5080
    rtp_from: Port = 12000
    rtp_to: Port = 12999


class Asterisk(Section):
    """Everything between us and Asterisk.

    `dial` makes a channel from an E.164 `{number}`, `dial_extension` from that of an extension of the own exchange.
    """

    fastagi: FastAgi = FastAgi()
    ami: Ami = Ami()
    private: PrivateAsterisk = PrivateAsterisk()
    dial: str = "PJSIP/{number}@trunk"
    dial_extension: str = "PJSIP/{number}"
    callback_context: Name = "klantlijn-callback"


class Speech(Section):
    """How texts become sound. `media: http` when Asterisk does not share our disk."""

    engine: Literal["espeak-ng", "pyttsx3"] = "espeak-ng"
    voices: dict[Language, str] = {Language.NL: "nl", Language.EN: "en-gb"}
    words_per_minute: Annotated[int, Field(ge=80, le=300)] = 150
    level_lufs: Annotated[float, Field(ge=-40, le=-10)] = -19.0
    timeout: Seconds = 5.0
    recordings: Path = Path("prompts")
    cache: Path = Path("var/prompts")
    media: Literal["disk", "http"] = "disk"
    media_url: str | None = None


class Recordings(Section):
    """Where what callers say is kept, and for how many days. Asterisk writes there."""

    path: Path = Path("var/recordings")
    keep_days: Annotated[int, Field(ge=1)] = 30


class Flows(Section):
    """Where flows are and how far one call may go."""

    path: Path = Path("dialplans")
    max_steps: Annotated[int, Field(ge=10)] = 500
    max_seconds: Seconds = 1800.0
    after_hangup: Seconds = 10.0
    reload_interval: Seconds = 1.0


class Entry(Section):
    """A flow for the numbers that match, and the language of who dials them.

    In `dialled` a `*` stands for any rest or part, a `?` for one digit.
    """

    dialled: Dialled
    flow: Name
    language: Language | None = None

    def matches(self, dialled: str) -> bool:
        """Whether it answers what was dialled; also whether it answers all that another pattern does."""
        parts = (re.escape(part).replace(r"\?", "[0-9?]") for part in self.dialled.split("*"))
        return re.fullmatch(".*".join(parts), dialled, re.DOTALL) is not None


class Identify(Section):
    """Who calls. The greeting never waits longer than `budget`; the index is given `index_budget` of it.

    `warm_up` are local times before busy hours.
    """

    connectors: list[Name] = []
    budget: Seconds = 0.3
    index_budget: Seconds = 0.05
    warm_up: list[TimeOfDay] = []


class Guard(Section):
    """What keeps a slow or broken system from touching a call."""

    timeout: Seconds = 2.0
    concurrency: Annotated[int, Field(ge=1)] = 20
    failures_to_open: Annotated[int, Field(ge=1)] = 5
    open_for: Seconds = 10.0
    cache_for: Seconds = 60.0
    cache_unknown_for: Seconds = 10.0
    stale_for: Seconds = 3600.0


class Index(Section):
    """How the index of a system's customers is kept up to date, if the system tells its changes.

    Changes are asked for each `interval`, everybody each `full_every`, both in pages of
    about `page` customers. An index older than `max_age` is not used.
    """

    interval: Annotated[Seconds, Field(ge=1)] = 60.0
    full_every: Annotated[Seconds, Field(ge=60)] = 86400.0
    page: Annotated[int, Field(ge=1, le=5000)] = 500
    page_timeout: Annotated[Seconds, Field(gt=0)] = 30.0
    max_age: Annotated[Seconds, Field(gt=0)] = 43200.0


class Connector(Section):
    """A connected system: an integration, its settings, its guard, and the index of its customers."""

    integration: Name
    settings: dict[str, Any] = {}
    guard: Guard = Guard()
    index: Index = Index()


class RegionArea(Section):
    """A region: postcodes such as `9700-9747`, and E.164 prefixes of fixed lines."""

    postcodes: list[Annotated[str, Field(pattern=r"^\d{4}(-\d{4})?$")]] = []
    prefixes: list[Annotated[str, Field(pattern=r"^\+\d{2,12}$")]] = []


class SiteQueues(Section):
    """A site: which Asterisk queue serves each of our queues there."""

    queues: dict[Name, Name]


class Transfers(Section):
    """Where callers may be taken besides queues: telephones by a name, numbers that begin as one of `prefixes` does.

    A prefix with a plus is that of E.164 numbers, one without it that of extensions of the own exchange.
    """

    telephones: dict[HoursName, Annotated[str, Field(pattern=r"^(\+[1-9]\d{5,14}|\d{2,6})$")]] = {}
    prefixes: list[Annotated[str, Field(pattern=r"^(\+\d{1,14}|\d{1,6})$")]] = []


class Queue(Section):
    """A queue: its split in percents per site until a supervisor sets another, its callback capacity, and its hours.

    `opening_hours` names some under the configuration's `opening_hours`; without it the organisation's hold.
    """

    split: dict[Name, Percent]
    opening_hours: HoursName | None = None
    callbacks_per_window: Annotated[int, Field(ge=0)] = 10

    @model_validator(mode="after")
    def _adds_up(self) -> Queue:
        if sum(self.split.values()) != 100:
            raise ValueError(f"the split adds up to {sum(self.split.values())}, not 100")
        return self


class Callbacks(Section):
    """How promises are made and kept."""

    flow: Name = "callback"
    outage_flow: Name = "outage_over"
    news_at_once: Annotated[int, Field(ge=1)] = 5
    window: Seconds = 7200.0
    lead: Seconds = 600.0
    days_ahead: Annotated[int, Field(ge=1, le=30)] = 3
    after_booking: Seconds = 30.0
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    retry_after: Seconds = 600.0
    ring_for: Seconds = 30.0
    caller_id: str = ""
    poll_interval: Seconds = 1.0
    lease: Seconds = 60.0


class Database(Section):
    """Where contacts, promises and switches are kept, and where contacts wait while it is away."""

    url: str = "sqlite+aiosqlite:///var/klantlijn.db"
    spool: Path = Path("var/spool")
    batch_interval: Seconds = 0.5
    timeout: Seconds = 5.0
    switch_interval: Seconds = 0.5


class Http(Section):
    """The web server: metrics, health and prompts."""

    host: str = "127.0.0.1"
    port: Port = 8090


class Privacy(Section):
    """What is only spoken to a caller who proved who they are: fields of `caller`, as expressions name them."""

    after_verify: list[FieldName] = [
        "id",
        "customer_number",
        "postcode",
        "house_number",
        "birth_date",
        "email",
        "invoices.amount",
        "cases.subject",
    ]


class Log(Section):
    """What is logged. Numbers are masked and secrets left out whatever is set here."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class Config(Section):
    """The whole of `config.yaml`. Relative paths start at the folder it lies in."""

    organisation: Organisation
    opening_hours: dict[HoursName, NamedHours] = {}
    asterisk: Asterisk = Asterisk()
    speech: Speech = Speech()
    recordings: Recordings = Recordings()
    flows: Flows = Flows()
    entries: list[Entry]
    identify: Identify = Identify()
    connectors: dict[Name, Connector] = {}
    regions: dict[str, RegionArea] = {}
    sites: dict[Name, SiteQueues]
    queues: dict[Name, Queue]
    fallback_queue: Name
    transfers: Transfers = Transfers()
    callbacks: Callbacks = Callbacks()
    errands: Errands = Errands()
    database: Database = Database()
    http: Http = Http()
    privacy: Privacy = Privacy()
    log: Log = Log()
    _folder: Path = PrivateAttr(Path())
    _root: Node = PrivateAttr(NOT_WRITTEN)

    @property
    def folder(self) -> Path:
        """The folder the file lies in, where relative paths in connectors' settings start."""
        return self._folder

    def read_from(self, folder: Path, root: Node) -> Config:
        """This configuration, as read from a file in `folder` whose top is `root`."""
        placed = self.model_copy()
        placed._folder, placed._root = folder, root
        return placed

    def place(self, *loc: str | int) -> Place:
        """Where a value is written, or else the nearest one around it."""
        return place_of(self._root, loc)

    @model_validator(mode="after")
    def _names_exist(self) -> Config:
        for position, name in enumerate(self.identify.connectors):
            if name not in self.connectors:
                _refuse(("identify", "connectors", position), f"'{name}' is not under connectors", self.connectors)
        for errand_at, name, _ in self.errands.named():
            if name not in self.connectors:
                _refuse(("errands", *errand_at), f"'{name}' is not under connectors", self.connectors)
        for position, entry in enumerate(self.entries):
            before = next((other for other in self.entries[:position] if other.matches(entry.dialled)), None)
            if before is not None:
                message = f"no call comes here: '{before.dialled}' above answers it; write this entry before that one"
                _refuse(("entries", position, "dialled"), message)
        for queue_name, queue in self.queues.items():
            if queue.opening_hours is not None and queue.opening_hours not in self.opening_hours:
                hours_at = ("queues", queue_name, "opening_hours")
                _refuse(hours_at, f"'{queue.opening_hours}' is not under opening_hours", self.opening_hours)
            for site in queue.split:
                at = ("queues", queue_name, "split", site)
                if site not in self.sites:
                    _refuse(at, f"'{site}' is not under sites", self.sites)
                if queue_name not in self.sites[site].queues:
                    _refuse(at, f"sites.{site}.queues does not say which Asterisk queue serves '{queue_name}'")
        if self.fallback_queue not in self.queues:
            _refuse(("fallback_queue",), f"'{self.fallback_queue}' is not under queues", self.queues)
        return self


def _refuse(at: tuple[str | int, ...], message: str, known: Iterable[str] = ()) -> NoReturn:
    words = ", ".join(sorted(known))
    hint = f"; known there: {words}" if words else ""
    raise PydanticCustomError("value", "{said}", {"said": message + hint, "at": at})
