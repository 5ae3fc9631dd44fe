"""An enquiry after a described caller: nothing is asked of any system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ivr.domain.address import same_postcode_digits
from ivr.domain.caller import Caller, Customer, Identification, IdentificationState
from ivr.domain.capability import Capability
from ivr.domain.identity import Identity
from ivr.errors import ConnectorUnavailable


@dataclass
class DescribedEnquiry:
    """An `ivr.ports.Enquiry` that knows the caller it is told, and `others` whom a caller may prove to be.

    While the systems are `away`, nothing more can be found out.
    """

    told: Callable[[], Caller]
    others: Sequence[Customer] = ()
    away: bool = False
    _recognised: Caller | None = None

    def current(self) -> Caller:
        """The caller."""
        return self._recognised or self.told()

    async def ready(self, fields: frozenset[str]) -> None:
        """Everything is known at once."""

    async def look_up(self, part: Capability) -> Sequence[Any]:
        """What the description says. Raises ConnectorUnavailable."""
        self._must_be_there()
        customer = self.current().customer
        return getattr(customer, part.value) if customer else ()

    async def recognise(self, identity: Identity, postcode: str) -> bool:
        """Whether one of the others has this identity and the digits of this postcode. Raises ConnectorUnavailable."""
        self._must_be_there()
        for customer in self.others:
            known = (customer.customer_number or customer.id, customer.email, *customer.numbers, *customer.handles)
            if identity.value in known and same_postcode_digits(customer.postcode, postcode):
                found = Identification(IdentificationState.KNOWN, customer)
                before = self.current()
                self._recognised = Caller(before.line, found, before.region, identity.kind)
                return True
        return False

    def _must_be_there(self) -> None:
        if self.away:
            raise ConnectorUnavailable("the description says so")
