"""The first tables: contacts, outages, splits, callbacks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "contacts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("opened", sa.Boolean, nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("direction", sa.Text),
        sa.Column("channel", sa.Text),
        sa.Column("answered_at", moment),
        sa.Column("ended_at", moment),
        sa.Column("number", sa.Text),
        sa.Column("line_state", sa.Text),
        sa.Column("customer_id", sa.Text),
        sa.Column("region", sa.Text),
        sa.Column("entry", sa.Text),
        sa.Column("flow", sa.Text),
        sa.Column("flow_version", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("queue", sa.Text),
        sa.Column("site", sa.Text),
    )
    op.create_index("contacts_started_at", "contacts", ["started_at"])
    op.create_table(
        "contact_events",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("contact_id", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("contact_events_contact", "contact_events", ["contact_id", "at"])
    op.create_table(
        "outages",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("opened_at", moment, nullable=False),
        sa.Column("region", sa.Text),
        sa.Column("product", sa.Text),
        sa.Column("text", sa.JSON, nullable=False),
        sa.Column("expected_end", moment),
        sa.Column("closed_at", moment),
    )
    op.create_index("outages_closed_at", "outages", ["closed_at"])
    op.create_table(
        "splits",
        sa.Column("queue", sa.Text, primary_key=True),
        sa.Column("percent", sa.JSON, nullable=False),
    )
    switches = op.create_table(
        "switches",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(switches, [{"id": 1, "revision": 0}])
    _create_callbacks(moment)


def _create_callbacks(moment: sa.DateTime) -> None:
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("window_start", moment, nullable=False),
        sa.Column("window_end", moment, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("contact_id", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text),
        sa.Column("call_reason", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("not_before", moment, nullable=False),
        sa.Column("ended_at", moment),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", moment),
    )
    op.create_index("callbacks_window", "callbacks", ["queue", "window_start"])
    op.create_index("callbacks_due", "callbacks", ["state", "not_before"])
    is_open = sa.column("state").in_(["booked", "dialling", "connecting"])
    op.create_index(
        "callbacks_open_number", "callbacks", ["number"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_table(
        "callback_attempts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("callback_id", sa.Text, sa.ForeignKey("callbacks.id"), nullable=False),
        sa.Column("channel_id", sa.Text, nullable=False, unique=True),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("ended_at", moment),
        sa.Column("outcome", sa.Text, nullable=False),
    )
    op.create_index("ix_callback_attempts_callback_id", "callback_attempts", ["callback_id"])
