"""Scenarios: calls written down in YAML beside the flows, who calls, what they do, and what has to happen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from ivr.config.units import Seconds
from ivr.domain.contact import Outcome
from ivr.domain.language import Language
from ivr.domain.line import LineState, read_line
from ivr.domain.speech import OWN_WORDS
from ivr.flow.model import FlowSet
from ivr.flow.names import FlowName, PromptName, QueueName
from ivr.flow.step import Settings
from ivr.simulation.described import DescribedCaller, Moment
from ivr.simulation.expected_errands import ExpectedMessage, ExpectedTicket
from ivr.simulation.play_through import read_script
from ivr.yamlfile.binding import bind
from ivr.yamlfile.nodes import Listing, Loc, Node, Table, place_of
from ivr.yamlfile.problem import Problem, did_you_mean
from ivr.yamlfile.reading import Document, read_document

DOCS = "docs/scenarios.md"
GAPS = ("…", "...")
OUTAGE_PROMPT = "outage-"
"""How the prompt of an outage with words of its own begins."""


def _listed(written: object) -> object:
    return [written] if isinstance(written, str | Mapping) else written


class DescribedOutage(Settings):
    """An open outage. Without `text` the standard announcement is said; `until` is when it is expected to end."""

    shorthand: ClassVar[str] = "region"

    region: str | None = None
    product: str | None = None
    text: Mapping[Language, str] = {}
    until: Moment | None = None


class Pressed(Settings):
    """What the caller does when keys are waited for, or `during` a prompt: keys, `-` is silence, `x` hanging up."""

    shorthand: ClassVar[str] = "press"

    press: str
    during: str | None = None

    @model_validator(mode="after")
    def _readable(self) -> Pressed:
        acts = read_script(self.press)
        if self.during is not None and (len(acts) != 1 or self.press.strip() == "-"):
            raise ValueError("during a prompt one key is pressed, or the caller hangs up: x")
        return self


class Hears(Settings):
    """What the caller must hear: the name of a prompt, words that it says, or both. `…` stands for anything."""

    shorthand: ClassVar[str] = "prompt"

    prompt: str | None = None
    says: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _word_or_words(cls, written: object) -> object:
        if not isinstance(written, str):
            return written
        if written in GAPS:
            return {}
        return {"says": written} if " " in written.strip() else {"prompt": written}

    @property
    def is_gap(self) -> bool:
        """Whether anything, or nothing, may be heard here."""
        return self.prompt is None and self.says is None

    def __str__(self) -> str:
        words = f"“{self.says}”" if self.says else ""
        return ": ".join(part for part in (self.prompt or "", words) if part) or GAPS[0]


class Booked(Settings):
    """A promise to call: those that are given must be so. `start` is when its window begins."""

    queue: QueueName | None = None
    number: str | None = None
    start: Moment | None = None


class Expected(Settings):
    """What has to happen; what is not written may be anything."""

    heard: tuple[Hears, ...] | None = None
    reason: str | None = None
    outcome: Outcome | None = None
    queue: QueueName | None = None
    site: str | None = None
    transfer: str | None = None
    callback: Booked | None = None
    notice: str | None = None
    ticket: ExpectedTicket | None = None
    message: Annotated[tuple[ExpectedMessage, ...], BeforeValidator(_listed)] = ()
    error: str | None = None

    @model_validator(mode="after")
    def _something(self) -> Expected:
        if not self.model_fields_set:
            raise ValueError("nothing is expected here; write heard:, outcome: or reason:")
        return self


class Scenario(Settings):
    """One call. `queue`: whether people answer; without it opening hours decide, of which `hours` says by their name
    whether they hold. `cannot_say`: prompts that fail.

    While the `systems` are away, what is known of the caller is all that can be known.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    caller: DescribedCaller = DescribedCaller()
    at: Moment | None = None
    entry: str = ""
    outages: Annotated[tuple[DescribedOutage, ...], BeforeValidator(_listed)] = ()
    queue: Literal["open", "closed"] | None = None
    hours: Mapping[str, Literal["open", "closed"]] = {}
    systems: Literal["open", "away"] = "open"
    callbacks: Literal["open", "full", "taken", "away"] = "open"
    tickets: Literal["open", "late", "refused"] = "open"
    cannot_say: Annotated[tuple[PromptName, ...], BeforeValidator(_listed)] = ()
    press: Annotated[tuple[Pressed, ...], BeforeValidator(_listed)] = ()
    hangs_up_after: Annotated[Seconds, Field(gt=0)] | None = None
    expect: Expected


