"""One attempt at a time for a promise, by a unique index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create it."""
    is_pending = sa.column("outcome") == sa.literal_column("'pending'")
    op.create_index(
        "callback_attempts_pending",
        "callback_attempts",
        ["callback_id"],
        unique=True,
        sqlite_where=is_pending,
        postgresql_where=is_pending,
    )
