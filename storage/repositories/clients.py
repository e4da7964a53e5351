"""Clients and their chats: found by address, kept turn by turn, erased without a trace."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, bindparam, delete, func, insert, select, tuple_, update

from state_machine.model.outgoing import Message
from state_machine.model.progress import Progress
from storage.codec import Malformed, read_progress, write_progress
from storage.errors import DecryptionError, Stale, Unreadable
from storage.repositories.facts import FactRows, KeptFacts, kept
from storage.statements import Statement
from storage.tables import METADATA, channel_of, chats, erasure_notices, is_waiting, outbox
from storage.timestamps import EPOCH, from_micros, to_micros

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
_get = Statement(
    select(
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
        chats.c.facts_apart,
    ).where(chats.c.client == bindparam("client"))
)
_keep = Statement(
    update(chats)
    .where(chats.c.client == bindparam("client_"), chats.c.version == bindparam("version_"))
    .values(
        progress=bindparam("progress_"),
        wake_at=bindparam("wake_at_"),
        facts_apart=bindparam("facts_apart_"),
        version=chats.c.version + 1,
    )
)
_back = Statement(
    update(chats).where(chats.c.client == bindparam("client_")).values(blocked_at=None, held_until=None)
)
_due = (
    select(chats.c.client, chats.c.wake_at)
    .where(chats.c.channel == bindparam("channel"))
    .where(chats.c.wake_at <= bindparam("now"), chats.c.wake_at.is_not(None), _unblocked)
    .order_by(chats.c.wake_at)
    .limit(bindparam("most", type_=Integer))
)
_out_of_reach = (
    select(chats.c.wake_at, chats.c.client)
    .where(chats.c.wake_at <= bindparam("now"), chats.c.wake_at.is_not(None), chats.c.blocked_at.is_not(None))
    .where(tuple_(chats.c.wake_at, chats.c.client) > tuple_(bindparam("wake_at"), bindparam("client")))
    .order_by(chats.c.wake_at, chats.c.client)
    .limit(bindparam("most", type_=Integer))
)
_lose_question = update(chats).values(question_id=None)
_next_wake = select(func.min(chats.c.wake_at)).where(
    chats.c.channel == bindparam("channel"), chats.c.wake_at.is_not(None), _unblocked
)
_of_no_channel = select(chats.c.client, chats.c.address).where(chats.c.channel.is_(None))


@dataclass(frozen=True, slots=True)
class Chat:
    """One client's chat as it stood when it was read. Of many facts some are read by name: see `KeptFacts`.

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
        self._driver = work.driver
        self._vault = work.vault
        self._facts = FactRows(work)

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
        row = self._driver.first(_get, {"client": client})
        return None if row is None else self._read(row)

    def open(self, address: str, now: datetime) -> Chat:
        """A new client at an address where there is none. The client's key is durable before the row."""
        client = self._vault.find(address, afresh=True)
        if client is not None and self._work.erasure_notices.exists_for(client):
            # An erasure that was cut off: what is left of that client must not become this one.
            self._work.finish_erasure(client)
            client = None
        if client is None:
            client = secrets.token_hex(16)
            self._vault.make(client, address)
        progress = Progress(facts=KeptFacts(client, {}, False, self._facts))
        self._connection.execute(
            insert(chats),
            {
                "client": client,
                "address": self._vault.encrypt(client, "chats.address", address.encode()),
                "progress": self._vault.encrypt(client, "chats.progress", write_progress(progress)),
                "version": 1,
                "created_on": now.date(),
                "channel": channel_of(address),
            },
        )
        vault = self._vault
        self._work.after_commit(lambda: vault.settle(client))
        return Chat(client, address, progress, 1, None, False, 0)

    def keep(self, chat: Chat, progress: Progress, wake_at: datetime | None, now: datetime) -> Chat:  # noqa: ARG002
        """Keep a client's progress and when to wake; `now` is the instant of the turn.

        Raises Stale if somebody else kept it since it was read.
        """
        facts = kept(self._facts, chat.client, chat.progress.facts, progress.facts)
        progress = replace(progress, facts=facts)
        changed = self._driver.run(
            _keep,
            {
                "client_": chat.client,
                "version_": chat.version,
                "progress_": self._vault.encrypt(chat.client, "chats.progress", write_progress(progress)),
                "wake_at_": None if wake_at is None else to_micros(wake_at),
                "facts_apart_": facts.apart,
            },
        )
        if changed != 1:
            raise Stale
        return replace(chat, progress=progress, version=chat.version + 1, wake_at=wake_at)

    def wake(self, client: str, wake_at: datetime | None) -> None:
        """Change only when to wake: for a client whose progress can't be read, so that they are not due for ever."""
        self._change(client, wake_at=None if wake_at is None else to_micros(wake_at))

    def due(self, channel: str, now: datetime, limit: int) -> list[tuple[str, datetime]]:
        """Clients of a channel to be woken, with the moment they asked for, the oldest first; none who blocked us."""
        rows = self._connection.execute(_due, {"channel": channel, "now": to_micros(now), "most": limit})
        return [(client, from_micros(wake_at)) for client, wake_at in rows]

    def out_of_reach(
        self, now: datetime, most: int, after: tuple[datetime, str] = (EPOCH, "")
    ) -> list[tuple[datetime, str]]:
        """Clients who blocked us, and of whom something may have been kept long enough: since when, and who.

        Up to `most` of them in order, from the one that follows `after`.
        """
        since, client = after
        values = {"now": to_micros(now), "wake_at": to_micros(since), "client": client, "most": most}
        return [(from_micros(wake_at), client) for wake_at, client in self._connection.execute(_out_of_reach, values)]

    def next_wake(self, channel: str) -> datetime | None:
        """The earliest moment somebody on a channel asked to be woken at."""
        earliest = self._connection.scalar(_next_wake, {"channel": channel})
        return None if earliest is None else from_micros(earliest)

    def block(self, client: str, now: datetime) -> None:
        """The client blocked us: what waits for them is dropped, and nothing is said to them."""
        self._change(client, blocked_at=to_micros(now))
        self._connection.execute(_lose_question.where(chats.c.client == client, _asking > 0))
        self._connection.execute(delete(outbox).where(outbox.c.client == client, is_waiting(outbox)))

    def unblock(self, client: str) -> None:
        """The client is back."""
        self._driver.run(_back, {"client_": client})

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
        self._work.erasure_notices.put(client, where, farewell, messages, now)
        for table in reversed(METADATA.sorted_tables):
            if "client" in table.c and table is not erasure_notices:
                self._connection.execute(delete(table).where(table.c.client == client))
        vault = self._vault
        self._work.after_commit(lambda: vault.destroy(client))

    def fill_channels(self) -> int:
        """Note the channel of chats that an earlier release kept without one. Returns how many were noted."""
        noted = 0
        for client, address in self._connection.execute(_of_no_channel).all():
            try:
                channel = channel_of(self._vault.decrypt(client, "chats.address", address).decode())
            except (DecryptionError, UnicodeDecodeError):
                continue  # nobody can write to them anyway
            self._connection.execute(update(chats).where(chats.c.client == client).values(channel=channel))
            noted += 1
        return noted

    def count(self) -> int:
        """How many clients there are."""
        return self._connection.scalar(select(func.count()).select_from(chats)) or 0

    def _change(self, client: str, **values: int | None) -> None:
        self._connection.execute(update(chats).where(chats.c.client == client).values(values))

    def _read(self, row: tuple[Any, ...]) -> Chat:
        (
            client,
            address,
            encrypted,
            version,
            last_message_id,
            blocked_at,
            waiting,
            question_id,
            asking,
            wake_at,
            apart,
        ) = row
        try:
            progress = read_progress(self._vault.decrypt(client, "chats.progress", encrypted))
            facts = KeptFacts(client, progress.facts, bool(apart), self._facts)
            return Chat(
                client,
                self._vault.decrypt(client, "chats.address", address).decode(),
                replace(progress, facts=facts),
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
