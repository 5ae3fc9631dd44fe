"""The flows there were and which are chosen; an index that counts calls for each version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create them."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "flow_files",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "flow_sets",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("versions", sa.JSON, nullable=False),
        sa.Column("files", sa.JSON, nullable=False),
    )
    op.create_index("flow_sets_id", "flow_sets", ["id"])
    op.create_table(
        "flow_choices",
        sa.Column("flow", sa.Text, primary_key=True),
        sa.Column("files_version", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("candidate", sa.Text),
        sa.Column("percent", sa.Integer, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_index("contacts_flow_version", "contacts", ["flow", "flow_version"])
