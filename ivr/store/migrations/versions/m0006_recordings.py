"""What is known of recordings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "recordings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("contact_id", sa.Text, nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("box", sa.Text, nullable=False),
        sa.Column("heard_at", moment),
    )
    op.create_index("recordings_contact", "recordings", ["contact_id"])
    op.create_index("recordings_made_at", "recordings", ["purpose", "made_at"])
