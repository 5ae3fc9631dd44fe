"""outage: tells callers of the outages that concern them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ivr.domain.contact import EventKind, Outcome
from ivr.domain.outage import Outage as OpenOutage
from ivr.domain.speech import Utterance
from ivr.flow.expression_types import Names
from ivr.flow.expressions import tidy
from ivr.flow.names import BlockName
from ivr.flow.session import Session
from ivr.flow.step import GoTo, Next, Result, Step
from ivr.flow.views import view_outage

STANDARD = "outage_announcement"


class Outage(Step):
    """Tells the caller about each open outage in their region, of their products, once a call.

    It says the outage's own text in the caller's language, else the prompt
    `outage_announcement`, in which `outage` is the one that is told. When something was
    told the flow goes to `then`, if it is given; else on to the next step. A key may end it
    early where a menu follows.

    ```yaml
    - outage: { then: after_outage }
    ```
    """

    kind: ClassVar[str] = "outage"
    own_texts: ClassVar[Mapping[str, Names]] = {STANDARD: {}}

    then: BlockName | None = None

    async def run(self, session: Session) -> Result:
        untold = self._untold(session)
        for outage in untold:
            await session.announce(self._utterance(session, outage))
            session.told_outages.add(outage.id)
            session.served = session.served or Outcome.TOLD
            session.log.note(EventKind.OUTAGE_TOLD, session.step, outage=outage.id)
        return GoTo(self.then) if untold and self.then else Next()

    def utterances(self, session: Session) -> Sequence[Utterance]:
        return [self._utterance(session, outage) for outage in self._untold(session)]

    def leads_to(self, session: Session) -> Sequence[BlockName]:
        return [self.then] if self.then and self._untold(session) else []

    def _untold(self, session: Session) -> list[OpenOutage]:
        return [outage for outage in session.outages() if outage.id not in session.told_outages]

    def _utterance(self, session: Session, outage: OpenOutage) -> Utterance:
        language = session.language
        words = tidy(outage.text.get(language, ""))
        if words:
            return Utterance(f"outage-{outage.id}", language, words)
        view = view_outage(outage, told=False, zone=session.services.zone)
        said = session.utterance(STANDARD, outage=view)
        return Utterance(said.name, said.language, said.text)
