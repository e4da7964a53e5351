"""Records every commit of the bot during a simulation, and checks each message that arrives in a chat against them.

The recorder outlives the bot's processes. It learns of changes only after their commit.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from state_machine.model.outgoing import ExportFile, Message, Outgoing, Priority
from state_machine.model.progress import Progress, Unasked
from storage.repositories.chats import read_progress, write_progress


@dataclass(slots=True)
class ArrivedMessage:
    """One new message in a client's chat. `acknowledged`: whether the bot received the response to its call."""

    number: int
    text: str
    acknowledged: bool = False


@dataclass(slots=True)
class ClientRecord:
    """One client as the bot's database has them."""

    client: str
    address: str
    progress_bytes: bytes = write_progress(Progress())
    """Their progress, encoded as in the store: a thousand of them must not count as memory of the bot."""
    wake_at: datetime | None = None
    decided_at: datetime | None = None
    """When `wake_at` was set. It may be later than `wake_at`: a trigger can become due by what the client does."""
    blocked: bool = False
    reachability_changed_at: datetime | None = None
    """When they last blocked or unblocked the bot."""
    erased: bool = False
    waiting: deque[str] = field(default_factory=deque)
    """The texts still to arrive, in order."""
    in_flight: str | None = None
    """A text that may have been on its way when others were put before it: it may still arrive first."""
    last: ArrivedMessage | None = None

    @property
    def progress(self) -> Progress:
        """Their progress at the last commit."""
        return read_progress(self.progress_bytes)


@dataclass(frozen=True, slots=True)
class OutboxChange:
    """One change of a client's outbox: the texts that waited before and after it, each in the order of sending.

    `messages` are those that were put into the outbox; empty where messages were only dropped.
    """

    client: str
    before: list[str]
    after: list[str]
    messages: list[Outgoing] = field(default_factory=list)
    priority: Priority = Priority.ANSWER


@dataclass(slots=True)
class Committed:
    """What one transaction changed."""

    opened: list[tuple[str, str]] = field(default_factory=list)
    progress: list[tuple[str, Progress, datetime | None]] = field(default_factory=list)
    outbox: list[OutboxChange] = field(default_factory=list)
    blocked: list[tuple[str, bool]] = field(default_factory=list)
    erased: list[tuple[str, list[Message]]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class Recorder:
    """Counts and client records. `violations` are sentences, the first 50; there should be none."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.clients: dict[str, ClientRecord] = {}
        self.by_address: dict[str, ClientRecord] = {}
        """The same records by the address of the chat."""
        self.counts: Counter[str] = Counter()
        self.unasked_by_reason: Counter[str] = Counter()
        """Numbers of unasked messages."""
        self.priorities: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        """Numbers of triggers that led to no message, by trigger and reason."""
        self.unasked: deque[Unasked] = deque(maxlen=2000)
        """The latest unasked messages, at most 2000."""
        self.violations: list[str] = []
        self.earliest_wake: datetime | None = None
        """No client is to be woken before this instant; None if it is not known."""
        self.earlier_wake = asyncio.Event()
        """Set when an earlier wake-up is committed."""

    def add_violation(self, sentence: str) -> None:
        """Record that the bot broke a promise."""
        self.counts["violations"] += 1
        if len(self.violations) < 50:
            self.violations.append(sentence)

    def committed(self, what: Committed) -> None:
        """Record the changes of one transaction, after its commit."""
        for client, address in what.opened:
            self.clients[client] = self.by_address[address] = ClientRecord(client, address)
        for change in what.outbox:
            self._outbox_changed(change)
        for client, progress, wake_at in what.progress:
            record = self.clients[client]
            record.progress_bytes, record.wake_at, record.decided_at = write_progress(progress), wake_at, self._now()
            if wake_at is not None and (self.earliest_wake is None or wake_at < self.earliest_wake):
                self.earliest_wake = wake_at
                self.earlier_wake.set()
        for client, blocked in what.blocked:
            record = self.clients[client]
            record.blocked, record.reachability_changed_at = blocked, self._now()
            if blocked:
                record.waiting.clear()
                record.in_flight = None
        for client, farewell in what.erased:
            record = self.clients[client]
            record.erased, record.wake_at = True, None
            record.waiting = deque(message.text for message in farewell)
        self.failed.update(what.failed)

    def _outbox_changed(self, change: OutboxChange) -> None:
        self.priorities[change.priority.name.lower()] += len(change.messages)
        record, expected = self.clients[change.client], list(change.after)
        # What has arrived, but is not marked as sent yet, is no longer expected.
        for text in (Counter(change.before) - Counter(record.waiting)).elements():
            if text in expected:
                expected.remove(text)
        if not record.erased and (lost := Counter(record.waiting) - Counter(change.before)):
            self.add_violation(
                f"{self._now():%F %T} {record.address}: {lost.total()} messages left the outbox and never arrived"
            )
        if record.waiting and record.waiting[0] in expected and record.in_flight not in expected:
            record.in_flight = record.waiting[0]
        record.waiting = deque(expected)

    def arrived(self, address: str, message: ArrivedMessage, at: datetime) -> None:
        """Check a new message in a chat: it must be the next expected one, or a repetition after a lost response."""
        self.counts["arrived"] += 1
        record = self.by_address.get(address)
        if record is None:
            self.add_violation(f"{at:%F %T} {address}: a message for nobody")
            return
        last, text = record.last, message.text
        record.last = message
        again = last is not None and last.text == text
        if again and last is not None and not last.acknowledged:
            self.counts["doubled where the response was lost"] += 1
        elif record.waiting and record.waiting[0] == text:
            record.waiting.popleft()
        elif text in record.waiting and text == record.in_flight:
            record.waiting.remove(text)
            record.in_flight = None
        elif text in record.waiting:
            while record.waiting.popleft() != text:
                pass
            self.add_violation(f"{at:%F %T} {address}: out of order")
        elif again:
            self.counts["doubled"] += 1
            self.add_violation(f"{at:%F %T} {address}: sent twice")
        elif not record.erased and not record.blocked:
            self.add_violation(f"{at:%F %T} {address}: a message that nobody wrote")


def text_of(message: Outgoing) -> str:
    """The text of the new message that this makes in the chat; empty if it makes none."""
    match message:
        case Message(text=text):
            return text
        case ExportFile(caption=caption):
            return caption
        case _:
            return ""
