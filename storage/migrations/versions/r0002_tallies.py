"""Counts by month that name nobody.

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
    """Make the table."""
    op.create_table(
        "tallies",
        sa.Column("month", sa.Date, nullable=False, comment="its first day"),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("month", "name", name="pk_tallies"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("tallies")
