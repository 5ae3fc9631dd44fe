"""verify: the caller proves to be the customer whose line calls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ivr.config.units import Seconds
from ivr.domain.caller import Customer
from ivr.domain.contact import EventKind
from ivr.domain.line import Line
from ivr.domain.speech import Utterance
from ivr.flow import keyed
from ivr.flow.expression_types import Names
from ivr.flow.names import BlockName
from ivr.flow.session import Session
from ivr.flow.step import Exit, GiveUp, GoTo, Kept, Next, Result, Step

FAILED = "verify_failed"

Fact = Literal["line", "postcode", "house_number", "customer_number", "birth_date"]

MOST_KEYS: dict[Fact, int] = {
    "line": 0,
    "postcode": 4,
    "house_number": keyed.HOUSE_NUMBER_DIGITS,
    "customer_number": keyed.LONGEST,
    "birth_date": 8,
}
"""As many keys as are waited for."""


class Verify(Step):
    """Has the caller prove, with what only they should know, that they are the customer whose line calls.

    The `facts` are asked in turn: the four digits of the `postcode`, the `house_number`
    without letters, the digits of the `customer_number`, the `birth_date` as eight digits.
    The `line` is not asked: it is right when the network vouches for the number that calls
    (`caller.attested`) and unknown otherwise.
    `#`, or a silence of `timeout`, passes over a fact that the caller does not know. When `need` of them (all, without
    it) have been keyed, and every one is right, `caller.verified` is true from here on and
    the flow goes on with the next step. If not, the caller hears `verify_failed`, which never
    says what was wrong, and may try again: `tries` times in a call, in all its `verify` steps
    together. Who fails, or is not known, or of whom fewer than `need` facts are known, goes to
    `otherwise`; without it, to the flow's `otherwise`. Who is verified already is not asked
    again. What was keyed is not written down.

    ```yaml
    - verify: [postcode, house_number]
    - verify: { facts: [line, customer_number, postcode, birth_date], need: 2, otherwise: person }
    ```
    """

    kind: ClassVar[str] = "verify"
    shorthand: ClassVar[str] = "facts"
    takes_keys: ClassVar[bool] = True
    own_texts: ClassVar[Mapping[str, Names]] = {
        "verify_postcode": {},
        "verify_house_number": {},
        "verify_customer_number": {},
        "verify_birth_date": {},
        FAILED: {},
    }

    facts: Annotated[tuple[Fact, ...], Field(min_length=1)]
    need: Annotated[int, Field(ge=1)] | None = None
    tries: Annotated[int, Field(ge=1, le=5)] = 2
    timeout: Annotated[Seconds, Field(gt=0, le=60)] = 5.0
    otherwise: BlockName | None = None

    @model_validator(mode="after")
    def _enough(self) -> Verify:
        if len(set(self.facts)) < len(self.facts):
            raise ValueError("a fact is asked twice; name each once")
        if self.need is not None and self.need > len(self.facts):
            raise ValueError(f"{self.need} facts are needed, and {len(self.facts)} are named; name more")
        return self

    def keeps(self, block: BlockName, names: Names) -> Iterator[Kept]:
        yield from ()

    def exits(self) -> Sequence[Exit]:
        return [Exit(self.otherwise, gives_up=self.otherwise is None)]

    def fields(self) -> frozenset[str]:
        return frozenset(self.facts)

    def utterances(self, session: Session) -> Sequence[Utterance]:
        known = self._known(session.customer, session.caller().line)
        asked = not session.verified and len(known) >= self._needed
        return [session.utterance(f"verify_{fact}") for fact in [each for each in known if each != "line"][:1] if asked]

    async def run(self, session: Session) -> Result:
        if session.verified:
            return Next()
        customer = session.customer
        known = self._known(customer, session.caller().line)
        if customer is None or len(known) < self._needed:
            session.log.note(EventKind.VERIFIED, session.step, passed=False, right=0, wrong=0, facts=[])
            known = {}
        while known and session.failed_proofs < self.tries:
            if await self._proves(session, known):
                session.verified_customer = customer.id if customer else None
                return Next()
            session.failed_proofs += 1
            await session.tell(session.utterance(FAILED))
        return GoTo(self.otherwise) if self.otherwise else GiveUp()

    async def _proves(self, session: Session, known: Mapping[Fact, str]) -> bool:
        """One attempt: whether so many facts as are needed were keyed, and all of them are right.

        How many are asked depends on what the caller passes over alone, never on what is right.
        """
        right: dict[Fact, bool] = {}
        for fact, expected in known.items():
            if fact == "line":
                right[fact] = True
                continue
            question = [session.utterance(f"verify_{fact}")]
            keys = await session.digits(question, most=MOST_KEYS[fact], seconds=self.timeout)
            if keys:
                right[fact] = _same(keys) == _same(expected)
            if len(right) == self._needed:
                break
        passed = len(right) == self._needed and all(right.values())
        count = sum(right.values())
        session.log.note(
            EventKind.VERIFIED,
            session.step,
            passed=passed,
            right=count,
            wrong=len(right) - count,
            facts=[*right],
        )
        return passed

    @property
    def _needed(self) -> int:
        return self.need or len(self.facts)

    def _known(self, customer: Customer | None, line: Line) -> dict[Fact, str]:
        """The keys that each fact would be, of those that are known of a customer."""
        if customer is None:
            return {}
        keys = {fact: _expected(fact, customer) for fact in self.facts}
        if "line" in keys and not (line.attested and line.number in customer.numbers):
            del keys["line"]
        return {fact: expected for fact, expected in keys.items() if expected}


def _expected(fact: Fact, customer: Customer) -> str:
    """The keys that tell a fact; empty when it is not known."""
    match fact:
        case "line":
            return "attested"
        case "postcode":
            found = re.match(r"\s*([0-9]{4})(?![0-9])", customer.postcode or "")
            return found[1] if found else ""
        case "house_number":
            found = re.match(r"\s*([0-9]+)", customer.house_number or "")
            return found[1] if found else ""
        case "customer_number":
            return re.sub(r"[^0-9]", "", customer.customer_number or customer.id)
        case "birth_date":
            return f"{customer.birth_date:%d%m%Y}" if customer.birth_date else ""


def _same(keys: str) -> str:
    """Keys without the zeros before them: 012 is house number 12."""
    return keys.lstrip("0")
