"""A recorded caller: does at each question what the journal says they did there, also when the flow has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ivr.domain.contact import ContactEvent, EventKind, Json
from ivr.domain.hand_over import HandOver
from ivr.domain.recording import Take
from ivr.domain.speech import Audio
from ivr.errors import CallerHungUp
from ivr.ports import Clock
from ivr.simulation.recording import INPUT, NO_KEY, SECRET, kind_of, shown_keys
from ivr.simulation.scripted_channel import REACTION, Act, Heard
from ivr.simulation.spoken_prompts import SpokenPrompts
from ivr.simulation.transcript import Noted


@dataclass(frozen=True, slots=True)
class Answer:
    """What was keyed in at a step, '' for nothing.

    `during`: the step and the prompt that sounded, when it was one.
    """

    step: str
    keys: str
    during: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a caller did: their answers in order, and the step and prompt in which they left, if they did.

    `spoken` are the steps at which they were recorded, and how that went.
    """

    answers: Sequence[Answer]
    left: tuple[str, str] | None = None
    spoken: Sequence[tuple[str, Take]] = ()

    @classmethod
    def of(cls, events: Iterable[ContactEvent]) -> Behaviour:
        """What the events of a call say. A key that cut a prompt off is there twice: there, and when it counts."""
        answers: list[Answer] = []
        early: list[tuple[tuple[str, str], str]] = []
        spoken: list[tuple[str, Take]] = []
        for event in events:
            keys, prompt = event.detail.get("keys"), str(event.detail.get("prompt", ""))
            match event.kind:
                case EventKind.PROMPT if event.detail.get("hung_up"):
                    return cls(answers, (event.step, prompt), spoken)
                case EventKind.PROMPT if event.detail.get("key"):
                    early.append(((event.step, prompt), str(event.detail["key"])))
                case EventKind.NO_INPUT if early and early[0][0][0] == event.step:
                    answers.append(Answer(event.step, "#", early.pop(0)[0]))  # the end of keys, and no others
                case EventKind.NO_INPUT:
                    answers.append(Answer(event.step, ""))
                case EventKind.DIGITS | EventKind.WRONG_INPUT:
                    during, key = early.pop(0) if early else (None, None)
                    told = NO_KEY if keys is None and key is None else str(key if keys is None else keys)
                    answers.append(Answer(event.step, shown_keys(told), during))
                case EventKind.RECORDED:
                    spoken.append((event.step, _take(event.detail)))
                case EventKind.HUNG_UP:
                    return cls(answers, (event.step, ""), spoken)
                case EventKind.QUEUED | EventKind.TRANSFERRED:
                    break
        return cls(answers, None, spoken)


def _take(detail: Mapping[str, Json]) -> Take:
    # What was too little to keep is too little again.
    seconds = detail.get("seconds") if detail.get("kept") else 0
    return Take(float(str(seconds)), str(detail.get("key", "")), bool(detail.get("hung_up")))


@dataclass
class RecordedCaller:
    """Behaves so (an `ivr.simulation.play_through.HeardChannel`); `follow` has to be told of everything that is noted.

    Who is asked what they were never asked is not made to answer: the call ends there, and `unanswered` is the step;
    or `unknown`, what is not in the journal.
    """

    clock: Clock
    prompts: SpokenPrompts
    behaviour: Behaviour
    heard: list[Heard] = field(default_factory=list)
    not_done: Sequence[Act] = ()
    unanswered: str = ""
    unknown: str = ""

    def __post_init__(self) -> None:
        self._answers = list(self.behaviour.answers)
        self._spoken = list(self.behaviour.spoken)
        self._start = self.clock.monotonic()
        self._step = ""
        self._keys = ""
        self._is_keying = False
        self._left = False

    def follow(self, noted: Noted) -> None:
        """Know which step it is, and when an answer was taken."""
        if noted.kind is EventKind.STEP:
            self._step = noted.step
        if noted.kind in INPUT or noted.kind is EventKind.STEP:
            self._keys, self._is_keying = "", False

    async def answer(self) -> None:
        """Be answered."""

    async def play(self, audio: Audio, *, keys: str = "") -> str:
        """Hear an audio, to where it was cut off."""
        self._check()
        self._keys, self._is_keying = "", False  # who hears something has keyed what they keyed
        utterance, at = self.prompts.said(audio), self.clock.monotonic() - self._start
        here = (self._step, utterance.name)
        cut = next((answer for answer in self._answers if answer.during == here), None)
        key = cut.keys[0] if cut is not None and cut.keys and cut.keys[0] in keys else ""
        if cut is not None and key:
            self._take(cut)
            self._keys = self._keys[1:]
        leaves = self.behaviour.left == here and not any(answer.step == self._step for answer in self._answers)
        seconds = min(REACTION, audio.seconds) if key or leaves else audio.seconds
        await self.clock.sleep(seconds)
        self.heard.append(Heard(at, utterance, seconds, key))
        if leaves:
            self._leave()
        return key

    async def wait_for_key(self, seconds: float) -> str:
        """The key that was pressed at this question."""
        self._check()
        if not self._is_keying:
            answer = next((answer for answer in self._answers if answer.step == self._step), None)
            if answer is None:
                if kind_of(self._step) in SECRET:
                    self.unknown = f"what was keyed at {self._step}"
                elif not (self.behaviour.left and self.behaviour.left[0] == self._step):
                    self.unanswered = self._step
                self._leave()
            else:
                self._take(answer)
            if not self._keys:
                self._is_keying = False
                await self.clock.sleep(seconds)
                return ""
        await self.clock.sleep(min(REACTION, seconds))
        # The journal leaves out the key that ended several.
        key, self._keys = self._keys[:1] or "#", self._keys[1:]
        return key

    async def pause(self, seconds: float, *, keys: str = "") -> str:
        """Let the time pass; a key that ended it is in the journal where it counted."""
        self._check()
        await self.clock.sleep(seconds)
        return ""

    async def hand_over(self, to: HandOver) -> None:
        """Go elsewhere."""
        self._check()

    async def hang_up(self) -> None:
        """Be hung up on."""
        self._check()

    async def record(self, ref: str, *, most: float, silence: float, keys: str = "") -> Take:
        """Speak as long as at this step then."""
        self._check()
        found = next((each for each in self._spoken if each[0] == self._step), None)
        if found is None:
            self.unanswered = self._step
            self._leave()
            raise CallerHungUp
        self._spoken.remove(found)
        await self.clock.sleep(found[1].seconds)
        self._left = found[1].hung_up
        return found[1]

    async def record_call(self, ref: str) -> None:
        """Be recorded."""
        self._check()

    async def stop_recording_call(self) -> None:
        """Be recorded no longer."""
        self._check()

    def _take(self, answer: Answer) -> None:
        self._answers.remove(answer)
        self._keys = answer.keys
        # A key that was pressed before its question waits there, and is not gone on with here.
        self._is_keying = answer.step == self._step

    def _leave(self) -> None:
        self._left = True
        raise CallerHungUp

    def _check(self) -> None:
        if self._left:
            raise CallerHungUp