class ScenarioFile(Settings):
    """The scenarios of a flow. `at` is when they take place, unless they say otherwise; `callers` who may call."""

    flow: FlowName
    at: Moment
    callers: Mapping[str, DescribedCaller] = {}
    scenarios: Annotated[tuple[Scenario, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Written:
    """A scenario and where it is written. `at` is local time unless it has a zone of its own.

    `callers` are those of the file: whom a caller may say to be.
    """

    scenario: Scenario
    flow: str
    at: datetime
    file: str
    node: Node
    callers: tuple[DescribedCaller, ...] = ()

    def line(self, *loc: str | int) -> int:
        """The line of something in it, or of the nearest thing around it."""
        return place_of(self.node, loc, key=True).line


def read_scenarios(
    path: Path, shown: str, flows: FlowSet, regions: Collection[str], hours: Collection[str] = ()
) -> tuple[list[Written], list[Problem]]:
    """The scenarios of a file, or every problem in it; never raises."""
    return scenarios_in(read_document(path, shown=shown), shown, flows, regions, hours)


def scenarios_in(
    document: Document, shown: str, flows: FlowSet, regions: Collection[str], hours: Collection[str] = ()
) -> tuple[list[Written], list[Problem]]:
    """The scenarios of what was read, or every problem in it; never raises. `hours` are the names of opening hours."""
    if document.root is None or document.problems:
        return [], list(document.problems)
    found, problems = bind(document.root, ScenarioFile, docs=DOCS)
    if found is None:
        return [], problems
    problems = [*_unknown(document.root, found, flows, regions), *_unknown_hours(document.root, found, hours)]
    written = [
        Written(
            _with_caller(scenario, found),
            found.flow,
            scenario.at or found.at,
            shown,
            _node(document.root, position),
            tuple(found.callers.values()),
        )
        for position, scenario in enumerate(found.scenarios)
    ]
    return written, problems


def _unknown_hours(root: Node, found: ScenarioFile, hours: Collection[str]) -> Iterator[Problem]:
    for position, scenario in enumerate(found.scenarios):
        for name in scenario.hours:
            if name not in hours:
                place = place_of(root, ("scenarios", position, "hours", name), key=True)
                yield place.problem("unknown-hours", f"unknown hours '{name}'", did_you_mean(name, hours), DOCS)


def _node(root: Node, position: int) -> Node:
    """Where the scenario at a position is written."""
    listing = root.get("scenarios") if isinstance(root, Table) else None
    return listing.items[position] if isinstance(listing, Listing) else root


def _with_caller(scenario: Scenario, found: ScenarioFile) -> Scenario:
    named = found.callers.get(scenario.caller.number)
    return scenario if named is None else scenario.model_copy(update={"caller": named})


def _unknown(root: Node, found: ScenarioFile, flows: FlowSet, regions: Collection[str]) -> Iterator[Problem]:
    """Names that nothing has, and scenarios of the same name."""
    if found.flow not in flows.flows:
        yield _problem(root, ("flow",), "flow", found.flow, flows.flows)
    prompts = {OWN_WORDS} | {utterance for texts in flows.prompts.texts.values() for utterance in texts}
    prompts |= {name for names in flows.prompts.recordings.values() for name in names}
    names: dict[str, int] = {}
    for position, scenario in enumerate(found.scenarios):
        at = ("scenarios", position)
        if names.setdefault(scenario.name, position) != position:
            place = place_of(root, (*at, "name"))
            yield place.problem("duplicate-key", f"'{scenario.name}' is the name of two scenarios", "", DOCS)
        for loc, prompt in _prompts(scenario):
            if prompt not in prompts and not prompt.startswith(OUTAGE_PROMPT):
                yield _problem(root, (*at, *loc), "prompt", prompt, prompts)
        for number, outage in enumerate(scenario.outages):
            if outage.region is not None and outage.region not in regions:
                yield _problem(root, (*at, "outages", number, "region"), "region", outage.region, regions)
        yield from _unknown_caller(root, (*at, "caller"), scenario.caller, found.callers, regions)
    for name, caller in found.callers.items():
        yield from _unknown_caller(root, ("callers", name), caller, (), regions)


def _unknown_caller(
    root: Node, loc: Loc, caller: DescribedCaller, callers: Collection[str], regions: Collection[str]
) -> Iterator[Problem]:
    named = caller.number in callers or read_line(caller.number).state is not LineState.MALFORMED
    if not named:
        place = place_of(root, (*loc, "number"))
        hint = did_you_mean(caller.number, {*callers, "withheld"})
        yield place.problem("value", f"'{caller.number}' is not a telephone number or a caller", hint, DOCS)
    if caller.region is not None and caller.region not in regions:
        yield _problem(root, (*loc, "region"), "region", caller.region, regions)


def _prompts(scenario: Scenario) -> Iterator[tuple[Loc, str]]:
    for number, hears in enumerate(scenario.expect.heard or ()):
        if hears.prompt is not None:
            yield ("expect", "heard", number, "prompt"), hears.prompt
    for number, pressed in enumerate(scenario.press):
        if pressed.during is not None:
            yield ("press", number, "during"), pressed.during
    for number, prompt in enumerate(scenario.cannot_say):
        yield ("cannot_say", number), prompt


def _problem(root: Node, loc: Loc, what: str, name: str, known: Collection[str]) -> Problem:
    return place_of(root, loc).problem(f"unknown-{what}", f"unknown {what} '{name}'", did_you_mean(name, known), DOCS)
