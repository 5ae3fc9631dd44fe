"""A small flow world: flows made of a few lines, and calls through them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from textwrap import indent
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pytest

from ivr.domain.callback import Window
from ivr.domain.caller import Caller, Customer, CustomerId, Identification, IdentificationState
from ivr.domain.capability import Capability
from ivr.domain.contact import Direction
from ivr.domain.dossier import Invoice, InvoiceState, Order, OrderState
from ivr.domain.hand_over import Destination, Destinations
from ivr.domain.language import Language
from ivr.domain.line import Line, LineState, PhoneNumber
from ivr.domain.opening_hours import OpeningHours
from ivr.domain.outage import Outage, OutageId
from ivr.domain.site import Site
from ivr.flow.engine import Limits
from ivr.flow.loader import examine
from ivr.flow.model import FlowSet
from ivr.flow.session import Services
from ivr.flow.sources import Sources
from ivr.simulation.described_enquiry import DescribedEnquiry
from ivr.simulation.play_through import PlayedThrough, play_through, read_script
from ivr.simulation.scripted_channel import Act
from ivr.simulation.scripted_services import (
    ScriptedBoard,
    ScriptedDesk,
    ScriptedErrands,
    ScriptedShelf,
    ScriptedSites,
)
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.simulation.virtual_clock import VirtualClock
from ivr.yamlfile.problem import Problem

NUMBER = PhoneNumber("+31612345678")
OUR_TEXTS = Path(__file__).parents[3] / "prompts"
TELEPHONES = Destinations({"reception": Destination("201", "reception")}, ("+3120", "3"))
"""Where the callers of a small flow may be taken."""
NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


ANNA = Customer(
    CustomerId("K1"),
    "Anna de Vries",
    (NUMBER,),
    products=frozenset({"glasvezel"}),
    orders=(Order("LN-12", OrderState.ON_THE_WAY, "modem", date(2026, 11, 24)),),
)


BRAM = Customer(
    CustomerId("2"), "Bram Bakker", (PhoneNumber("+31201234567"),), postcode="9712 CD", customer_number="K100002"
)


def caller(kind: str = "unknown") -> Caller:
    """A caller by a word: known, english, owing, provable, attested, other_number, unknown, withheld, pending."""
    line = Line(LineState.KNOWN, NUMBER)
    match kind:
        case "known":
            return Caller(line, Identification(IdentificationState.KNOWN, ANNA), "Groningen")
        case "english":
            found = replace(ANNA, language=Language.EN)
            return Caller(line, Identification(IdentificationState.KNOWN, found), "Groningen")
        case "owing":
            invoice = Invoice("F-1", InvoiceState.OPEN, Decimal("12.50"))
            found = replace(ANNA, invoices=(invoice,))
            return Caller(line, Identification(IdentificationState.KNOWN, found), "Groningen")
        case "attested":
            found = replace(ANNA, postcode="9712 CD")
            return Caller(replace(line, attested=True), Identification(IdentificationState.KNOWN, found), "Groningen")
        case "provable":
            found = replace(
                ANNA,
                id=CustomerId("K100001"),
                postcode="9712 CD",
                house_number="12-A",
                birth_date=date(1985, 4, 12),
            )
            return Caller(line, Identification(IdentificationState.KNOWN, found), "Groningen")
        case "other_number":
            found = replace(ANNA, numbers=(PhoneNumber("+31201234567"),))
            return Caller(line, Identification(IdentificationState.KNOWN, found))
        case "shared":
            return Caller(line, Identification(IdentificationState.AMBIGUOUS), "Groningen")
        case "withheld":
            return Caller(Line(LineState.WITHHELD), Identification(IdentificationState.WITHHELD))
        case "pending":
            return Caller(line)
        case "unknown":
            return Caller(line, Identification(IdentificationState.UNKNOWN), "Groningen")
    raise ValueError(kind)


def window(hour: int) -> Window:
    """Two hours from an hour (UTC) tomorrow."""
    return Window(datetime(2026, 11, 24, hour, tzinfo=UTC), datetime(2026, 11, 24, hour + 2, tzinfo=UTC))


@dataclass
class World:
    """The outside of a call, each part open to a test's wishes."""

    prompts: SpokenPrompts = field(default_factory=SpokenPrompts)
    board: ScriptedBoard = field(default_factory=ScriptedBoard)
    desk: ScriptedDesk = field(default_factory=lambda: ScriptedDesk([window(8), window(10), window(12)]))
    sites: ScriptedSites = field(
        default_factory=lambda: ScriptedSites(
            [Site("own", {"support": "support-own"}), Site("partner", {"support": "support-partner"})]
        )
    )
    shelf: ScriptedShelf = field(default_factory=ScriptedShelf)
    errands: ScriptedErrands = field(default_factory=ScriptedErrands)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NINE))
    hours: Mapping[str, OpeningHours] = field(default_factory=dict)
    systems_away: bool = False

    def services(self) -> Services:
        return Services(
            self.prompts,
            self.board,
            self.desk,
            self.sites,
            self.clock,
            ZoneInfo("Europe/Amsterdam"),
            "support",
            named_hours=self.hours,
            queue_hours=self.hours,
            destinations=TELEPHONES,
            recordings=self.shelf,
            errands=self.errands,
        )

    def open_outage(self, region: str | None = None, **changes: Any) -> None:
        made = Outage(OutageId(f"o{len(self.board.outages)}"), NINE, region, **changes)
        self.board.outages = [*self.board.outages, made]

    def caller(self, kind: str) -> Caller:
        return caller(kind)

    def play(
        self,
        flows: FlowSet,
        who: Caller | Callable[[], Caller] | str = "unknown",
        script: Sequence[Act] | str = (),
        *,
        flow: str = "case",
        limits: Limits | None = None,
        direction: Direction = Direction.INBOUND,
        leaves_after: float | None = None,
    ) -> PlayedThrough:
        """A whole call."""
        person = caller(who) if isinstance(who, str) else who
        acts = (read_script(script) if script else []) if isinstance(script, str) else script
        return asyncio.run(
            play_through(
                flows,
                flow,
                self.services(),
                self.prompts,
                DescribedEnquiry(person if callable(person) else lambda: person, [BRAM], self.systems_away),
                acts,
                limits=limits,
                direction=direction,
                leaves_after=leaves_after,
            )
        )


