"""menu: a question that is answered with one key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from ivr.config.units import Seconds
from ivr.domain.contact import EventKind
from ivr.domain.speech import Utterance
from ivr.errors import ExpressionFailed
from ivr.flow.expression_types import Complaint, Names
from ivr.flow.expressions import Expression
from ivr.flow.keys import Key
from ivr.flow.kinds import bare, called, is_list
from ivr.flow.menu_order import likeliest_first, with_keys
from ivr.flow.names import BlockName, PromptName
from ivr.flow.session import Session
from ivr.flow.step import Exit, GiveUp, GoTo, Loc, Result, Said, Settings, Step
from ivr.flow.steps.say import PromptNames

WRONG_KEY = "menu_wrong_key"
WITH_KEY: Names = {"key": str}
NO_WEIGHTS = (str, date, datetime, time)


class Option(Settings):
    """What a key does. `when`: it is offered only then. `say`: how it is offered, if the menu's prompt does not."""

    shorthand: ClassVar[str] = "goto"

    goto: BlockName
    say: PromptName | None = None
    reason: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    when: Expression | None = None


class ListedOption(Option):
    """An option in a list. Without a `key` it gets one. `likely`: its weight where the order is by likelihood."""

    key: Key | None = None
    likely: Expression | None = None


def _form(written: Any) -> str:
    return "list" if isinstance(written, list | tuple) else "table"


