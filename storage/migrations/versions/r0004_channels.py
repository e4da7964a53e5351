"""A channel for each chat, standard names, and columns needed to replace messages that wait.

The channel of chats that exist already is filled in when the store is next opened: their addresses are encrypted.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels = None
depends_on = None

COLUMNS = {"lane": "priority", "carried_at": "sent_at", "parked": "dead_letter", "said_at": "created_at"}
OLD_WAITING = sa.text("carried_at IS NULL AND parked IS NULL")
WAITING = sa.text("sent_at IS NULL AND dead_letter IS NULL")
WAKEABLE = sa.text("wake_at IS NOT NULL AND blocked_at IS NULL")


def upgrade() -> None:
    """Add the columns, and rename tables and columns."""
    for name in ("ix_outbox_waiting", "ix_outbox_waiting_of", "ix_outbox_carried_at"):
        op.drop_index(name, "outbox")
    _rename(COLUMNS)
    op.add_column(
        "outbox",
        sa.Column("replaceable", sa.Boolean, nullable=False, server_default=sa.false(), comment="plain text"),
    )
    op.add_column("outbox", sa.Column("same", sa.LargeBinary))
    _partial_index("ix_outbox_waiting", "outbox", ["priority", "id"], WAITING)
    _partial_index("ix_outbox_waiting_of", "outbox", ["client", "priority", "id"], WAITING)
    _partial_index("ix_outbox_sent_at", "outbox", ["sent_at"], sa.text("sent_at IS NOT NULL"))
    _partial_index("ix_outbox_dead_letters", "outbox", ["id"], sa.text("dead_letter IS NOT NULL"))
    op.add_column("chats", sa.Column("channel", sa.String(64)))
    op.drop_index("ix_chats_wake_at", "chats")
    _partial_index("ix_chats_channel_wake_at", "chats", ["channel", "wake_at"], WAKEABLE)
    _partial_index("ix_chats_of_no_channel", "chats", ["client"], sa.text("channel IS NULL"))
    channel = sa.Column("channel", sa.String(64))
    op.create_table("erasure_notices", *_notice_columns("erasure_notices", channel), sqlite_autoincrement=True)
    op.execute(
        "INSERT INTO erasure_notices (id, client, body, since, due) SELECT id, client, body, since, due FROM partings"
    )
    op.drop_table("partings")
    _counters("tallies", "counters")
    op.drop_table("holds")  # holds last five minutes at most
    _holds(64)


def downgrade() -> None:
    """Drop the columns, and restore the old names."""
    op.drop_table("holds")
    _holds(16)
    _counters("counters", "tallies")
    op.create_table("partings", *_notice_columns("partings"), sqlite_autoincrement=True)
    op.execute(
        "INSERT INTO partings (id, client, body, since, due) SELECT id, client, body, since, due FROM erasure_notices"
    )
    op.drop_table("erasure_notices")
    for name in ("ix_chats_of_no_channel", "ix_chats_channel_wake_at"):
        op.drop_index(name, "chats")
    op.drop_column("chats", "channel")
    _partial_index("ix_chats_wake_at", "chats", ["wake_at"], WAKEABLE)
    for name in ("ix_outbox_waiting", "ix_outbox_waiting_of", "ix_outbox_sent_at", "ix_outbox_dead_letters"):
        op.drop_index(name, "outbox")
    op.drop_column("outbox", "same")
    op.drop_column("outbox", "replaceable")
    _rename({new: old for old, new in COLUMNS.items()})
    _partial_index("ix_outbox_waiting", "outbox", ["lane", "id"], OLD_WAITING)
    _partial_index("ix_outbox_waiting_of", "outbox", ["client", "id"], OLD_WAITING)
    _partial_index("ix_outbox_carried_at", "outbox", ["carried_at"], sa.text("carried_at IS NOT NULL"))


def _rename(columns: dict[str, str]) -> None:
    for old, new in columns.items():
        op.execute(f"ALTER TABLE outbox RENAME COLUMN {old} TO {new}")


def _partial_index(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _notice_columns(table: str, *more: sa.Column[str]) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("client", sa.String(32), nullable=False),
        *more,
        sa.Column("body", sa.LargeBinary),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("client", name=f"uq_{table}_client"),
    ]


def _counters(old: str, new: str) -> None:
    op.create_table(
        new,
        sa.Column("month", sa.Date, nullable=False, comment="its first day"),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("month", "name", name=f"pk_{new}"),
    )
    op.execute(f"INSERT INTO {new} (month, name, number) SELECT month, name, number FROM {old}")  # noqa: S608
    op.drop_table(old)


def _holds(length: int) -> None:
    op.create_table(
        "holds",
        sa.Column("name", sa.String(length), nullable=False, comment="a channel"),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_holds"),
    )
