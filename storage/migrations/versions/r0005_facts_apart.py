"""Facts in rows of their own, and an index of clients who blocked the bot.

Facts are moved to these rows when a client's progress is next saved, since a migration can't decrypt them. For the
same reason there is no downgrade once any have been moved.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.errors import StoreRefused

revision = "0005"
down_revision: str | None = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, the index and the table."""
    op.add_column(
        "chats",
        sa.Column(
            "facts_apart", sa.Boolean, nullable=False, server_default=sa.false(), comment="some facts stand in rows"
        ),
    )
    blocked_due = sa.text("wake_at IS NOT NULL AND blocked_at IS NOT NULL")
    op.create_index(
        "ix_chats_out_of_reach",
        "chats",
        ["wake_at", "client"],
        sqlite_where=blocked_due,
        postgresql_where=blocked_due,
    )
    op.create_table(
        "facts",
        sa.Column("client", sa.String(32), nullable=False),
        sa.Column("memory", sa.LargeBinary, nullable=False, comment="keyed hash of the memory's name"),
        sa.Column("body", sa.LargeBinary, nullable=False, comment="sealed"),
        sa.ForeignKeyConstraint(["client"], ["chats.client"], name="fk_facts_client"),
        sa.PrimaryKeyConstraint("client", "memory", name="pk_facts"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop them. Raises StoreRefused if there are rows of facts already."""
    if op.get_bind().scalar(sa.text("SELECT 1 FROM facts LIMIT 1")):
        raise StoreRefused("Facts are in rows of their own, which earlier releases do not read. Use this release.")
    op.drop_table("facts")
    op.drop_index("ix_chats_out_of_reach", "chats")
    op.drop_column("chats", "facts_apart")
