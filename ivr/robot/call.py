"""A call of the robot: what its user does with it, and everything that was heard in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ivr.errors import CallFailed, PromptNotHeard
from ivr.robot import sdp
from ivr.robot.dtmf import seconds_for
from ivr.robot.g711 import Samples
from ivr.robot.hearing import Ear, Heard
from ivr.robot.media import MediaPort
from ivr.robot.prompts import KnownPrompts
from ivr.robot.rtp import RATE, TOLERANCE
from ivr.robot.sip_event import Answered, Ended, Event, LegState, Offered, Ringing
from ivr.robot.sip_leg import Leg

CODECS = (sdp.Codec.PCMA, sdp.Codec.PCMU)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyPress:
    """Keys, when the first went down and when the last was let go, in seconds since the answer."""

    keys: str
    at: float
    until: float


class Call:
    """A call that was placed or that came in. Times are seconds since the answer; limits are seconds.

    `caller` and `called` are the user parts of the two SIP addresses. `keys_pressed` are
    ours, `keys_heard` the other side's.
    """

    def __init__(
        self,
        leg: Leg,
        media: MediaPort,
        known: KnownPrompts,
        *,
        caller: str,
        called: str,
        clock: Callable[[], float],
        flush: Callable[[], None],
    ) -> None:
        self.caller = caller
        self.called = called
        self.begun_at = clock()
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.end: Ended | None = None
        self.rings = False
        self.keys_pressed: list[KeyPress] = []
        self.keys_heard: list[KeyPress] = []
        self.media = media
        self.ear = Ear(known)
        self.leg = leg
        self._known = known
        self._clock = clock
        self._flush = flush
        self._change = asyncio.Event()
        self._offer: bytes | None = None
        self._version = 1
        self._peer: sdp.Media | None = None
        media.on_key = self._on_key

    # --- what the user does ----------------------------------------------------------------------------------------

    async def answered(self, limit: float) -> None:
        """Wait until the call is up.

        Raises:
            CallFailed: it was refused, or nobody answered in time.
        """

        def up() -> bool | None:
            if self.end is not None and self.answered_at is None:
                raise CallFailed(f"{self.end.status} {self.end.reason}")
            return True if self.answered_at is not None else None

        if not await self._until(up, limit):
            raise CallFailed(f"not answered within {limit:g} s")

    def ring(self) -> None:
        """Tell the caller that it rings here."""
        self.leg.ring(self._clock())
        self._flush()

    def answer(self) -> None:
        """Pick up a call that came in.

        Raises:
            CallFailed: the two sides have no sound in common.
        """
        self._accept_offer()
        self._flush()

    def reject(self, status: int = 486) -> None:
        """Refuse a call that came in: busy 486, declined 603, unavailable 480 or 503."""
        self.leg.reject(status, self._clock())
        self._flush()

    async def press(self, keys: str) -> None:
        """Press keys (`0-9*#A-D`), one after the other, and wait until they are sent.

        Raises:
            CallFailed: the call is not up, or the other side takes no keys.
            ValueError: there is no such key.
        """
        if self.leg.state is not LegState.UP:
            raise CallFailed("keys can only be pressed while the call is up")
        if not self.media.takes_keys:
            raise CallFailed("the other side takes no telephone events")
        self.media.press(keys)
        self.keys_pressed.append(KeyPress(keys, round(self.seconds, 3), round(self.seconds + seconds_for(keys), 3)))
        await self._until(lambda: None if self.media.busy and self.end is None else True, 1 + 0.4 * len(keys))

    def say(self, samples: Samples) -> None:
        """Let the other side hear a sound, 8 kHz, 16 bits, after what is already being said."""
        self.media.say(samples)

    async def hears(self, name: str, limit: float, *, after: Heard | None = None, over: bool = False) -> Heard:
        """Wait until a prompt is recognised; with `over`, until it has ended. With `after`, one that came later.

        Raises:
            PromptNotHeard: it did not come in time, or the call ended first.
        """

        def found() -> Heard | None:
            for heard in self.ear.heard:
                later = after is None or heard.start > after.start
                if heard.is_called(name) and later and (heard.over or not over):
                    return heard
            return None

        def found_or_over() -> Heard | Ended | None:
            return found() or self.end

        heard = await self._until(found_or_over, limit)
        if not isinstance(heard, Heard):
            why = "the call ended first" if self.end else f"not within {limit:g} s"
            others = ", ".join(heard.prompt for heard in self.ear.heard) or "nothing"
            raise PromptNotHeard(f"{name}: {why}; heard: {others}")
        return heard

    async def ended(self, limit: float) -> Ended:
        """Wait until the call is over. Raises CallFailed when it is not in time."""
        end = await self._until(lambda: self.end, limit)
        if end is None:
            raise CallFailed(f"not over within {limit:g} s")
        return end

    async def hang_up(self) -> None:
        """End the call, answered or not, and wait until it is over; at once when it is already."""
        self.leg.hang_up(self._clock())
        self._flush()
        await self._until(lambda: self.end, 2.0)

    async def changed(self, limit: float) -> None:
        """Wait until something happens in the call, at most `limit` seconds."""
        try:
            async with asyncio.timeout(limit):
                await self._change.wait()
        except TimeoutError:
            return

    async def _until(self, ready: Callable[[], T | None], limit: float) -> T | None:
        """The first value of `ready` that is not None, or None when the limit passes without one."""
        last = self._clock() + limit
        while (value := ready()) is None and self._clock() < last:
            await self.changed(last - self._clock())
        return value

    # --- what was heard --------------------------------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        """Seconds since the answer; 0 before it."""
        return self._clock() - self.answered_at if self.answered_at is not None else 0.0

    @property
    def heard(self) -> list[Heard]:
        """The prompts that were recognised so far, in order."""
        return self.ear.heard

    @property
    def origin(self) -> int:
        """The sample of the media's timeline at which the call was answered."""
        moment = self.answered_at if self.answered_at is not None else self._clock()
        return round((moment - self.media.opened_at) * RATE)

    @property
    def horizon(self) -> int:
        """The sample of the timeline up to which all has come that will come."""
        moment = self.ended_at if self.ended_at is not None else self._clock()
        return max(self.media.timeline.end, round((moment - self.media.opened_at) * RATE) - TOLERANCE)

    @property
    def recording(self) -> Samples:
        """What the robot heard, from the answer to the end; silence where nothing came."""
        return self.media.timeline.samples(self.origin, max(self.horizon, self.origin))

    # --- what the user agent does ----------------------------------------------------------------------------------

    def on_event(self, event: Event) -> None:
        """The signalling says that something happened.

        Raises:
            CallFailed: the other side answered with sound that we cannot take part in.
        """
        if isinstance(event, Ringing):
            self.rings = True
        elif isinstance(event, Offered):
            self._offer = event.body
            if self.leg.state is LegState.UP:
                self._accept_offer()
        elif isinstance(event, Answered):
            self.answered_at = self._clock()
            if event.body:
                self._direct(sdp.read(event.body), keys_in=sdp.OUR_KEYS)
        else:
            self.end, self.ended_at = event, self._clock()
            self.media.close()
            self.ear.finish(self.media.timeline, self.horizon)
        self.notify()

    def offer(self) -> bytes:
        """Our session description."""
        return sdp.write(self.host, self.media.port, CODECS, keys=sdp.OUR_KEYS, version=self._version)

    def tick(self, *, listen: bool) -> None:
        """20 ms passed: send what is due, and listen now and then."""
        busy = self.media.busy
        self.media.tick()
        changed = busy and not self.media.busy
        if listen and self.answered_at is not None:
            self._known.renew(self._clock())
            changed = self.ear.listen(self.media.timeline, self.horizon) or changed
        if changed:
            self.notify()

    def notify(self) -> None:
        """Wake those who wait for something to happen."""
        self._change.set()
        self._change = asyncio.Event()

    @property
    def host(self) -> str:
        """The address at which our sound is received."""
        return self.media.host

    def _accept_offer(self) -> None:
        offer, self._offer = self._offer, None
        if offer is None:
            return
        self._version += 1
        if not offer:
            # An INVITE without a description asks for our offer; the answer would come in the ACK, which is not read.
            self.leg.reject(488, self._clock())
            raise CallFailed("the other side makes no offer")
        try:
            peer = sdp.read(offer)
        except CallFailed:
            self.leg.reject(488, self._clock())
            raise
        shared = tuple(codec for codec in peer.codecs if codec in CODECS)[:1]
        self._direct(peer, keys_in=peer.keys)
        answer = sdp.write(self.host, self.media.port, shared, keys=peer.keys, version=self._version)
        self.leg.accept(answer, self._clock())

    def _direct(self, peer: sdp.Media, *, keys_in: int | None) -> None:
        self.media.direct(peer, ours=CODECS, keys_in=keys_in)

    def _on_key(self, key: str, at: float) -> None:
        began = at + self.media.opened_at - (self.answered_at or self.media.opened_at)
        self.keys_heard.append(KeyPress(key, round(began, 3), round(began + seconds_for(key), 3)))
        self.notify()
