"""The tables of the data. Columns marked *encrypted* hold ciphertext only; the others hold what queries need.

Instants are microseconds since 1970 (see `storage.database`). Keys are in another file (`storage.crypto.keystore`).
At erasure, a client's rows are deleted from every table that has a column `client`.
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


def channel_of(address: str) -> str:
    """The channel of a chat's address: `telegram:7` for `telegram:7:5`, `terminal` for `terminal:me`."""
    return address.rpartition(":")[0]


# SQLite generates row numbers only where the type is exactly INTEGER.
_ROW_NUMBER = BigInteger().with_variant(Integer, "sqlite")

chats = Table(
    "chats",
    METADATA,
    Column("client", String(32), primary_key=True),
    Column("address", LargeBinary, nullable=False, comment="encrypted"),
    Column("progress", LargeBinary, nullable=False, comment="encrypted"),
    Column("version", Integer, nullable=False),
    Column("wake_at", BigInteger),
    Column("last_message_id", BigInteger),
    Column("held_until", BigInteger),
    Column("blocked_at", BigInteger),
    Column("created_on", Date, nullable=False),
    Column("question_id", BigInteger, comment="the message that ends the open question"),
    Column(
        "facts_apart", Boolean, nullable=False, server_default=false(), comment="some facts are in rows of their own"
    ),
    Column("channel", String(64), comment="messenger and bot, such as telegram:7; null where it is not known yet"),
)
_wakeable = and_(chats.c.wake_at.is_not(None), chats.c.blocked_at.is_(None))
Index(None, chats.c.channel, chats.c.wake_at, sqlite_where=_wakeable, postgresql_where=_wakeable)
_without_channel = chats.c.channel.is_(None)
Index("ix_chats_of_no_channel", chats.c.client, sqlite_where=_without_channel, postgresql_where=_without_channel)
_blocked_due = and_(chats.c.wake_at.is_not(None), chats.c.blocked_at.is_not(None))
Index(
    "ix_chats_out_of_reach",
    chats.c.wake_at,
    chats.c.client,
    sqlite_where=_blocked_due,
    postgresql_where=_blocked_due,
)

facts = Table(
    "facts",
    METADATA,
    Column("client", String(32), ForeignKey(chats.c.client), primary_key=True),
    Column("memory", LargeBinary, primary_key=True, comment="keyed hash of the memory's name"),
    Column("body", LargeBinary, nullable=False, comment="encrypted"),
    # Rows are only looked up by the primary key, so the table is stored in its order.
    sqlite_with_rowid=False,
)

inbox = Table(
    "inbox",
    METADATA,
    Column("key", LargeBinary, primary_key=True, comment="keyed hash"),
    Column("seen", BigInteger, nullable=False, index=True),
    Column("client", String(32), ForeignKey(chats.c.client)),
    Column("payload", LargeBinary, comment="encrypted"),
    Column("reason", String(80)),
)
_failed = inbox.c.client.is_not(None)
Index(None, inbox.c.client, sqlite_where=_failed, postgresql_where=_failed)

outbox = Table(
    "outbox",
    METADATA,
    Column("id", _ROW_NUMBER, primary_key=True),
    Column("client", String(32), ForeignKey(chats.c.client), nullable=False),
    Column("priority", String(16), nullable=False),
    Column("body", LargeBinary, comment="encrypted; emptied when sent"),
    Column("sent_at", BigInteger),
    Column("message_id", BigInteger),
    Column("dead_letter", String(80), comment="why it can never be sent"),
    Column("asks", Boolean, nullable=False, server_default=false()),
    Column("created_at", BigInteger),
    Column("replaceable", Boolean, nullable=False, server_default=false(), comment="plain text"),
    Column("same", LargeBinary, comment="keyed hash of what makes two messages equal"),
    Column("run", Integer, comment="the run whose messages are to be deleted from the chat"),
    # A number is never used twice: otherwise a message being sent during an erasure could mark another row as sent.
    sqlite_autoincrement=True,
)


def is_waiting(table: FromClause) -> ColumnElement[bool]:
    """Whether a row of the outbox, or of an alias of it, is still to be sent."""
    return and_(table.c.sent_at.is_(None), table.c.dead_letter.is_(None))


_waiting = is_waiting(outbox)
Index("ix_outbox_waiting", outbox.c.priority, outbox.c.id, sqlite_where=_waiting, postgresql_where=_waiting)
Index(None, outbox.c.client, outbox.c.id)
Index(
    "ix_outbox_waiting_of",
    outbox.c.client,
    outbox.c.priority,
    outbox.c.id,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)
_sent = outbox.c.sent_at.is_not(None)
Index(None, outbox.c.sent_at, sqlite_where=_sent, postgresql_where=_sent)
_dead = outbox.c.dead_letter.is_not(None)
Index("ix_outbox_dead_letters", outbox.c.id, sqlite_where=_dead, postgresql_where=_dead)

entries = Table(
    "entries",
    METADATA,
    Column("client", String(32), ForeignKey(chats.c.client), primary_key=True),
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("kind", LargeBinary, nullable=False, comment="keyed hash of the dialogue's name"),
    Column("body", LargeBinary, nullable=False, comment="encrypted"),
    Index(None, "client", "kind", "run"),
)

erasure_notices = Table(
    "erasure_notices",
    METADATA,
    Column("id", _ROW_NUMBER, primary_key=True),
    Column("client", String(32), nullable=False, unique=True),
    Column("channel", String(64)),
    Column("body", LargeBinary, comment="encrypted with a key of the operator; null where no address is known"),
    Column("since", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

holds = Table(
    "holds",
    METADATA,
    Column("name", String(64), primary_key=True, comment="a channel"),
    Column("until", BigInteger, nullable=False),
)

pairing = Table(
    "pairing",
    METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False, comment="encrypted; shows that the key store belongs to these data"),
)

counters = Table(
    "counters",
    METADATA,
    Column("month", Date, primary_key=True, comment="its first day"),
    Column("name", String(40), primary_key=True),
    Column("number", Integer, nullable=False),
)
