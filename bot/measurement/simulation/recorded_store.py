"""The bot's own store and conversation, which tell the ledger what they committed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import cast

from bot.conversation import Conversation, InboundEvent
from bot.measurement.simulation.recorder import Committed, Recorder, words_of
from bot.measurement.simulation.rules_of_time import Woken, judge
from dialogues.rendering.prompts import Prompts
from state_machine.model.outgoing import Message, Outgoing, Priority
from state_machine.model.progress import Progress
from state_machine.turn.machine import Machines
from storage.repositories.chats import Chat, Chats
from storage.repositories.clients import Clients
from storage.repositories.inbox import Inbox
from storage.repositories.outbox import Outbox, OutboxMessage
from storage.session import Session
from storage.store import Store, UnitOfWork


class RecordedStore(Store):
    """A store that tells `ledger` of every commit, once there is one."""

    recorder: Recorder | None = None

    @classmethod
    def watched(cls, folder: Path, recorder: Recorder) -> RecordedStore:
        """The store of `folder`, with all that it commits from now on told to `ledger`."""
        store = cast(RecordedStore, cls.open(folder, sends=True))
        store.recorder = recorder
        return store

    @contextmanager
    def begin(self, *, read_only: bool = False, durable: bool = True) -> Iterator[UnitOfWork]:
        """As the store's own."""
        seen = Committed()
        with super().begin(read_only=read_only, durable=durable) as work:
            work.chats = _Chats(work, seen)
            work.clients = _Clients(work, seen)
            work.outbox = _Outbox(work, seen)
            work.inbox = _Inbox(work, seen)
            yield work
        if self.recorder is not None:
            self.recorder.committed(seen)


class RecordedConversation(Conversation):
    """A conversation whose unasked words are judged as soon as they are committed."""

    def __init__(
        self, store: Store, machines: Machines, prompts: Prompts, recorder: Recorder, up_since: datetime
    ) -> None:
        super().__init__(store, machines, prompts)
        self._recorder = recorder
        self.up_since = up_since

    def receive_all(self, events: Sequence[InboundEvent]) -> int:
        """As the conversation's own."""
        new = super().receive_all(events)
        self._recorder.counts["turns"] += new
        self._recorder.counts["updates that came again"] += len(events) - new
        return new

    def wake(self, client: str, due: datetime, now: datetime) -> bool:
        """As the conversation's own."""
        book = self._recorder.books[client]
        before, waiting, decided = book.progress, len(book.waiting), book.decided_at or self.up_since
        woke = super().wake(client, due, now)
        self._recorder.counts["turns"] += woke
        self._recorder.counts["woken" if woke else "woken in vain"] += 1
        if woke and not book.erased:
            spoke = len(book.waiting) > waiting
            since = max(self.up_since, book.since or self.up_since)
            judge(self._recorder, Woken(book, before, due, now, spoke, since, decided, self._machines.script))
        return woke


class _Chats(Chats):
    def __init__(self, session: Session, seen: Committed) -> None:
        super().__init__(session)
        self._seen = seen

    def create(self, address: str, now: datetime) -> Chat:
        chat = super().create(address, now)
        self._seen.opened.append((chat.client, address))
        return chat

    def save(self, chat: Chat, progress: Progress, wake_at: datetime | None) -> Chat:
        # The ledger looks at it after the transaction, when no fact can be read from its row any more.
        whole = replace(progress, facts=dict(progress.facts.items()))
        self._seen.kept.append((chat.client, whole, wake_at))
        return super().save(chat, progress, wake_at)


class _Clients(Clients):
    def __init__(self, session: Session, seen: Committed) -> None:
        super().__init__(session)
        self._seen = seen

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
    def __init__(self, session: Session, seen: Committed) -> None:
        super().__init__(session)
        self._seen = seen

    def put(
        self,
        client: str,
        priority: Priority,
        messages: Sequence[Outgoing],
        now: datetime,
        *,
        others_wait: bool = True,
    ) -> None:
        before = self._waiting(client) if others_wait else []
        super().put(client, priority, messages, now, others_wait=others_wait)
        self._seen.put.append((client, priority, list(messages)))
        if before:
            self._seen.requeued.append((client, before, self._waiting(client)))

    def _waiting(self, client: str) -> list[str]:
        """The words that wait for a client, in the order in which they will be sent."""
        return [words for message in self.all_for(client) if (words := words_of(message.content))]

    def reject(self, message: OutboxMessage, reason: str) -> OutboxMessage | None:
        following = super().reject(message, reason)
        self._seen.failed.append(f"a message: {reason}")
        self._seen.dead_letters += 1
        return following


class _Inbox(Inbox):
    def __init__(self, session: Session, seen: Committed) -> None:
        super().__init__(session)
        self._seen = seen

    def record_failure(self, key: str, client: str, payload: bytes, reason: str) -> None:
        super().record_failure(key, client, payload, reason)
        self._seen.failed.append(f"an event: {reason}")
