"""menu: a question that is answered with one key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from ivr.config.units import Seconds
from ivr.domain.contact import EventKind
from ivr.domain.speech import Utterance
from ivr.flow.expression_types import Names
from ivr.flow.expressions import Expression
from ivr.flow.names import BlockName, PromptName
from ivr.flow.session import ALL_KEYS, Session
from ivr.flow.step import Exit, GiveUp, GoTo, Result, Settings, Step
from ivr.flow.steps.say import PromptNames

WRONG_KEY = "menu_wrong_key"


def _key(text: str) -> str:
    if len(text) != 1 or text not in ALL_KEYS:
        raise ValueError(f'\'{text}\' is not a key; the keys are 0 to 9, "*" and "#"')
    return text


Key = Annotated[str, AfterValidator(_key)]


class Option(Settings):
    """What a key does. `when`: it is offered only then. `say`: how it is offered, if the menu's prompt does not."""

    shorthand: ClassVar[str] = "goto"

    goto: BlockName
    say: PromptName | None = None
    reason: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    when: Expression | None = None


class Menu(Step):
    """Asks for one key, and goes where it leads.

    `prompt` is said, then each option's `say`, in the order they are written. A key ends the
    speaking at once. Who presses nothing within `timeout` after it, or a key that is not
    offered, is asked again, `tries` times in all, and then goes to `no_input`; without it, to
    the flow's `otherwise`. The key is kept as `answers.<block>`, its `reason` recorded.

    ```yaml
    - menu:
        prompt: main_menu
        timeout: 5s
        tries: 2
        options:
          "1": { goto: support, reason: support }
          "2": { goto: order, say: main_menu_order, when: caller.open_orders }
          "0": person
        no_input: person
    ```
    """

    kind: ClassVar[str] = "menu"
    takes_keys: ClassVar[bool] = True
    goes_on: ClassVar[bool] = False
    own_texts: ClassVar[Mapping[str, Names]] = {WRONG_KEY: {}}

    prompt: PromptNames
    options: Annotated[dict[Key, Option], Field(min_length=1)]
    timeout: Annotated[Seconds, Field(gt=0, le=60)] = 5.0
    tries: Annotated[int, Field(ge=1, le=5)] = 2
    no_input: BlockName | None = None

    async def run(self, session: Session) -> Result:
        first: list[Utterance] = []
        for _ in range(self.tries):
            offered = self._offered(session)
            if not offered:
                break
            utterances = [*first, *self.utterances(session)]
            key = await session.key(utterances, wanted="".join(offered), seconds=self.timeout)
            if key in offered:
                return self._choose(session, key, offered[key])
            if key:
                session.log.note(EventKind.WRONG_INPUT, session.step, keys=key)
                first = [session.utterance(WRONG_KEY)]
            else:
                session.log.note(EventKind.NO_INPUT, session.step)
                first = []
        return GoTo(self.no_input) if self.no_input else GiveUp()

    def exits(self) -> Sequence[Exit]:
        by_key = [Exit(option.goto, by_caller=True) for option in self.options.values()]
        return [*by_key, Exit(self.no_input, gives_up=self.no_input is None)]

    def utterances(self, session: Session) -> Sequence[Utterance]:
        offers = [option.say for option in self._offered(session).values() if option.say]
        return [session.utterance(prompt) for prompt in (*self.prompt, *offers)]

    def leads_to(self, session: Session) -> Sequence[BlockName]:
        return [option.goto for option in self._offered(session).values()]

    def _offered(self, session: Session) -> dict[str, Option]:
        return {key: option for key, option in self.options.items() if session.holds(option.when)}

    def _choose(self, session: Session, key: str, option: Option) -> Result:
        session.log.note(EventKind.DIGITS, session.step, keys=key)
        session.answers[session.block] = key
        if option.reason:
            session.record_reason(option.reason)
        return GoTo(option.goto)
