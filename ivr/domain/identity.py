"""An identity: something by which a customer can be found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class IdentityKind(StrEnum):
    """By what a customer is found."""

    PHONE = "phone"
    EMAIL = "email"
    CUSTOMER_NUMBER = "customer_number"
    HANDLE = "handle"


@dataclass(frozen=True, slots=True)
class Identity:
    """A number in E.164, an e-mail address, a customer number, or a name on a network such as `x:@anna`.

    Whoever writes to us from an address, or keys a number, need not be its customer: an
    identity tells whom to ask after, not that it is them.
    """

    kind: IdentityKind
    value: str
