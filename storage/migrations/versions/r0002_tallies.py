"""Anonymous counts by month, an index of what waits for one client, and which message ends the open question.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, the index and the table."""
    op.add_column("chats", sa.Column("question_id", sa.BigInteger, comment="the message that ends the open question"))
    op.add_column("outbox", sa.Column("asks", sa.Boolean, nullable=False, server_default=sa.false()))
    waiting = sa.text("carried_at IS NULL AND parked IS NULL")
    op.create_index(
        "ix_outbox_waiting_of", "outbox", ["client", "id"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_table(
        "tallies",
        sa.Column("month", sa.Date, nullable=False, comment="its first day"),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("month", "name", name="pk_tallies"),
    )


def downgrade() -> None:
    """Drop the table, the index and the columns."""
    op.drop_column("outbox", "asks")
    op.drop_column("chats", "question_id")
    op.drop_index("ix_outbox_waiting_of", "outbox")
    op.drop_table("tallies")
