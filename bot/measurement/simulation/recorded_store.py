"""The bot's real store and conversation; they tell the recorder what they commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import cast

from bot.conversation import Conversation, InboundEvent
from bot.measurement.simulation.recorder import Committed, OutboxChange, Recorder, text_of
from bot.measurement.simulation.wake_up_rules import WakeUpRecord, check_wake_up
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
    """A store that tells its recorder, if it has one, of every commit."""

    recorder: Recorder | None = None

    @classmethod
    def open_recorded(cls, folder: Path, recorder: Recorder) -> RecordedStore:
        """Open the store in `folder`, and tell `recorder` of all further commits."""
        store = cast(RecordedStore, cls.open(folder, sends=True))
        store.recorder = recorder
        return store

    @contextmanager
    def begin(self, *, read_only: bool = False, durable: bool = True) -> Iterator[UnitOfWork]:
        """As in the base class."""
        committed = Committed()
        with super().begin(read_only=read_only, durable=durable) as work:
            work.chats = _Chats(work, committed)
            work.clients = _Clients(work, committed)
            work.outbox = _Outbox(work, committed)
            work.inbox = _Inbox(work, committed)
            yield work
        if self.recorder is not None:
            self.recorder.committed(committed)


class RecordedConversation(Conversation):
    """A conversation whose wake-ups are counted and checked after their commit.

    `up_since`: since when the process runs and Telegram can be reached.
    """

    def __init__(
        self, store: Store, machines: Machines, prompts: Prompts, recorder: Recorder, up_since: datetime
    ) -> None:
        super().__init__(store, machines, prompts)
        self._recorder = recorder
        self.up_since = up_since

    def receive_all(self, events: Sequence[InboundEvent]) -> int:
        """As in the base class."""
        new = super().receive_all(events)
        self._recorder.counts["turns"] += new
        self._recorder.counts["updates redelivered"] += len(events) - new
        return new

    def wake(self, client: str, due: datetime, now: datetime) -> bool:
        """As in the base class."""
        record = self._recorder.clients[client]
        before, waiting, decided = record.progress, len(record.waiting), record.decided_at or self.up_since
        woke = super().wake(client, due, now)
        self._recorder.counts["turns"] += woke
        self._recorder.counts["woken" if woke else "woken in vain"] += 1
        if woke and not record.erased:
            spoke = len(record.waiting) > waiting
            since = max(self.up_since, record.reachability_changed_at or self.up_since)
            check_wake_up(
                self._recorder, WakeUpRecord(record, before, due, now, spoke, since, decided, self._machines.script)
            )
        return woke


class _Chats(Chats):
    def __init__(self, session: Session, committed: Committed) -> None:
        super().__init__(session)
        self._committed = committed

    def create(self, address: str, now: datetime) -> Chat:
        chat = super().create(address, now)
        self._committed.opened.append((chat.client, address))
        return chat

    def save(self, chat: Chat, progress: Progress, wake_at: datetime | None) -> Chat:
        # The recorder reads it after the transaction, when no fact can be read from its row any more.
        whole = replace(progress, facts=dict(progress.facts.items()))
        self._committed.progress.append((chat.client, whole, wake_at))
        return super().save(chat, progress, wake_at)


class _Clients(Clients):
    def __init__(self, session: Session, committed: Committed) -> None:
        super().__init__(session)
        self._committed = committed

    def block(self, client: str, now: datetime) -> None:
        super().block(client, now)
        self._committed.blocked.append((client, True))

    def unblock(self, client: str) -> None:
        super().unblock(client)
        self._committed.blocked.append((client, False))

    def erase(self, client: str, notice: Sequence[Message], now: datetime) -> None:
        super().erase(client, notice, now)
        self._committed.erased.append((client, list(notice)))


class _Outbox(Outbox):
    def __init__(self, session: Session, committed: Committed) -> None:
        super().__init__(session)
        self._committed = committed

    def put(
        self,
        client: str,
        priority: Priority,
        messages: Sequence[Outgoing],
        now: datetime,
        *,
        others_wait: bool = True,
    ) -> None:
        before = self._waiting(client)
        super().put(client, priority, messages, now, others_wait=others_wait)
        self._committed.outbox.append(OutboxChange(client, before, self._waiting(client), list(messages), priority))

    def take_ids_of_run(self, client: str, run: int, before: int) -> tuple[int, ...]:
        waited = self._waiting(client)
        found = super().take_ids_of_run(client, run, before)
        self._committed.outbox.append(OutboxChange(client, waited, self._waiting(client)))
        return found

    def _waiting(self, client: str) -> list[str]:
        """The texts that wait for a client, in the order in which they will be sent."""
        return [text for message in self.all_for(client) if (text := text_of(message.content))]

    def reject(self, message: OutboxMessage, reason: str) -> OutboxMessage | None:
        waited = self._waiting(message.client)
        following = super().reject(message, reason)
        self._committed.failed.append(f"a message: {reason}")
        self._committed.outbox.append(OutboxChange(message.client, waited, self._waiting(message.client)))
        return following


class _Inbox(Inbox):
    def __init__(self, session: Session, committed: Committed) -> None:
        super().__init__(session)
        self._committed = committed

    def record_failure(self, key: str, client: str, payload: bytes, reason: str) -> None:
        super().record_failure(key, client, payload, reason)
        self._committed.failed.append(f"an event: {reason}")
