"""The first tables: chats, inbox, outbox, entries, partings, holds, pairing.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    row_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "chats",
        sa.Column("client", sa.String(32), nullable=False),
        sa.Column("address", sa.LargeBinary, nullable=False, comment="sealed"),
        sa.Column("progress", sa.LargeBinary, nullable=False, comment="sealed"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("wake_at", sa.BigInteger),
        sa.Column("last_message_id", sa.BigInteger),
        sa.Column("held_until", sa.BigInteger),
        sa.Column("blocked_at", sa.BigInteger),
        sa.Column("created_on", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("client", name="pk_chats"),
    )
    wakeable = sa.text("wake_at IS NOT NULL AND blocked_at IS NULL")
    op.create_index("ix_chats_wake_at", "chats", ["wake_at"], sqlite_where=wakeable, postgresql_where=wakeable)
    op.create_table(
        "inbox",
        sa.Column("key", sa.LargeBinary, nullable=False, comment="keyed hash"),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sa.Column("client", sa.String(32)),
        sa.Column("payload", sa.LargeBinary, comment="sealed"),
        sa.Column("reason", sa.String(80)),
        sa.ForeignKeyConstraint(["client"], ["chats.client"], name="fk_inbox_client"),
        sa.PrimaryKeyConstraint("key", name="pk_inbox"),
    )
    op.create_index("ix_inbox_seen", "inbox", ["seen"])
    parked = sa.text("client IS NOT NULL")
    op.create_index("ix_inbox_client", "inbox", ["client"], sqlite_where=parked, postgresql_where=parked)
    op.create_table(
        "outbox",
        sa.Column("id", row_number, nullable=False),
        sa.Column("client", sa.String(32), nullable=False),
        sa.Column("lane", sa.String(16), nullable=False),
        sa.Column("body", sa.LargeBinary, comment="sealed; emptied when carried"),
        sa.Column("carried_at", sa.BigInteger),
        sa.Column("message_id", sa.BigInteger),
        sa.Column("parked", sa.String(80)),
        sa.ForeignKeyConstraint(["client"], ["chats.client"], name="fk_outbox_client"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    waiting = sa.text("carried_at IS NULL AND parked IS NULL")
    op.create_index("ix_outbox_waiting", "outbox", ["lane", "id"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_index("ix_outbox_client_id", "outbox", ["client", "id"])
    carried = sa.text("carried_at IS NOT NULL")
    op.create_index("ix_outbox_carried_at", "outbox", ["carried_at"], sqlite_where=carried, postgresql_where=carried)
    op.create_table(
        "entries",
        sa.Column("client", sa.String(32), nullable=False),
        sa.Column("run", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("kind", sa.LargeBinary, nullable=False, comment="keyed hash of the dialogue's name"),
        sa.Column("body", sa.LargeBinary, nullable=False, comment="sealed"),
        sa.ForeignKeyConstraint(["client"], ["chats.client"], name="fk_entries_client"),
        sa.PrimaryKeyConstraint("client", "run", name="pk_entries"),
    )
    op.create_index("ix_entries_client_kind_run", "entries", ["client", "kind", "run"])
    op.create_table(
        "partings",
        sa.Column("id", row_number, nullable=False),
        sa.Column("client", sa.String(32), nullable=False),
        sa.Column(
            "body", sa.LargeBinary, comment="sealed under a key of the operator; empty where nobody can be told"
        ),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_partings"),
        sa.UniqueConstraint("client", name="uq_partings_client"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "holds",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_holds"),
    )
    op.create_table(
        "pairing",
        sa.Column("id", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column(
            "body",
            sa.LargeBinary,
            nullable=False,
            comment="sealed; shows that the key store belongs to these data",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_pairing"),
    )


def downgrade() -> None:
    """Drop the tables, those with foreign keys first."""
    for table in ("pairing", "holds", "partings", "entries", "outbox", "inbox", "chats"):
        op.drop_table(table)
