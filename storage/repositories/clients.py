"""Clients and their chats: found by address, kept turn by turn, erased without a trace."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Integer, Row, bindparam, delete, func, insert, select, update

from state_machine.model.outgoing import Message
from state_machine.model.progress import Progress
from storage.codec import Malformed, read_progress, write_progress
from storage.errors import DecryptionError, Stale, Unreadable
from storage.tables import METADATA, chats, is_waiting, outbox, partings
from storage.timestamps import from_micros, to_micros

if TYPE_CHECKING:
    from storage.unit_of_work import UnitOfWork

__all__ = ["Chat", "Clients", "Stale", "Unreadable"]

MESSAGES_DELETABLE = timedelta(hours=48)
"""How long Telegram lets a bot delete its messages."""

_unblocked = chats.c.blocked_at.is_(None)
_waiting = (
    select(func.count())
    .select_from(outbox)
    .where(outbox.c.client == chats.c.client, is_waiting(outbox))
    .scalar_subquery()
)
_asking = (
    select(func.count())
    .select_from(outbox)
    .where(outbox.c.client == chats.c.client, is_waiting(outbox), outbox.c.asks)
    .scalar_subquery()
)
_get = select(
    chats.c.client,
    chats.c.address,
    chats.c.progress,
    chats.c.version,
    chats.c.last_message_id,
    chats.c.blocked_at,
    _waiting.label("waiting"),
    chats.c.question_id,
    _asking.label("asking"),
    chats.c.wake_at,
).where(chats.c.client == bindparam("client"))
_keep = (
    update(chats)
    .where(chats.c.client == bindparam("client_"), chats.c.version == bindparam("version_"))
    .values(progress=bindparam("progress_"), wake_at=bindparam("wake_at_"), version=chats.c.version + 1)
)
_due = (
    select(chats.c.client, chats.c.wake_at)
    .where(chats.c.wake_at <= bindparam("now"), chats.c.wake_at.is_not(None), _unblocked)
    .order_by(chats.c.wake_at)
    .limit(bindparam("most", type_=Integer))
)
_due_of_others = _due.where(chats.c.client.not_in(bindparam("but", expanding=True)))
_out_of_reach = (
    select(chats.c.client)
    .where(chats.c.wake_at <= bindparam("now"), chats.c.wake_at.is_not(None), chats.c.blocked_at.is_not(None))
    .order_by(chats.c.wake_at)
)
_lose_question = update(chats).values(question_id=None)
_next_wake = select(func.min(chats.c.wake_at)).where(chats.c.wake_at.is_not(None), _unblocked)


@dataclass(frozen=True, slots=True)
class Chat:
    """One client's chat as it stood when it was read.

    `last_message_id` is the greatest message id carried so far; `waiting` how many parcels are still to be carried,
    `asking` how many of them are questions; `question_id` is the message that ends the question carried last, None
    if none was or a later one never will be;
    `wake_at` is when they are to be woken.
    """

    client: str
    address: str
    progress: Progress
    version: int
    last_message_id: int | None
    blocked: bool
    waiting: int
    question_id: int | None = None
    asking: int = 0
    wake_at: datetime | None = None


class Clients:
    """Clients, within one transaction."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self._connection = work.connection
        self._vault = work.vault

    def at(self, address: str) -> Chat | None:
        """The chat at an address, if there is one. Raises Unreadable if its row can't be opened or parsed."""
        client = self._vault.find(address)
        chat = None if client is None else self.get(client)
        if client is not None and chat is None:
            # Erased by another process, and perhaps begun anew, since it was looked up here.
            client = self._vault.find(address, afresh=True)
            chat = None if client is None else self.get(client)
        return chat

    def get(self, client: str) -> Chat | None:
        """The chat of a client, if there is one. Raises Unreadable if its row can't be opened or parsed."""
        row = self._connection.execute(_get, {"client": client}).first()
        return None if row is None else self._read(row)

    def open(self, address: str, now: datetime) -> Chat:
        """A new client at an address where there is none. The client's key is durable before the row."""
        client = self._vault.find(address, afresh=True)
        if client is not None and self._work.partings.leads_to(client):
            # An erasure that was cut off: what is left of that client must not become this one.
            self._work.finish_erasure(client)
            client = None
        if client is None:
            client = secrets.token_hex(16)
            self._vault.make(client, address)
        progress = Progress()
        self._connection.execute(
            insert(chats),
            {
                "client": client,
                "address": self._vault.encrypt(client, "chats.address", address.encode()),
                "progress": self._vault.encrypt(client, "chats.progress", write_progress(progress)),
                "version": 1,
                "created_on": now.date(),
            },
        )
        vault = self._vault
        self._work.after_commit(lambda: vault.settle(client))
        return Chat(client, address, progress, 1, None, False, 0)

    def keep(self, chat: Chat, progress: Progress, wake_at: datetime | None, now: datetime) -> Chat:  # noqa: ARG002
        """Keep a client's progress and when to wake; `now` is the instant of the turn.

        Raises Stale if somebody else kept it since it was read.
        """
        changed = self._connection.execute(
            _keep,
            {
                "client_": chat.client,
                "version_": chat.version,
                "progress_": self._vault.encrypt(chat.client, "chats.progress", write_progress(progress)),
                "wake_at_": None if wake_at is None else to_micros(wake_at),
            },
        )
        if changed.rowcount != 1:
            raise Stale
        return replace(chat, progress=progress, version=chat.version + 1, wake_at=wake_at)

    def wake(self, client: str, wake_at: datetime | None) -> None:
        """Change only when to wake: for a client whose progress can't be read, so that they are not due for ever."""
        self._change(client, wake_at=None if wake_at is None else to_micros(wake_at))

    def due(self, now: datetime, limit: int, but: Collection[str] = ()) -> list[tuple[str, datetime]]:
        """Clients to be woken, with the moment they asked for, the oldest first; none who blocked us or of `but`."""
        values = {"now": to_micros(now), "most": limit}
        rows = (
            self._connection.execute(_due_of_others, {**values, "but": list(but)})
            if but
            else self._connection.execute(_due, values)
        )
        return [(client, from_micros(wake_at)) for client, wake_at in rows]

    def out_of_reach(self, now: datetime) -> list[str]:
        """Clients who blocked us, and of whom something may have been kept long enough."""
        return list(self._connection.scalars(_out_of_reach, {"now": to_micros(now)}))

    def next_wake(self) -> datetime | None:
        """The earliest moment somebody asked to be woken at."""
        earliest = self._connection.scalar(_next_wake)
        return None if earliest is None else from_micros(earliest)

    def block(self, client: str, now: datetime) -> None:
        """The client blocked us: what waits for them is dropped, and nothing is said to them."""
        self._change(client, blocked_at=to_micros(now))
        self._connection.execute(_lose_question.where(chats.c.client == client, _asking > 0))
        self._connection.execute(delete(outbox).where(outbox.c.client == client, is_waiting(outbox)))

    def unblock(self, client: str) -> None:
        """The client is back."""
        self._change(client, blocked_at=None, held_until=None)

    def erase(self, client: str, farewell: Sequence[Message], now: datetime) -> None:
        """Every row of the client goes, and after the commit their key.

        One sealed parting stays for at most a day: where to say farewell, and which messages to delete.
        """
        address = self._connection.scalar(select(chats.c.address).where(chats.c.client == client))
        if address is None:
            return
        messages = self._work.outbox.message_ids(client, now - MESSAGES_DELETABLE)
        try:
            where = self._vault.decrypt(client, "chats.address", address).decode()
        except (DecryptionError, UnicodeDecodeError):
            where = None
        self._work.partings.put(client, where, farewell, messages, now)
        for table in reversed(METADATA.sorted_tables):
            if "client" in table.c and table is not partings:
                self._connection.execute(delete(table).where(table.c.client == client))
        vault = self._vault
        self._work.after_commit(lambda: vault.destroy(client))

    def count(self) -> int:
        """How many clients there are."""
        return self._connection.scalar(select(func.count()).select_from(chats)) or 0

    def _change(self, client: str, **values: int | None) -> None:
        self._connection.execute(update(chats).where(chats.c.client == client).values(values))

    def _read(
        self, row: Row[str, bytes, bytes, int, int | None, int | None, int, int | None, int, int | None]
    ) -> Chat:
        client, address, progress, version, last_message_id, blocked_at, waiting, question_id, asking, wake_at = row
        try:
            return Chat(
                client,
                self._vault.decrypt(client, "chats.address", address).decode(),
                read_progress(self._vault.decrypt(client, "chats.progress", progress)),
                version,
                last_message_id,
                blocked_at is not None,
                waiting,
                question_id,
                asking,
                None if wake_at is None else from_micros(wake_at),
            )
        except (DecryptionError, Malformed, UnicodeDecodeError):
            raise Unreadable(client) from None
