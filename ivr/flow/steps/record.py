"""record: the call itself is recorded, or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from ivr.domain.contact import EventKind
from ivr.domain.recording import Purpose
from ivr.domain.speech import Utterance
from ivr.flow.dictation import shelf_of
from ivr.flow.expression_types import Names
from ivr.flow.names import PromptName
from ivr.flow.session import Session
from ivr.flow.step import Next, Result, Said, Step


class Record(Step):
    """Records the call from here on (`on`), or stops that for a while (`pause`) or for good (`off`).

    Nobody is recorded without knowing it: `on` names with `announced_by` the prompt that says
    so, and says it to the end, whatever is pressed, before anything is recorded; once in a
    call. `pause` is for what must not be kept, such as payment data; the next `on` goes on
    behind it in the same recording. What is on stays on in the queue and with the agent.

    ```yaml
    - record: { state: on, announced_by: recording_notice }
    - record: pause
    - record: off
    ```
    """

    kind: ClassVar[str] = "record"
    shorthand: ClassVar[str] = "state"

    state: Literal["on", "pause", "off"]
    announced_by: PromptName | None = None

    @model_validator(mode="after")
    def _announced(self) -> Record:
        if self.state == "on" and self.announced_by is None:
            raise _at("state", "nobody is recorded without knowing it; name the prompt that says so: 'announced_by: …'")
        if self.state != "on" and self.announced_by is not None:
            raise _at("announced_by", f"nothing is announced when recording is '{self.state}'; leave it out")
        return self

    def says(self, names: Names) -> Iterator[Said]:
        if self.announced_by is not None:
            yield Said(self.announced_by, ("announced_by",), {})

    def utterances(self, session: Session) -> Sequence[Utterance]:
        untold = self.announced_by is not None and session.call_tape is None
        return [session.utterance(str(self.announced_by))] if untold else []

    async def run(self, session: Session) -> Result:
        if self.state == "on":
            await session.tell(*self.utterances(session))
            session.call_tape = await shelf_of(session).tape(
                Purpose.CALL, session.contact_id, step=session.step, language=session.language
            )
            await session.channel.record_call(session.call_tape.ref)
        elif session.call_tape is None:
            return Next()
        else:
            await session.channel.stop_recording_call()
            if self.state == "off":
                shelf_of(session).keep(session.call_tape)
        session.log.note(EventKind.CALL_RECORDING, session.step, state=self.state, recording=session.call_tape.id)
        return Next()


def _at(setting: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("value", "{said}", {"said": message, "at": (setting,)})
