"""When each message in the outbox was created.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("outbox", sa.Column("said_at", sa.BigInteger))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("outbox", "said_at")
