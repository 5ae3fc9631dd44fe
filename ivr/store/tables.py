"""Tables: what is kept, column by column. `docs/journal.md` explains those of the journal."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
)
from sqlalchemy.types import TypeDecorator

from ivr.domain.callback import AttemptOutcome, CallbackState

metadata = MetaData()


class UtcTime(TypeDecorator[datetime]):
    """A moment: aware, stored as UTC, and aware UTC when it comes back.

    SQLite keeps no zone, so it is left out there and added again on reading.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment as the database keeps it. Raises ValueError for a datetime without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment, aware and UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


contacts = Table(
    "contacts",
    metadata,
    Column("id", Text, primary_key=True),
    # False when changes to a contact came in before the contact itself.
    Column("opened", Boolean, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("direction", Text),
    Column("channel", Text),
    Column("answered_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("number", Text),
    Column("line_state", Text),
    Column("customer_id", Text),
    Column("region", Text),
    Column("entry", Text),
    Column("flow", Text),
    Column("flow_version", Text),
    Column("reason", Text),
    Column("outcome", Text),
    Column("queue", Text),
    Column("site", Text),
    # The customer's ids in the connected systems, by the names of these.
    Column("customer_references", JSON(none_as_null=True)),
    # Whether connected systems were made to know of it.
    Column("noted", Boolean, nullable=False, server_default=false()),
    Index("contacts_started_at", "started_at"),
    Index("contacts_flow_version", "flow", "flow_version"),
)

_is_to_note = contacts.c.noted.is_(False)
Index("contacts_to_note", contacts.c.ended_at, sqlite_where=_is_to_note, postgresql_where=_is_to_note)

contact_events = Table(
    "contact_events",
    metadata,
    # The order of writing, which tells events of the same moment apart.
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    # No foreign key: an event is never refused because its contact is not there yet.
    Column("contact_id", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("kind", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Index("contact_events_contact", "contact_id", "at"),
)

outages = Table(
    "outages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("opened_at", UtcTime, nullable=False),
    Column("region", Text),
    Column("product", Text),
    Column("text", JSON, nullable=False),
    Column("expected_end", UtcTime),
    Column("closed_at", UtcTime),
    Index("outages_closed_at", "closed_at"),
)

# Who wants to be called when an outage is over. When it is closed, each of them becomes a promise in `callbacks`.
outage_notices = Table(
    "outage_notices",
    metadata,
    Column("outage_id", Text, ForeignKey("outages.id"), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("language", Text, nullable=False),
    Column("contact_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("not_before", UtcTime, nullable=False),
)

splits = Table(
    "splits",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("percent", JSON, nullable=False),
)

# What each file once said, by the SHA-256 of it: a file that did not change is kept once.
flow_files = Table(
    "flow_files",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

# One row each time that other flows were taken over.
flow_sets = Table(
    "flow_sets",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("versions", JSON, nullable=False),
    Column("files", JSON, nullable=False),
    Index("flow_sets_id", "id"),
)

flow_choices = Table(
    "flow_choices",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("files_version", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("candidate", Text),
    Column("percent", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("by", Text, nullable=False),
)

# One row. Every change of an outage, a split or a flow's version adds one to it, in the same transaction.
switches = Table(
    "switches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", BigInteger, nullable=False),
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Text, nullable=False),
    Column("window_start", UtcTime, nullable=False),
    Column("window_end", UtcTime, nullable=False),
    Column("queue", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("contact_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("call_reason", Text),
    Column("purpose", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("not_before", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("reason", Text, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", UtcTime),
    Index("callbacks_window", "queue", "window_start"),
    Index("callbacks_due", "state", "not_before"),
)

OPEN_STATES = tuple(state.value for state in CallbackState if state.is_open)
_is_open = callbacks.c.state.in_(OPEN_STATES)

# At most one open promise a number and purpose: the database itself refuses the second.
Index(
    "callbacks_open_number",
    callbacks.c.number,
    callbacks.c.purpose,
    unique=True,
    sqlite_where=_is_open,
    postgresql_where=_is_open,
)

attempts = Table(
    "callback_attempts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("callback_id", Text, ForeignKey("callbacks.id"), nullable=False, index=True),
    Column("channel_id", Text, nullable=False, unique=True),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("outcome", Text, nullable=False),
)
_is_pending = attempts.c.outcome == AttemptOutcome.PENDING.value

# At most one attempt at a time for a promise. It also finds, among all there ever were, those to follow.
Index(
    "callback_attempts_pending",
    attempts.c.callback_id,
    unique=True,
    sqlite_where=_is_pending,
    postgresql_where=_is_pending,
)

# What connected systems are asked to do; `docs/errands.md` explains the columns.
errands = Table(
    "errands",
    metadata,
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("content", JSON, nullable=False),
    Column("connector", Text, nullable=False),
    Column("contact_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("at", UtcTime, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("reason", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", UtcTime),
    Index("errands_due", "state", "not_before"),
    Index("errands_at", "at"),
)

# How far the index of each connected system's customers is; `ivr.domain.index_state` explains the columns.
index_states = Table(
    "index_states",
    metadata,
    Column("connector", Text, primary_key=True),
    # Tells one configuration of the connector from another, whose customers are not the same.
    Column("source", Text, nullable=False),
    Column("cursor", Text),
    Column("run", Integer, nullable=False),
    Column("phase", Text, nullable=False),
    Column("run_cursor", Text),
    Column("run_began_at", UtcTime),
    Column("synced_at", UtcTime),
    Column("full_at", UtcTime),
    Column("customers", Integer, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", UtcTime),
)

# SQLite keeps both ordered by their key instead of by a hidden number: a look-up is one way down the tree.
indexed_customers = Table(
    "indexed_customers",
    metadata,
    Column("connector", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    # The last full run that saw this customer.
    Column("seen", Integer, nullable=False),
    Column("record", Text, nullable=False),
    sqlite_with_rowid=False,
)

indexed_identities = Table(
    "indexed_identities",
    metadata,
    Column("connector", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("customer_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)

# No foreign key: a recording is never refused because its contact is not there yet.
recordings = Table(
    "recordings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("contact_id", Text, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("language", Text, nullable=False),
    Column("box", Text, nullable=False),
    Column("heard_at", UtcTime),
    Index("recordings_contact", "contact_id"),
    Index("recordings_made_at", "purpose", "made_at"),
)
