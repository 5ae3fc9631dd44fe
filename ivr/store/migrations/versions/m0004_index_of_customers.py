"""The index of connected systems' customers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create it."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "index_states",
        sa.Column("connector", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("cursor", sa.Text),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("run_cursor", sa.Text),
        sa.Column("run_began_at", moment),
        sa.Column("synced_at", moment),
        sa.Column("full_at", moment),
        sa.Column("customers", sa.Integer, nullable=False),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", moment),
    )
    op.create_table(
        "indexed_customers",
        sa.Column("connector", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("seen", sa.Integer, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "indexed_identities",
        sa.Column("connector", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("customer_id", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
