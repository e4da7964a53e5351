"""The bot's own store and conversation, which tell the ledger what they committed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import cast

from bot.conversation import Conversation, Heard
from bot.simulation.ledger import Committed, Ledger
from bot.simulation.rules_of_time import Woken, judge
from dialogues.prompts import Prompts
from state_machine.chart import Charts
from state_machine.messages import Lane, Message, Outgoing
from state_machine.progress import Progress
from storage.clients import Chat, Clients
from storage.inbox import Inbox
from storage.outbox import Outbox
from storage.store import Store
from storage.work import Work


class WatchedStore(Store):
    """A store that tells `ledger` of every commit, once there is one."""

    ledger: Ledger | None = None

    @classmethod
    def watched(cls, folder: Path, ledger: Ledger) -> WatchedStore:
        """The store of `folder`, with all that it commits from now on told to `ledger`."""
        store = cast(WatchedStore, cls.open(folder, carries=True))
        store.ledger = ledger
        return store

    @contextmanager
    def begin(self, immediate: bool = True, lasting: bool = True) -> Iterator[Work]:
        """As the store's own."""
        seen = Committed()
        with super().begin(immediate, lasting) as work:
            work.clients = _Clients(work, seen)
            work.outbox = _Outbox(work, seen)
            work.inbox = _Inbox(work, seen)
            yield work
        if self.ledger is not None:
            self.ledger.committed(seen)


class WatchedConversation(Conversation):
    """A conversation whose unasked words are judged as soon as they are committed."""

    def __init__(self, store: Store, charts: Charts, prompts: Prompts, ledger: Ledger, up_since: datetime) -> None:
        super().__init__(store, charts, prompts)
        self._ledger = ledger
        self.up_since = up_since

    def hear(self, heard: Heard) -> bool:
        """As the conversation's own."""
        new = super().hear(heard)
        self._ledger.counts["turns" if new else "updates that came again"] += 1
        return new

    def wake(self, client: str, due: datetime, now: datetime) -> bool:
        """As the conversation's own."""
        book = self._ledger.books[client]
        before, waiting, decided = book.progress, len(book.waiting), book.decided_at or self.up_since
        woke = super().wake(client, due, now)
        self._ledger.counts["turns"] += woke
        self._ledger.counts["woken" if woke else "woken in vain"] += 1
        if woke and not book.erased:
            spoke = len(book.waiting) > waiting
            since = max(self.up_since, book.since or self.up_since)
            judge(self._ledger, Woken(book, before, due, now, spoke, since, decided, self._charts.script))
        return woke


class _Clients(Clients):
    def __init__(self, work: Work, seen: Committed) -> None:
        super().__init__(work)
        self._seen = seen

    def open(self, address: str, now: datetime) -> Chat:
        chat = super().open(address, now)
        self._seen.opened.append((chat.client, address))
        return chat

    def keep(self, chat: Chat, progress: Progress, wake_at: datetime | None, now: datetime) -> Chat:
        self._seen.kept.append((chat.client, progress, wake_at))
        return super().keep(chat, progress, wake_at, now)

    def block(self, client: str, now: datetime) -> None:
        super().block(client, now)
        self._seen.blocked.append((client, True))

    def unblock(self, client: str) -> None:
        super().unblock(client)
        self._seen.blocked.append((client, False))

    def erase(self, client: str, farewell: Sequence[Message], now: datetime) -> None:
        super().erase(client, farewell, now)
        self._seen.erased.append((client, list(farewell)))


class _Outbox(Outbox):
    def __init__(self, work: Work, seen: Committed) -> None:
        super().__init__(work)
        self._seen = seen

    def put(self, client: str, lane: Lane, messages: Sequence[Outgoing], now: datetime) -> None:
        super().put(client, lane, messages, now)
        self._seen.put.append((client, lane, list(messages)))

    def park(self, parcel_id: int, reason: str) -> None:
        super().park(parcel_id, reason)
        self._seen.parked.append(f"a message: {reason}")
        self._seen.parked_parcels += 1


class _Inbox(Inbox):
    def __init__(self, work: Work, seen: Committed) -> None:
        super().__init__(work)
        self._seen = seen

    def park(self, key: str, client: str, payload: bytes, reason: str) -> None:
        super().park(key, client, payload, reason)
        self._seen.parked.append(f"an event: {reason}")
