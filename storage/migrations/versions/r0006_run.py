"""The run whose messages are to be deleted from the chat, for each message in the outbox.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("outbox", sa.Column("run", sa.Integer))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("outbox", "run")
