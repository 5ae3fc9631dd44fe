"""Stores: everything that is kept in the database, together."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.config.model import Database as DatabaseConfig
from ivr.store.callbacks import StoredCallbacks
from ivr.store.changes import StoredChanges
from ivr.store.contacts import StoredContacts
from ivr.store.customer_index import StoredCustomerIndex
from ivr.store.database import Database
from ivr.store.errands import StoredErrands
from ivr.store.flows import StoredFlows
from ivr.store.outages import StoredOutages
from ivr.store.recordings import StoredRecordings
from ivr.store.splits import StoredSplits


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything that is kept in the database."""

    database: Database
    contacts: StoredContacts
    outages: StoredOutages
    splits: StoredSplits
    callbacks: StoredCallbacks
    errands: StoredErrands
    flows: StoredFlows
    recordings: StoredRecordings
    changes: StoredChanges
    index: StoredCustomerIndex

    @classmethod
    def of(cls, config: DatabaseConfig) -> Stores:
        """The stores of a database, not connected yet. Raises SetupError when its address is none of ours."""
        database = Database(config.url, timeout=config.timeout)
        return cls(
            database,
            StoredContacts(database),
            StoredOutages(database),
            StoredSplits(database),
            StoredCallbacks(database),
            StoredErrands(database),
            StoredFlows(database),
            StoredRecordings(database),
            StoredChanges(database),
            StoredCustomerIndex(database),
        )
