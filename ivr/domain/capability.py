"""What a connected system can do for a call."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Capability(StrEnum):
    """The words of a manifest's `capabilities`."""

    FIND_CALLER = "find_caller"
    FIND_CUSTOMER = "find_customer"
    CHANGES = "changes"
    ORDERS = "orders"
    INVOICES = "invoices"
    CASES = "cases"
    FAULTS = "faults"
    APPOINTMENTS = "appointments"
    LOG_CONTACT = "log_contact"
    CREATE_TICKET = "create_ticket"
    SEND_MESSAGE = "send_message"


DOSSIER = (
    Capability.ORDERS,
    Capability.INVOICES,
    Capability.CASES,
    Capability.FAULTS,
    Capability.APPOINTMENTS,
)
"""The parts of a customer's dossier; each is also the name of its field of a customer."""

KEPT_BY: Mapping[str, Capability] = {
    **{part.value: part for part in DOSSIER},
    "open_orders": Capability.ORDERS,
    "house_number": Capability.FIND_CALLER,
    "birth_date": Capability.FIND_CALLER,
}
"""The fields of a customer that are asked of the systems in the call itself, and by which capability."""
