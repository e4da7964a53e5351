"""The tables of the data. Columns marked *sealed* hold ciphertext only; the rest is what queries need.

Instants are microseconds since 1970 (see `instants`). The keys are not here: they have a store of their own.
A table with a column `client` is emptied of a client's rows at erasure, without being named anywhere else.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    and_,
    false,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_ROW_NUMBER = BigInteger().with_variant(Integer, "sqlite")

chats = Table(
    "chats",
    METADATA,
    Column("client", String(32), primary_key=True),
    Column("address", LargeBinary, nullable=False, comment="sealed"),
    Column("progress", LargeBinary, nullable=False, comment="sealed"),
    Column("version", Integer, nullable=False),
    Column("wake_at", BigInteger),
    Column("last_message_id", BigInteger),
    Column("held_until", BigInteger),
    Column("blocked_at", BigInteger),
    Column("created_on", Date, nullable=False),
    Column("question_id", BigInteger, comment="the message that ends the open question"),
)
_wakeable = and_(chats.c.wake_at.is_not(None), chats.c.blocked_at.is_(None))
Index(None, chats.c.wake_at, sqlite_where=_wakeable, postgresql_where=_wakeable)

inbox = Table(
    "inbox",
    METADATA,
    Column("key", LargeBinary, primary_key=True, comment="keyed hash"),
    Column("seen", BigInteger, nullable=False, index=True),
    Column("client", String(32), ForeignKey(chats.c.client)),
    Column("payload", LargeBinary, comment="sealed"),
    Column("reason", String(80)),
)
_parked = inbox.c.client.is_not(None)
Index(None, inbox.c.client, sqlite_where=_parked, postgresql_where=_parked)

outbox = Table(
    "outbox",
    METADATA,
    Column("id", _ROW_NUMBER, primary_key=True),
    Column("client", String(32), ForeignKey(chats.c.client), nullable=False),
    Column("lane", String(16), key="priority", nullable=False),
    Column("body", LargeBinary, comment="sealed; emptied when carried"),
    Column("carried_at", BigInteger),
    Column("message_id", BigInteger),
    Column("parked", String(80)),
    Column("asks", Boolean, nullable=False, server_default=false()),
    Column("said_at", BigInteger),
    # A number is never given twice, so that what was in flight at an erasure can't mark another row.
    sqlite_autoincrement=True,
)


def is_waiting(table: FromClause) -> ColumnElement[bool]:
    """Whether a row of the outbox, or of an alias of it, is still to be carried."""
    return and_(table.c.carried_at.is_(None), table.c.parked.is_(None))


_waiting = is_waiting(outbox)
Index("ix_outbox_waiting", outbox.c.priority, outbox.c.id, sqlite_where=_waiting, postgresql_where=_waiting)
Index(None, outbox.c.client, outbox.c.id)
Index("ix_outbox_waiting_of", outbox.c.client, outbox.c.id, sqlite_where=_waiting, postgresql_where=_waiting)
_carried = outbox.c.carried_at.is_not(None)
Index(None, outbox.c.carried_at, sqlite_where=_carried, postgresql_where=_carried)

entries = Table(
    "entries",
    METADATA,
    Column("client", String(32), ForeignKey(chats.c.client), primary_key=True),
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("kind", LargeBinary, nullable=False, comment="keyed hash of the dialogue's name"),
    Column("body", LargeBinary, nullable=False, comment="sealed"),
    Index(None, "client", "kind", "run"),
)

partings = Table(
    "partings",
    METADATA,
    Column("id", _ROW_NUMBER, primary_key=True),
    Column("client", String(32), nullable=False, unique=True),
    Column("body", LargeBinary, comment="sealed under a key of the operator; empty where nobody can be told"),
    Column("since", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

holds = Table(
    "holds",
    METADATA,
    Column("name", String(16), primary_key=True),
    Column("until", BigInteger, nullable=False),
)

pairing = Table(
    "pairing",
    METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False, comment="sealed; shows that the key store belongs to these data"),
)

counters = Table(
    "tallies",
    METADATA,
    Column("month", Date, primary_key=True, comment="its first day"),
    Column("name", String(40), primary_key=True),
    Column("number", Integer, nullable=False),
)
