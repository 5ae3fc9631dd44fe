"""identify: finds out by what the caller keys which customer they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from ivr.config.units import Seconds
from ivr.domain.capability import Capability
from ivr.domain.contact import EventKind
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.speech import Utterance
from ivr.errors import ConnectorError
from ivr.flow import keyed
from ivr.flow.expression_types import Names
from ivr.flow.meanwhile import meanwhile
from ivr.flow.names import BlockName
from ivr.flow.session import Session
from ivr.flow.step import Exit, GiveUp, GoTo, Kept, Next, Result, Step

NUMBER, POSTCODE, FAILED, MOMENT = "identify_number", "identify_postcode", "identify_failed", "lookup_moment"
POSTCODE_DIGITS = 4


class Identify(Step):
    """Asks a caller whose line nobody knows for their customer number and the four digits of their postcode.

    When both belong to one customer, that customer is the caller from here on, as if their
    line had told it: `caller.known` is true. If not, the caller hears `identify_failed` and may
    try again, `tries` times in a call. Who fails, keys nothing within `timeout`, or cannot be
    found because no system answers, goes to `otherwise`; without it, to the flow's `otherwise`. Who is
    known already is not asked, unless `anyway` is written: for who calls about somebody else.
    It proves no more than what was keyed; `verify` asks for other facts. `prefix` is what stands before
    the digits of every customer number. What was keyed is not written down.

    ```yaml
    - identify:
    - identify: { prefix: K, anyway: true, otherwise: person }
    ```
    """

    kind: ClassVar[str] = "identify"
    takes_keys: ClassVar[bool] = True
    own_texts: ClassVar[Mapping[str, Names]] = {NUMBER: {}, POSTCODE: {}, FAILED: {}, MOMENT: {}}

    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9./-]{0,10}$")] = ""
    anyway: bool = False
    tries: Annotated[int, Field(ge=1, le=5)] = 2
    timeout: Annotated[Seconds, Field(gt=0, le=60)] = 5.0
    otherwise: BlockName | None = None

    async def run(self, session: Session) -> Result:
        if session.customer is not None and not self.anyway:
            return Next()
        while session.failed_proofs < self.tries:
            number = await session.digits([session.utterance(NUMBER)], most=keyed.LONGEST, seconds=self.timeout)
            question = [session.utterance(POSTCODE)]
            postcode = await session.digits(question, most=POSTCODE_DIGITS, seconds=self.timeout) if number else ""
            if not postcode:
                break
            identity = Identity(IdentityKind.CUSTOMER_NUMBER, self.prefix + number)
            try:
                found = await meanwhile(session, session.enquiry.recognise(identity, postcode), MOMENT)
            except ConnectorError as error:
                session.log.note(EventKind.RECOGNISED, session.step, passed=False, error=type(error).__name__)
                break
            session.log.note(EventKind.RECOGNISED, session.step, passed=found)
            if found:
                return Next()
            session.failed_proofs += 1
            await session.tell(session.utterance(FAILED))
        return GoTo(self.otherwise) if self.otherwise else GiveUp()

    def exits(self) -> Sequence[Exit]:
        return [Exit(self.otherwise, gives_up=self.otherwise is None)]

    def keeps(self, block: BlockName, names: Names) -> Iterator[Kept]:
        yield from ()

    def asks(self) -> frozenset[Capability]:
        return frozenset({Capability.FIND_CUSTOMER})

    def utterances(self, session: Session) -> Sequence[Utterance]:
        return [session.utterance(NUMBER)] if session.customer is None or self.anyway else []
