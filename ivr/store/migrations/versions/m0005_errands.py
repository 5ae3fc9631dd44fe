"""Errands for connected systems; which contacts these know of, and the customer's ids there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create them. Contacts that ended before are none of the connected systems' business."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "errands",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("connector", sa.Text, nullable=False),
        sa.Column("contact_id", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text),
        sa.Column("at", moment, nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_before", moment, nullable=False),
        sa.Column("ended_at", moment),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", moment),
    )
    op.create_index("errands_due", "errands", ["state", "not_before"])
    op.create_index("errands_at", "errands", ["at"])
    op.add_column("contacts", sa.Column("customer_references", sa.JSON))
    op.add_column("contacts", sa.Column("noted", sa.Boolean, nullable=False, server_default=sa.false()))
    contacts = sa.table("contacts", sa.column("noted", sa.Boolean), sa.column("ended_at", moment))
    op.execute(contacts.update().where(contacts.c.ended_at.is_not(None)).values(noted=sa.true()))
    is_to_note = sa.column("noted", sa.Boolean).is_(sa.false())
    op.create_index("contacts_to_note", "contacts", ["ended_at"], sqlite_where=is_to_note, postgresql_where=is_to_note)
