"""Clients: whose wake-up is due, who blocked the bot, and the erasure of everything about one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Integer, bindparam, delete, func, select, tuple_, update

from state_machine.model.outgoing import Message
from storage.database import EPOCH, Statement, from_micros, to_micros
from storage.errors import DecryptionError
from storage.repositories.chats import waiting_questions
from storage.repositories.erasure_notices import ErasureNotices
from storage.repositories.outbox import Outbox
from storage.session import Session
from storage.tables import METADATA, channel_of, chats, erasure_notices, is_waiting, outbox

MESSAGES_DELETABLE = timedelta(hours=48)
"""How long Telegram lets a bot delete its messages."""

_not_blocked = chats.c.blocked_at.is_(None)
_unblock = Statement(
    update(chats).where(chats.c.client == bindparam("client_")).values(blocked_at=None, held_until=None)
)
_due = (
    select(chats.c.client, chats.c.wake_at)
    .where(chats.c.channel == bindparam("channel"))
    .where(chats.c.wake_at <= bindparam("now"), chats.c.wake_at.is_not(None), _not_blocked)
    .order_by(chats.c.wake_at)
    .limit(bindparam("most", type_=Integer))
)
_blocked_due = (
    select(chats.c.wake_at, chats.c.client)
    .where(chats.c.wake_at <= bindparam("now"), chats.c.wake_at.is_not(None), chats.c.blocked_at.is_not(None))
    .where(tuple_(chats.c.wake_at, chats.c.client) > tuple_(bindparam("wake_at"), bindparam("client")))
    .order_by(chats.c.wake_at, chats.c.client)
    .limit(bindparam("most", type_=Integer))
)
_next_wake_at = select(func.min(chats.c.wake_at)).where(
    chats.c.channel == bindparam("channel"), chats.c.wake_at.is_not(None), _not_blocked
)
_clear_question = update(chats).values(question_id=None)
_without_channel = select(chats.c.client, chats.c.address).where(chats.c.channel.is_(None))


class Clients:
    """Clients, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection
        self._driver = session.driver
        self._vault = session.vault

    def due(self, channel: str, now: datetime, limit: int) -> list[tuple[str, datetime]]:
        """Up to `limit` clients of a channel whose wake-up is due, with when it was due, the earliest first.

        Clients who blocked the bot are left out.
        """
        rows = self._connection.execute(_due, {"channel": channel, "now": to_micros(now), "most": limit})
        return [(client, from_micros(wake_at)) for client, wake_at in rows]

    def blocked_due(
        self, now: datetime, limit: int, after: tuple[datetime, str] = (EPOCH, "")
    ) -> list[tuple[datetime, str]]:
        """Clients who blocked the bot and whose wake-up is due: some of their data may have expired.

        Up to `limit` pairs of due time and client, in order, beginning after the pair `after`.
        """
        wake_at, client = after
        values = {"now": to_micros(now), "wake_at": to_micros(wake_at), "client": client, "most": limit}
        return [(from_micros(at), found) for at, found in self._connection.execute(_blocked_due, values)]

    def next_wake_at(self, channel: str) -> datetime | None:
        """When the earliest wake-up on a channel is due, leaving out clients who blocked the bot."""
        earliest = self._connection.scalar(_next_wake_at, {"channel": channel})
        return None if earliest is None else from_micros(earliest)

    def set_wake_at(self, client: str, wake_at: datetime | None) -> None:
        """Change only when the client's wake-up is due, for a client whose progress can't be read."""
        self._update(client, wake_at=None if wake_at is None else to_micros(wake_at))

    def block(self, client: str, now: datetime) -> None:
        """The client blocked the bot: delete the messages that wait for them, and send no more."""
        self._update(client, blocked_at=to_micros(now))
        self._connection.execute(_clear_question.where(chats.c.client == client, waiting_questions > 0))
        self._connection.execute(delete(outbox).where(outbox.c.client == client, is_waiting(outbox)))

    def unblock(self, client: str) -> None:
        """The client wrote again after blocking the bot."""
        self._driver.execute(_unblock, {"client_": client})

    def erase(self, client: str, farewell: Sequence[Message], now: datetime) -> None:
        """Delete every row of the client, and the client's key after the commit.

        One encrypted erasure notice is kept for at most a day: the farewell, its address, and which messages to
        delete there.
        """
        address = self._connection.scalar(select(chats.c.address).where(chats.c.client == client))
        if address is None:
            return
        message_ids = Outbox(self._session).message_ids(client, now - MESSAGES_DELETABLE)
        ErasureNotices(self._session).put(client, self._decrypt_address(client, address), farewell, message_ids, now)
        for table in reversed(METADATA.sorted_tables):
            if "client" in table.c and table is not erasure_notices:
                self._connection.execute(delete(table).where(table.c.client == client))
        vault = self._vault
        self._session.after_commit(lambda: vault.destroy_keys(client))

    def fill_channels(self) -> int:
        """Set the channel of chats that an earlier release stored without one. Returns of how many."""
        filled = 0
        for client, encrypted in self._connection.execute(_without_channel).all():
            address = self._decrypt_address(client, encrypted)
            if address is None:
                continue  # without an address nothing can be sent there
            self._connection.execute(
                update(chats).where(chats.c.client == client).values(channel=channel_of(address))
            )
            filled += 1
        return filled

    def count(self) -> int:
        """How many clients there are."""
        return self._connection.scalar(select(func.count()).select_from(chats)) or 0

    def _decrypt_address(self, client: str, encrypted: bytes) -> str | None:
        try:
            return self._vault.decrypt(client, "chats.address", encrypted).decode()
        except (DecryptionError, UnicodeDecodeError):
            return None

    def _update(self, client: str, **values: int | None) -> None:
        self._connection.execute(update(chats).where(chats.c.client == client).values(values))
