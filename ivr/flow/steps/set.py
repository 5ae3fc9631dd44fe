"""set: sets what the rest of the call goes by."""

from __future__ import annotations

from typing import ClassVar

from pydantic import model_validator

from ivr.domain.contact import Outcome
from ivr.domain.language import Language
from ivr.flow.session import Session
from ivr.flow.step import Next, Result, Step


class Set(Step):
    """Sets the language to speak from here on, or the outcome if the caller leaves from here on.

    Without it a customer is spoken to in their own language, anybody else in the
    organisation's; and a caller who leaves has abandoned the call.

    ```yaml
    - set: { language: en }
    - set: { outcome: told }
    ```
    """

    kind: ClassVar[str] = "set"

    language: Language | None = None
    outcome: Outcome | None = None

    @model_validator(mode="after")
    def _something(self) -> Set:
        if self.language is None and self.outcome is None:
            raise ValueError("set sets nothing; write language: or outcome:")
        return self

    async def run(self, session: Session) -> Result:
        if self.language:
            session.chosen_language = self.language
        if self.outcome:
            session.served = self.outcome
        return Next()
