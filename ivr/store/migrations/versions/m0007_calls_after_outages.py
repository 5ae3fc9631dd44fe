"""Who wants to be called when an outage is over; what a promised call is for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

OPEN = sa.text("state IN ('booked', 'dialling', 'connecting')")


def upgrade() -> None:
    """Create the table, and let a number have an open promise for each purpose."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "outage_notices",
        sa.Column("outage_id", sa.Text, sa.ForeignKey("outages.id"), primary_key=True),
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("contact_id", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("not_before", moment, nullable=False),
    )
    op.add_column("callbacks", sa.Column("purpose", sa.Text, nullable=False, server_default="talk"))
    op.drop_index("callbacks_open_number", "callbacks")
    op.create_index(
        "callbacks_open_number",
        "callbacks",
        ["number", "purpose"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
