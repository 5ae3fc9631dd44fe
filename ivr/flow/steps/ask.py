"""ask: a question that is answered with several keys, kept as a value of a type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from ivr.config.units import Seconds
from ivr.domain.contact import EventKind
from ivr.domain.line import mask
from ivr.domain.speech import Utterance
from ivr.flow import keyed
from ivr.flow.expression_types import Names
from ivr.flow.keyed import Address, Bound, bound
from ivr.flow.kinds import Kind
from ivr.flow.names import AnswerName, BlockName
from ivr.flow.session import Session
from ivr.flow.step import Exit, GiveUp, GoTo, Kept, Next, Result, Said, Step, mentioned
from ivr.flow.steps.say import PromptNames

RIGHT, AGAIN = "1", "2"
CONFIRM = "ask_confirm"

AnswerType = Literal["digits", "yes_no", "date", "amount", "postcode_house_number", "phone"]

KINDS_OF: dict[AnswerType, Kind] = {
    "digits": str,
    "yes_no": bool,
    "date": date,
    "amount": Decimal,
    "postcode_house_number": Address,
    "phone": str,
}
"""What an answer of each type is to expressions."""

OWN_SETTINGS: dict[str, AnswerType] = {
    "length": "digits",
    "year": "date",
    "earliest": "date",
    "latest": "date",
    "least": "amount",
    "most": "amount",
}
"""The settings that only have a meaning for one type."""


def _length(written: object) -> object:
    if isinstance(written, tuple):
        return written
    parts = re.fullmatch(r"(\d{1,3})(?:\s*-\s*(\d{1,3}))?", str(written), re.ASCII)
    if not parts:
        raise ValueError(f"'{str(written)[:40]}' is not a length; write such as 6 or 6-8")
    shortest, longest = int(parts[1]), int(parts[2] or parts[1])
    if not 1 <= shortest <= longest <= keyed.LONGEST:
        raise ValueError(f"a length lies between 1 and {keyed.LONGEST}, the lowest first; write such as 6-8")
    return shortest, longest


Length = Annotated[tuple[int, int], BeforeValidator(_length), WithJsonSchema({"type": ["string", "number"]})]
Day = Annotated[Bound, BeforeValidator(bound), WithJsonSchema({"type": "string"})]
Amount = Annotated[Decimal, Field(ge=0, lt=10**keyed.MOST_EUROS, decimal_places=2)]


class Ask(Step):
    """Asks for keys, and keeps what they mean as `answers.<into>`, of the `type` that is asked for.

    - `digits`: as many as `length` says, `6` or `6-8`; a text.
    - `yes_no`: 1 for yes, 2 for no; true or false.
    - `date`: eight digits, day, month and year, 24112026. With `year: false` four, day and
      month: of the dates that may be, the one nearest to today. A date.
    - `amount`: euros, and if need be `*` and two digits of cents, 12*50; an amount.
    - `postcode_house_number`: the four digits of a Dutch postcode, then the house number,
      351112; letters cannot be keyed. A record with `postcode` (text) and `house_number`
      (a number).
    - `phone`: a telephone number; a text (E.164).

    `#` ends what is keyed; so does the last digit that it can have, and a pause of `timeout`.
    A date lies between `earliest` and `latest` (`2026-12-31`, `today`, `today+30d`,
    `today-18y`), an amount between `least` and `most`. What is not right is said to be so.
    With `confirm: true` the answer is read back: 1 is right, 2 asks again. After `tries`
    attempts the flow goes to `otherwise`; without it, to the flow's `otherwise`. A telephone
    number is written in the journal with its middle hidden, any answer hidden as a whole
    with `secret: true`.

    ```yaml
    - ask: { prompt: ask_customer_number, into: customer_number, length: 6, confirm: true }
    - ask: { prompt: ask_moving_date, into: moving, type: date, earliest: today, latest: today+90d }
    - ask: { prompt: ask_term, into: term, type: amount, least: 5, most: 500, otherwise: person }
    ```
    """

    kind: ClassVar[str] = "ask"
    takes_keys: ClassVar[bool] = True
    own_texts: ClassVar[Mapping[str, Names]] = {
        "ask_wrong_digits": {},
        "ask_wrong_yes_no": {},
        "ask_wrong_date": {},
        "ask_wrong_amount": {},
        "ask_wrong_postcode_house_number": {},
        "ask_wrong_phone": {},
        "ask_right_digits": {"answer": str},
        "ask_right_date": {"answer": date},
        "ask_right_amount": {"answer": Decimal},
        "ask_right_postcode_house_number": {"answer": Address},
        "ask_right_phone": {"answer": str},
        CONFIRM: {},
    }

    prompt: PromptNames
    into: AnswerName
    type: AnswerType = "digits"
    length: Length = (1, keyed.LONGEST)
    year: bool = True
    earliest: Day = Bound(fixed=date(1900, 1, 1))
    latest: Day = Bound(fixed=date(2099, 12, 31))
    least: Amount = Decimal(0)
    most: Amount = Decimal(10**keyed.MOST_EUROS - 1)
    confirm: bool = False
    secret: bool = False
    timeout: Annotated[Seconds, Field(gt=0, le=60)] = 5.0
    tries: Annotated[int, Field(ge=1, le=5)] = 3
    otherwise: BlockName | None = None

    @model_validator(mode="after")
    def _settings_of_its_type(self) -> Ask:
        for name, whose in OWN_SETTINGS.items():
            if name in self.model_fields_set and whose != self.type:
                raise _at(name, f"'{name}' has no meaning for {self.type}; it belongs to {whose}")
        if self.confirm and self.type == "yes_no":
            raise _at("confirm", "yes and no are not read back; leave it out")
        if self.least > self.most:
            raise _at("most", f"'most' is less than 'least', {self.least}; exchange them")
        fixed = self.earliest.fixed, self.latest.fixed
        if fixed[0] and fixed[1] and fixed[0] > fixed[1]:
            raise _at("latest", f"'latest' is before 'earliest', {fixed[0]}; exchange them")
        return self

    def keeps(self, block: BlockName, names: Names) -> Iterator[Kept]:
        yield Kept(self.into, KINDS_OF[self.type], ("into",))

    def says(self, names: Names) -> Iterator[Said]:
        for loc, name in mentioned(self.prompt):
            yield Said(str(name), ("prompt", *loc), {})
        yield Said(self._wrong, (), {})
        if self.confirm:
            yield Said(self._right, (), self.own_texts[self._right])
            yield Said(CONFIRM, (), {})

    def exits(self) -> Sequence[Exit]:
        return [Exit(self.otherwise, gives_up=self.otherwise is None)]

    def utterances(self, session: Session) -> Sequence[Utterance]:
        return [session.utterance(prompt) for prompt in self.prompt]

    async def run(self, session: Session) -> Result:
        opening: list[Utterance] = []
        for _ in range(self.tries):
            question = [*opening, *self.utterances(session)]
            keys = await session.digits(question, most=self.most_keys, seconds=self.timeout)
            answer = self._read(keys, session)
            opening = []
            if not keys:
                session.log.note(EventKind.NO_INPUT, session.step)
            elif answer is None:
                session.log.note(EventKind.WRONG_INPUT, session.step, keys=self._noted(keys))
                opening = [session.utterance(self._wrong)]
            else:
                session.log.note(EventKind.DIGITS, session.step, keys=self._noted(keys))
                if not self.confirm or await self._confirmed(session, answer):
                    session.answers[self.into] = answer
                    return Next()
        return GoTo(self.otherwise) if self.otherwise else GiveUp()

    async def _confirmed(self, session: Session, answer: Any) -> bool:
        """Whether the caller says that it is right; who says nothing twice does not."""
        for _ in range(2):
            read_back = [session.utterance(self._right, answer=answer), session.utterance(CONFIRM)]
            key = await session.key(read_back, wanted=RIGHT + AGAIN, seconds=self.timeout)
            if key and key in RIGHT + AGAIN:
                session.log.note(EventKind.DIGITS, session.step, keys=key)
                return key == RIGHT
            session.log.note(EventKind.WRONG_INPUT if key else EventKind.NO_INPUT, session.step)
        return False

    def _read(self, keys: str, session: Session) -> Any:
        """The answer, of the type that is asked for, or None."""
        match self.type:
            case "digits":
                return keyed.read_digits(keys, *self.length)
            case "yes_no":
                return keyed.read_yes_no(keys)
            case "date":
                today = session.today
                bounds = self.earliest.on(today), self.latest.on(today)
                return keyed.read_date(keys, *bounds) if self.year else keyed.read_day(keys, *bounds, today)
            case "amount":
                return keyed.read_amount(keys, self.least, self.most)
            case "postcode_house_number":
                return keyed.read_address(keys)
            case "phone":
                return keyed.read_phone(keys, session.services.country)

    @property
    def most_keys(self) -> int:
        """As many keys as an answer can have; more are not waited for."""
        most: dict[AnswerType, int] = {
            "digits": self.length[1],
            "yes_no": 1,
            "date": 8 if self.year else 4,
            "amount": keyed.MOST_EUROS + 3,
            "postcode_house_number": 4 + keyed.HOUSE_NUMBER_DIGITS,
            "phone": 16,
        }
        return most[self.type]

    @property
    def _wrong(self) -> str:
        return f"ask_wrong_{self.type}"

    @property
    def _right(self) -> str:
        return f"ask_right_{self.type}"

    def _noted(self, keys: str) -> str:
        """The keys as the journal may have them."""
        if self.secret:
            return "*" * len(keys)
        return mask(keys) if self.type == "phone" else keys


def _at(setting: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("value", "{said}", {"said": message, "at": (setting,)})
