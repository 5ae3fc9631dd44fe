"""notice: promises to call the caller when an outage is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from ivr.config.units import Seconds
from ivr.domain.contact import EventKind, Outcome
from ivr.domain.line import PhoneNumber, mask
from ivr.domain.outage import Outage, OutageNotice
from ivr.domain.speech import Utterance
from ivr.errors import StoreUnavailable
from ivr.flow.agreeing import MOMENT, OWN_TEXTS, WITH_NUMBER, Agreeing
from ivr.flow.expression_types import Names
from ivr.flow.meanwhile import meanwhile
from ivr.flow.names import BlockName
from ivr.flow.session import Session
from ivr.flow.step import Exit, GoTo, Next, Result, Step


class Notice(Step):
    """Promises to call the caller when the outages that concern them now are over.

    The number is read back, and confirmed with 1; who calls from a withheld number, or
    presses 2 to be called on another one, keys it in and ends it with `#`. Each question is
    asked `tries` times, with `timeout` for a key. Nothing is promised that is not stored. Who
    wants no call, whom nothing can be promised, or whom no outage concerns (any more), goes to
    `otherwise`; without it, like the others, on to the next step. When the outage is closed,
    they are called by the flow `callbacks.outage_flow`: see
    [Callbacks](callbacks.md#when-an-outage-is-over).

    ```yaml
    - notice:
    - notice: { otherwise: main }
    ```
    """

    kind: ClassVar[str] = "notice"
    shorthand: ClassVar[str] = "otherwise"
    takes_keys: ClassVar[bool] = True
    own_texts: ClassVar[Mapping[str, Names]] = {
        "notice_offer": {},
        "notice_confirmed": WITH_NUMBER,
        "notice_over": {},
        "notice_unavailable": {},
        **OWN_TEXTS,
    }

    otherwise: BlockName | None = None
    tries: Annotated[int, Field(ge=1, le=5)] = 2
    timeout: Annotated[Seconds, Field(gt=0, le=60)] = 5.0

    async def run(self, session: Session) -> Result:
        if await self._promise(session) or self.otherwise is None:
            return Next()
        return GoTo(self.otherwise)

    def exits(self) -> Sequence[Exit]:
        return [Exit(self.otherwise)] if self.otherwise else []

    def utterances(self, session: Session) -> Sequence[Utterance]:
        return [session.utterance("notice_offer")] if session.outages() else []

    async def _promise(self, session: Session) -> bool:
        """Whether a call was promised."""
        outages = session.outages()
        if not outages:
            return False
        number = await Agreeing(session, self.tries, self.timeout).number([session.utterance("notice_offer")])
        if number is None:
            return False
        try:
            promised = [outage for outage in outages if await self._store(session, outage, number)]
        except StoreUnavailable as error:
            session.log.note(EventKind.ERROR, session.step, error=type(error).__name__)
            await session.tell(session.utterance("notice_unavailable"))
            return False
        if not promised:
            await session.tell(session.utterance("notice_over"))
            return False
        session.served = Outcome.CALLBACK_BOOKED
        ids = [outage.id for outage in promised]
        session.log.note(EventKind.NOTICE_PROMISED, session.step, number=mask(number), outages=[*ids])
        await session.tell(session.utterance("notice_confirmed", number=number))
        return True

    async def _store(self, session: Session, outage: Outage, number: PhoneNumber) -> bool:
        """Whether the call is promised now: not when the outage has ended meanwhile. Raises StoreUnavailable."""
        customer = session.caller().customer
        notice = OutageNotice(
            outage_id=outage.id,
            number=number,
            language=session.language,
            contact_id=session.contact_id,
            customer_id=customer.id if customer else None,
        )
        return await meanwhile(session, session.services.callbacks.call_after(notice), MOMENT)
