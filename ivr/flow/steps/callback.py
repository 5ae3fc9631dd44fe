"""callback: offers to call the caller back, in a window that they choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from ivr.config.units import Seconds
from ivr.domain.callback import CallbackRequest, Window
from ivr.domain.contact import EventKind, Outcome
from ivr.domain.line import PhoneNumber, mask
from ivr.domain.speech import Utterance
from ivr.errors import StoreUnavailable, WindowFull
from ivr.flow.agreeing import MOMENT, OWN_TEXTS, WITH_NUMBER, Agreeing
from ivr.flow.expression_types import Names
from ivr.flow.meanwhile import meanwhile
from ivr.flow.names import BlockName, QueueName
from ivr.flow.session import Session
from ivr.flow.step import Exit, GiveUp, GoTo, Next, Result, Step
from ivr.flow.views import WindowView, view_window

WINDOWS_OFFERED = 3
WITH_WINDOW: Names = {"window": WindowView}


class Callback(Step):
    """Offers up to three windows in which `queue` can call back, and books the one that is chosen.

    The number is read back; who calls from a withheld number, or wants to be called on
    another one, keys it in and ends it with `#`. After booking the flow goes on with the
    next step. When nothing can be promised, or the caller makes no usable choice in `tries`
    attempts, each waiting `timeout` for a key, it goes to `otherwise`; without it, to the
    flow's `otherwise`. Nothing is promised that is not stored.

    ```yaml
    - callback: { queue: support, otherwise: person }
    ```
    """

    kind: ClassVar[str] = "callback"
    shorthand: ClassVar[str] = "queue"
    takes_keys: ClassVar[bool] = True
    own_texts: ClassVar[Mapping[str, Names]] = {
        "callback_offer": {},
        "callback_window": {"key": str, **WITH_WINDOW},
        "callback_full": {},
        "callback_none": {},
        "callback_unavailable": {},
        "callback_confirmed": {**WITH_NUMBER, **WITH_WINDOW},
        **OWN_TEXTS,
    }

    queue: QueueName
    otherwise: BlockName | None = None
    tries: Annotated[int, Field(ge=1, le=5)] = 3
    timeout: Annotated[Seconds, Field(gt=0, le=60)] = 5.0

    async def run(self, session: Session) -> Result:
        try:
            booked = await self._book(session)
        except StoreUnavailable as error:
            session.log.note(EventKind.ERROR, session.step, error=type(error).__name__)
            await session.tell(session.utterance("callback_unavailable"))
            booked = False
        if booked:
            return Next()
        return GoTo(self.otherwise) if self.otherwise else GiveUp()

    def exits(self) -> Sequence[Exit]:
        return [Exit(self.otherwise, gives_up=self.otherwise is None)]

    def utterances(self, session: Session) -> Sequence[Utterance]:
        return [session.utterance("callback_offer")]

    async def _book(self, session: Session) -> bool:
        """Whether a promise was made. Raises StoreUnavailable."""
        agreeing = Agreeing(session, self.tries, self.timeout)
        number: PhoneNumber | None = None
        opening = [session.utterance("callback_offer")]
        for _ in range(self.tries):
            windows = await meanwhile(session, session.services.callbacks.windows(self.queue, WINDOWS_OFFERED), MOMENT)
            if not windows:
                await session.tell(session.utterance("callback_none"))
                return False
            window = await self._choose(agreeing, opening, windows)
            number = number or (await agreeing.number() if window else None)
            if window is None or number is None:
                return False
            request = self._request(session, number, window)
            try:
                await meanwhile(session, session.services.callbacks.book(request), MOMENT)
            except WindowFull:
                opening = [session.utterance("callback_full")]
                continue
            await self._confirm(session, request)
            return True
        return False

    async def _choose(
        self, agreeing: Agreeing, opening: Sequence[Utterance], windows: Sequence[Window]
    ) -> Window | None:
        """The window the caller chooses, or None."""
        session, zone = agreeing.session, agreeing.session.services.zone
        offered = {str(position): window for position, window in enumerate(windows, start=1)}
        offers = [
            session.utterance("callback_window", key=key, window=view_window(window, zone))
            for key, window in offered.items()
        ]
        starts = [window.start.isoformat() for window in windows]
        session.log.note(EventKind.CALLBACK_OFFERED, session.step, windows=[*starts])
        key = await agreeing.key([*opening, *offers], "".join(offered))
        return offered.get(key)

    def _request(self, session: Session, number: PhoneNumber, window: Window) -> CallbackRequest:
        customer = session.caller().customer
        return CallbackRequest(
            number=number,
            window=window,
            queue=self.queue,
            language=session.language,
            contact_id=session.contact_id,
            customer_id=customer.id if customer else None,
            reason=session.reason,
        )

    async def _confirm(self, session: Session, request: CallbackRequest) -> None:
        session.served = Outcome.CALLBACK_BOOKED
        start, end = request.window.start.isoformat(), request.window.end.isoformat()
        session.log.note(EventKind.CALLBACK_BOOKED, session.step, number=mask(request.number), start=start, end=end)
        window = view_window(request.window, session.services.zone)
        await session.tell(session.utterance("callback_confirmed", number=request.number, window=window))
