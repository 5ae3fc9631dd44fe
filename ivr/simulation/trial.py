"""A trial: a scenario played through, and the first thing in which it differs from what was expected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ivr.domain.caller import Caller
from ivr.domain.hand_over import ToNumber, ToQueue
from ivr.domain.line import parse_number
from ivr.domain.opening_hours import OpeningHours
from ivr.domain.outage import Outage, OutageId
from ivr.flow.model import FlowSet
from ivr.simulation.described import local
from ivr.simulation.described_enquiry import DescribedEnquiry
from ivr.simulation.expected_errands import unopened, unsent
from ivr.simulation.play_through import PlayedThrough, play_through, read_script
from ivr.simulation.scenario import Booked, Expected, Hears, Pressed, Written
from ivr.simulation.scripted_channel import Act, Heard, Leave, Press, Speak
from ivr.simulation.scripted_services import ScriptedDesk, ScriptedErrands
from ivr.simulation.setting import Setting
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.simulation.virtual_clock import VirtualClock

LookUp = Callable[[str], Awaitable[Caller]]
"""Asks the connected systems who has a number."""

SHOWN_WORDS = 90


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that was not as expected: the line in the scenario's file, and what to say about it."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scenario came to; `difference` is None when all was as expected."""

    written: Written
    played: PlayedThrough
    difference: Difference | None


async def try_out(written: Written, flows: FlowSet, setting: Setting, look_up: LookUp) -> Verdict:
    """Play a scenario and compare. Raises ConnectorError, SetupError when the caller is looked up and cannot be."""
    scenario, zone = written.scenario, setting.services.zone
    start = local(written.at, zone)
    caller = await look_up(scenario.caller.number) if scenario.caller.look_up else scenario.caller.caller(setting)
    others = [found for each in written.callers if (found := each.customer_of(None, zone))]
    enquiry = DescribedEnquiry(lambda: caller, others, away=scenario.systems == "away")
    prompts = SpokenPrompts(broken=set(scenario.cannot_say))
    outages = [
        Outage(
            OutageId(str(number)),
            start,
            outage.region,
            outage.product,
            outage.text,
            local(outage.until, zone) if outage.until else None,
        )
        for number, outage in enumerate(scenario.outages, start=1)
    ]
    desk = _desk(scenario.callbacks, setting.desk(start))
    errands = ScriptedErrands(scenario.tickets)
    services = setting.services_at(VirtualClock(start), prompts, outages, desk, errands)
    services = setting.with_hours(services, {name: said == "open" for name, said in scenario.hours.items()})
    if scenario.queue is not None:
        hours = None if scenario.queue == "open" else OpeningHours(zone, ((),) * 7)
        services = replace(
            services, hours=hours, queue_hours=dict.fromkeys(services.queue_hours, hours) if hours else {}
        )
    played = await play_through(
        flows,
        written.flow,
        services,
        prompts,
        enquiry,
        [act for pressed in scenario.press for act in _acts(pressed)],
        limits=setting.limits,
        entry=scenario.entry,
        language=setting.language(scenario.entry, written.flow),
        direction=setting.direction(written.flow),
        leaves_after=scenario.hangs_up_after,
    )
    return Verdict(written, played, next(_differences(written, played, desk, errands, setting), None))


def _desk(callbacks: str, desk: ScriptedDesk) -> ScriptedDesk:
    match callbacks:
        case "full":
            desk.offers = ()
        case "away":
            desk.available = False
        case "taken":
            desk.full = set(desk.offers[:1])
    return desk


def _acts(pressed: Pressed) -> Iterator[Act]:
    for act in read_script(pressed.press):
        if pressed.during is not None and isinstance(act, Press | Leave):
            yield replace(act, during=pressed.during)
        else:
            yield act


# --- comparing ------------------------------------------------------------------------------------------------------


def _differences(
    written: Written, played: PlayedThrough, desk: ScriptedDesk, errands: ScriptedErrands, setting: Setting
) -> Iterator[Difference]:
    expected, ending = written.scenario.expect, played.ending
    if ending.error and not (expected.error and expected.error in ending.error):
        yield Difference(written.line("name"), f"the flow failed: {ending.error}")
    if expected.error and not ending.error:
        yield _difference(written, "error", expected.error, "the flow did not fail")
    if expected.heard is not None:
        yield from _heard(written, expected.heard, played.heard)
    if played.not_done:
        act = played.not_done[0]
        when = f" during {act.during}" if isinstance(act, Press | Leave) and act.during else ""
        what = _deed(act)
        yield Difference(written.line("press"), f"the caller never came to {what}{when}\n{_listing(played.heard)}")
    yield from _endings(written, expected, played)
    if expected.callback is not None:
        yield from _callback(written, expected.callback, desk, setting)
    if expected.notice is not None:
        yield from _notice(written, expected.notice, desk, setting)
    if expected.ticket is not None and (difference := unopened(expected.ticket, errands)):
        yield Difference(written.line("expect", "ticket"), difference)
    for difference in unsent(expected.message, errands, setting.services.country):
        yield Difference(written.line("expect", "message"), difference)


def _deed(act: Act) -> str:
    match act:
        case Press(key):
            return f"press {key}"
        case Speak(seconds):
            return f"speak for {seconds:g} s"
        case Leave():
            return "hang up"
    return "be silent"


