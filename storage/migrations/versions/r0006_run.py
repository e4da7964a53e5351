"""The run whose messages are deleted from the chat again, for each message of it in the outbox.

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
    """Make the column."""
    op.add_column("outbox", sa.Column("run", sa.Integer))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("outbox", "run")
