"""A directory in memory: customers by number and identity, and what changed from one reading to the next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ivr.connectors.connector import Changes
from ivr.domain.caller import Customer, CustomerId
from ivr.domain.identity import Identity, IdentityKind
from ivr.domain.line import PhoneNumber

CURSOR = re.compile(r"(?P<base>[^>@]*)>(?P<target>[^>@]+)@(?P<position>\d+)")
"""A cursor within a list of changes: those from the version `base` to `target`, from the place `position` on."""

FEW = 1000
"""So many changes are remembered at least."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What one reading changed: the version it came after, and whom it touched, gone or not."""

    after: str
    touched: frozenset[CustomerId]


class Directory:
    """One reading of a directory that is small enough to be held: it never changes.

    `version` stands for what was read: the same content has the same version after a
    restart too, so a cursor of `changes` stays good. It holds no `>` and no `@`.
    """

    def __init__(self, customers: Iterable[Customer] = (), version: str = "") -> None:
        self.version = version
        self._customers = {customer.id: customer for customer in customers}
        self._found_by: dict[IdentityKind, dict[str, list[Customer]]] = {kind: {} for kind in IdentityKind}
        self._steps: tuple[_Step, ...] = ()
        for customer in self._customers.values():
            for kind, values in _identities(customer):
                for value in filter(None, values):
                    self._found_by[kind].setdefault(value.casefold(), []).append(customer)

    def __len__(self) -> int:
        return len(self._customers)

    def followed_by(self, customers: Iterable[Customer], version: str) -> Directory:
        """The next reading, which knows what it changed. Takes long for a large one: call it in a thread."""
        following = Directory(customers, version)
        before, after = self._customers, following._customers
        everybody = before.keys() | after.keys()
        touched = frozenset(each for each in everybody if before.get(each) != after.get(each))
        steps = (*self._steps, _Step(self.version, touched)) if self.version else ()
        # Once more has changed than there is, reading everything again is no more work than a list of changes.
        while sum(len(step.touched) for step in steps) > max(len(following), FEW):
            steps = steps[1:]
        following._steps = steps
        return following

    def by_number(self, number: PhoneNumber) -> Sequence[Customer]:
        """Everybody who has a number."""
        return self._found_by[IdentityKind.PHONE].get(number, ())

    def by_identity(self, identity: Identity) -> Sequence[Customer]:
        """Everybody with an identity, in capitals or not."""
        return self._found_by[identity.kind].get(identity.value.strip().casefold(), ())

    def changes(self, since: str | None, limit: int) -> Changes:
        """A page of what changed after a cursor; see `KnowsChanges`.

        From a version that is no longer known, or that the list of changes does not reach back
        to, everybody comes again.
        """
        base, position = self._place(since)
        if base == self.version:
            return Changes((), self.version, more=False)
        touched = self._touched_since(base)
        if touched is None and base:
            base, position = "", 0
        ids = list(self._customers) if touched is None else sorted(touched & self._customers.keys())
        gone = sorted(touched - self._customers.keys()) if touched is not None and position == 0 else []
        page = [self._customers[customer_id] for customer_id in ids[position : position + limit]]
        position += len(page)
        more = position < len(ids)
        return Changes(page, f"{base}>{self.version}@{position}" if more else self.version, more, gone)

    def _place(self, since: str | None) -> tuple[str, int]:
        """The version that a cursor's owner has in full, and how many of this one's changes they have."""
        within = CURSOR.fullmatch(since or "")
        if within is None:
            return since or "", 0
        return within["base"], int(within["position"]) if within["target"] == self.version else 0

    def _touched_since(self, version: str) -> frozenset[CustomerId] | None:
        """Whom the readings after a version touched; None when that is not known."""
        for position in reversed(range(len(self._steps))):
            if self._steps[position].after == version:
                return frozenset().union(*(step.touched for step in self._steps[position:]))
        return None


def _identities(customer: Customer) -> Iterator[tuple[IdentityKind, Sequence[str | None]]]:
    yield IdentityKind.PHONE, customer.numbers
    yield IdentityKind.EMAIL, (customer.email,)
    yield IdentityKind.CUSTOMER_NUMBER, (customer.customer_number,)
    yield IdentityKind.HANDLE, customer.handles