class FlowMaker(Protocol):
    def __call__(self, blocks: str, texts: Mapping[str, str] = {}, head: str = "") -> FlowSet: ...


class Examiner(Protocol):
    def __call__(
        self,
        blocks: str,
        texts: Mapping[str, str] = {},
        head: str = "",
        hours: Mapping[str, OpeningHours] = {},
        triage: str = "",
        others: Mapping[str, str] = {},
        capabilities: Collection[Capability] | None = None,
        errands: Collection[str] | None = None,
    ) -> tuple[FlowSet | None, list[Problem]]: ...


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def examine_flow(tmp_path: Path) -> Examiner:
    """Reads the flow `case` made of these blocks; its texts are ours and the given ones, the same in each language.

    `others` are flows beside it, by name, each without its first line.
    """

    def made(
        blocks: str,
        texts: Mapping[str, str] = {},
        head: str = "",
        hours: Mapping[str, OpeningHours] = {},
        triage: str = "",
        others: Mapping[str, str] = {},
        capabilities: Collection[Capability] | None = None,
        errands: Collection[str] | None = None,
    ) -> tuple[FlowSet | None, list[Problem]]:
        for language in Language:
            folder = tmp_path / "prompts" / language
            folder.mkdir(parents=True, exist_ok=True)
            ours = (OUR_TEXTS / language / "texts.yaml").read_text(encoding="utf-8")
            own = "".join(f"{name}: >-\n  {text}\n" for name, text in texts.items())
            (folder / "texts.yaml").write_text(f"{ours}\n{own}", encoding="utf-8")
        (tmp_path / "flows").mkdir(exist_ok=True)
        text = f"flow: case\n{head or 'start: here'}\nblocks:\n{indent(blocks, '  ')}"
        (tmp_path / "flows" / "case.yaml").write_text(text, encoding="utf-8")
        if triage:
            (tmp_path / "flows" / "triage").mkdir(exist_ok=True)
            (tmp_path / "flows" / "triage" / "case.yaml").write_text(triage, encoding="utf-8")
        for name, written in others.items():
            (tmp_path / "flows" / f"{name}.yaml").write_text(f"flow: {name}\n{written}", encoding="utf-8")
        gaps = {name: gap for name, times in hours.items() if (gap := times.first_gap())}
        folders = (tmp_path / "flows", tmp_path / "prompts")
        sources = Sources(
            *folders,
            {"support"},
            shown_from=tmp_path,
            hours=hours,
            queue_gaps=gaps,
            destinations=TELEPHONES,
            capabilities=capabilities,
            errands=errands,
        )
        return examine(sources)

    return made


@pytest.fixture
def flow_of(examine_flow: Examiner) -> FlowMaker:
    """A flow set with the flow `case`, which must be right."""

    def made(blocks: str, texts: Mapping[str, str] = {}, head: str = "") -> FlowSet:
        flows, problems = examine_flow(blocks, texts, head)
        assert flows is not None, "\n".join(map(str, problems))
        return flows

    return made