def _endings(written: Written, expected: Expected, played: PlayedThrough) -> Iterator[Difference]:
    ending, to = played.ending, played.ending.handed_over
    queue = to if isinstance(to, ToQueue) else None
    if expected.outcome is not None and ending.outcome is not expected.outcome:
        yield _difference(written, "outcome", expected.outcome.value, ending.outcome.value, played)
    if expected.reason is not None and ending.reason != expected.reason:
        yield _difference(written, "reason", expected.reason, ending.reason or "none", played)
    if expected.queue is not None and (queue is None or queue.queue != expected.queue):
        yield _difference(written, "queue", expected.queue, queue.queue if queue else "none", played)
    if expected.site is not None and (queue is None or queue.site != expected.site):
        yield _difference(written, "site", expected.site, queue.site if queue else "none", played)
    if expected.transfer is not None:
        telephone = to.destination if isinstance(to, ToNumber) else None
        if telephone is None or expected.transfer not in (telephone.number, telephone.shown):
            shown = telephone.shown if telephone else "none"
            yield _difference(written, "transfer", expected.transfer, shown, played)


def _callback(written: Written, expected: Booked, desk: ScriptedDesk, setting: Setting) -> Iterator[Difference]:
    if not desk.booked:
        yield Difference(written.line("expect", "callback"), "expected a callback, none was booked")
        return
    booked, services = desk.booked[-1], setting.services
    if expected.queue is not None and booked.queue != expected.queue:
        yield _difference(written, "callback", expected.queue, booked.queue)
    if expected.number is not None:
        number = parse_number(expected.number, services.country) or expected.number
        if booked.number != number:
            yield _difference(written, "callback", number, booked.number)
    if expected.start is not None and booked.window.start != local(expected.start, services.zone):
        start = booked.window.start.astimezone(services.zone)
        yield _difference(written, "callback", f"{expected.start:%Y-%m-%dT%H:%M}", f"{start:%Y-%m-%dT%H:%M}")


def _notice(written: Written, expected: str, desk: ScriptedDesk, setting: Setting) -> Iterator[Difference]:
    number = parse_number(expected, setting.services.country) or expected
    promised = sorted({notice.number for notice in desk.notices})
    if number not in promised:
        yield _difference(written, "notice", number, " ".join(promised) or "none")


def _difference(
    written: Written, what: str, expected: str, found: str, played: PlayedThrough | None = None
) -> Difference:
    after = f"\n{_listing(played.heard)}" if played else ""
    return Difference(written.line("expect", what), f"{what}: expected {expected}, got {found}{after}")


def _heard(written: Written, expected: Sequence[Hears], heard: Sequence[Heard]) -> Iterator[Difference]:
    """The first place where what was heard is not what was expected, if there is one."""
    wrong = first_unheard(expected, heard)
    if wrong is None:
        return
    item, at = wrong
    line = written.line("expect", "heard", min(item, len(expected) - 1))
    wanted = f"expected {expected[item]}" if item < len(expected) else "expected no more"
    got = _shown(heard[at]) if at < len(heard) else "nothing more"
    yield Difference(line, f"{wanted}\nheard    {got}\n{_listing(heard, at)}")


def first_unheard(expected: Sequence[Hears], heard: Sequence[Heard]) -> tuple[int, int] | None:
    """Where the two part: positions in `expected` (its length: there is more than expected) and in `heard`; or None."""
    position, item, floating = 0, 0, False
    while item < len(expected):
        if expected[item].is_gap:
            floating, item = True, item + 1
            continue
        stretch = _stretch(expected, item)
        starts: Sequence[int] = range(position, len(heard) + 1) if floating else [position]
        matched = {start: _matching(expected[item : item + stretch], heard[start:]) for start in starts}
        if floating and item + stretch == len(expected):  # the last stretch ends where the call ends
            end = max(position, len(heard) - stretch)
            full = end if matched[end] == stretch else None
        else:
            end, full = position, next((start for start, length in matched.items() if length == stretch), None)
        if full is None:
            # What came closest tells most; who is there only too early is not what is missing.
            near = {start: length for start, length in matched.items() if length < stretch}
            best = max(near, key=lambda start: (near[start], start == end))
            return item + near[best], best + near[best]
        position, item, floating = full + stretch, item + stretch, False
    return (item, position) if position < len(heard) and not floating else None


def _stretch(expected: Sequence[Hears], item: int) -> int:
    """How many items follow each other without a gap."""
    return next((at for at, hears in enumerate(expected[item:]) if hears.is_gap), len(expected) - item)


def _matching(expected: Sequence[Hears], heard: Sequence[Heard]) -> int:
    """How many items from the start are heard one after another."""
    pairs = zip(expected, heard, strict=False)
    same = [_is(hears, sounded) for hears, sounded in pairs]
    return same.index(False) if False in same else len(same)


def _is(hears: Hears, sounded: Heard) -> bool:
    named = hears.prompt is None or hears.prompt == sounded.utterance.name
    said = hears.says is None or " ".join(hears.says.split()).lower() in sounded.utterance.text.lower()
    return named and said


def _listing(heard: Sequence[Heard], at: int | None = None) -> str:
    lines = [f"{'>' if number == at else ' '} {_shown(sounded)}" for number, sounded in enumerate(heard)]
    return "\n".join(["all that was heard:", *lines, *(["> (the end)"] if at == len(heard) else [])])


def _shown(sounded: Heard) -> str:
    words = sounded.utterance.text
    words = words if len(words) <= SHOWN_WORDS else words[:SHOWN_WORDS].rstrip() + "…"
    return f"{sounded.utterance.name}: {words}" if words else f"{sounded.utterance.name} (a recording)"