Options = Annotated[
    Annotated[dict[Key, Option], Field(min_length=1), Tag("table")]
    | Annotated[tuple[ListedOption, ...], Field(min_length=1), Tag("list")],
    Discriminator(_form),
]


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

    Options can be a list instead. Then those without a `key` get 1, 2, 3 … as they are
    announced, without those that are not offered, and their `say` tells which: its text has
    `{{ key }}` (`Voor uw bestelling, kies {{ key }}.`). With `order: likely` they are announced
    by their weight `likely`, a number or an expression, the heaviest first; those with a `key`
    follow, in the order they are written. `order: fixed` is the default. What is kept as
    `answers.<block>` is then not the key but the block that was chosen; and a key that is
    pressed before a `likely` menu speaks only counts if it is written there.

    ```yaml
    - menu:
        prompt: main_menu
        order: likely
        options:
          - { goto: order, say: option_order, when: caller.open_orders, likely: 5 }
          - { goto: support, say: option_support, likely: 9 if outage.told else 3 }
          - { goto: invoice, say: option_invoice }
          - { goto: person, say: option_person, key: "0" }
    ```
    """

    kind: ClassVar[str] = "menu"
    takes_keys: ClassVar[bool] = True
    goes_on: ClassVar[bool] = False
    own_texts: ClassVar[Mapping[str, Names]] = {WRONG_KEY: {}}

    prompt: PromptNames
    options: Options
    order: Literal["fixed", "likely"] = "fixed"
    timeout: Annotated[Seconds, Field(gt=0, le=60)] = 5.0
    tries: Annotated[int, Field(ge=1, le=5)] = 2
    no_input: BlockName | None = None

    @model_validator(mode="after")
    def _can_be_offered(self) -> Menu:
        if isinstance(self.options, dict):
            if self.order == "likely":
                message = "the keys are written, so they cannot follow an order; write the options as a list"
                raise PydanticCustomError("value", "{said}", {"said": message, "at": ("order",)})
            return self
        seen: dict[str, int] = {}
        for position, option in enumerate(self.options):
            if option.key is None and option.say is None:
                _refuse(position, "goto", "an option that is given its key must tell it; add 'say: …'")
            if option.key is not None and option.key in seen:
                _refuse(position, "key", f"'{option.key}' is the key of another option too")
            if option.likely is not None and self.order == "fixed":
                _refuse(position, "likely", "a weight changes nothing in a fixed order; write 'order: likely'")
            if option.likely is not None and option.key is not None:
                _refuse(position, "likely", "an option with a key of its own stays last; leave out 'likely' or 'key'")
            if option.key is not None:
                seen[option.key] = position
        with_keys([option.key for option in self.options])
        return self

    async def run(self, session: Session) -> Result:
        first: list[Utterance] = []
        if self.order == "likely":
            session.typed[:] = [key for key in session.typed if key in self._written_keys]
        for _ in range(self.tries):
            offered = self._offered(session)
            if not offered:
                break
            utterances = [*first, *self._utterances(session, offered)]
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

    def all_options(self) -> Sequence[Option]:
        """Every option, whichever way they are written."""
        return tuple(self.options.values()) if isinstance(self.options, dict) else self.options

    def exits(self) -> Sequence[Exit]:
        by_key = [Exit(option.goto, by_caller=True) for option in self.all_options()]
        return [*by_key, Exit(self.no_input, gives_up=self.no_input is None)]

    def says(self, names: Names) -> Iterator[Said]:
        for position, prompt in enumerate(self.prompt):
            yield Said(prompt, ("prompt", position), {})
        options = self.options.items() if isinstance(self.options, dict) else enumerate(self.options)
        for at, option in options:
            if option.say:
                gets_key = isinstance(option, ListedOption) and option.key is None
                loc, must_say = ("options", at, "say"), "key" if gets_key else ""
                yield Said(option.say, loc, WITH_KEY, must_say=must_say, when=option.when)
        yield Said(WRONG_KEY, (), {})

    def complaints(self, names: Names) -> Iterator[tuple[Loc, Complaint]]:
        yield from super().complaints(names)
        for position, option in enumerate(() if isinstance(self.options, dict) else self.options):
            if option.likely is not None:
                kind = bare(option.likely.examine(names).kind)
                if is_list(kind) or (isinstance(kind, type) and issubclass(kind, NO_WEIGHTS)):
                    hint = f"write such as 5 if {option.likely.source} else 1"
                    yield ("options", position, "likely"), Complaint("", f"{called(kind)} is not a weight", hint)

    def utterances(self, session: Session) -> Sequence[Utterance]:
        return self._utterances(session, self._offered(session))

    def leads_to(self, session: Session) -> Sequence[BlockName]:
        return [option.goto for option in self._offered(session).values()]

    @property
    def _written_keys(self) -> str:
        if isinstance(self.options, dict):
            return "".join(self.options)
        return "".join(option.key for option in self.options if option.key)

    def _utterances(self, session: Session, offered: Mapping[str, Option]) -> list[Utterance]:
        offers = [session.offer(option.say, key) for key, option in offered.items() if option.say]
        return [*(session.utterance(prompt) for prompt in self.prompt), *offers]

    def _offered(self, session: Session) -> dict[str, Option]:
        """The options for this caller by their keys, in the order they are announced."""
        if isinstance(self.options, dict):
            return {key: option for key, option in self.options.items() if session.holds(option.when)}
        mine = [option for option in self.options if session.holds(option.when)]
        if self.order == "likely":
            free = [option for option in mine if option.key is None]
            ranked = likeliest_first(free, [_weight(option, session) for option in free])
            mine = [*ranked, *(option for option in mine if option.key is not None)]
        # Keys that other options keep for themselves are not given out, also when those are not offered now.
        keys = with_keys([option.key for option in mine] + [*self._written_keys])
        return dict(zip(keys, mine, strict=False))

    def _choose(self, session: Session, key: str, option: Option) -> Result:
        if isinstance(option, ListedOption):
            session.log.note(EventKind.DIGITS, session.step, keys=key, option=option.goto)
            session.answers[session.block] = option.goto
        else:
            session.log.note(EventKind.DIGITS, session.step, keys=key)
            session.answers[session.block] = key
        if option.reason:
            session.record_reason(option.reason)
        return GoTo(option.goto)


def _weight(option: ListedOption, session: Session) -> float:
    """What an option weighs for this caller; nothing when that cannot be told."""
    if option.likely is None:
        return 0.0
    try:
        return float(option.likely.value(session.values()))
    except (ExpressionFailed, TypeError, ValueError):
        return 0.0


def _refuse(position: int, field: str, message: str) -> None:
    raise PydanticCustomError("value", "{said}", {"said": message, "at": ("options", position, field)})
