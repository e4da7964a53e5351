"""What is known of a simulation while it runs: every commit of the bot, and what each client's chat is to receive.

The ledger outlives the bot's process. It is told only of what was committed.
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
class Arrived:
    """One new message in a client's chat. `told`: whether the bot has heard that it arrived."""

    number: int
    text: str
    told: bool = False


@dataclass(slots=True)
class ClientRecord:
    """One client as the bot's books have them."""

    client: str
    address: str
    kept: bytes = write_progress(Progress())
    """Their progress in as few bytes as in the store: a thousand of them must not pass for memory of the bot."""
    wake_at: datetime | None = None
    decided_at: datetime | None = None
    """When it was decided to wake them then. It may be later than that: a slot can come to light by what they do."""
    blocked: bool = False
    since: datetime | None = None
    """Since when they can be reached again, if they could not."""
    erased: bool = False
    waiting: deque[str] = field(default_factory=deque)
    """The words still to arrive, in order."""
    last: Arrived | None = None

    @property
    def progress(self) -> Progress:
        """What the bot last kept of them."""
        return read_progress(self.kept)


@dataclass(slots=True)
class Committed:
    """What one transaction changed."""

    opened: list[tuple[str, str]] = field(default_factory=list)
    kept: list[tuple[str, Progress, datetime | None]] = field(default_factory=list)
    put: list[tuple[str, Priority, list[Outgoing]]] = field(default_factory=list)
    blocked: list[tuple[str, bool]] = field(default_factory=list)
    erased: list[tuple[str, list[Message]]] = field(default_factory=list)
    requeued: list[tuple[str, list[str], list[str]]] = field(default_factory=list)
    """Clients for whom something waited when more was put there: the words that waited before and after it."""
    failed: list[str] = field(default_factory=list)
    dead_letters: int = 0


class Recorder:
    """Counts and books. `violations` are sentences; there should be none."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.books: dict[str, ClientRecord] = {}
        self.at: dict[str, ClientRecord] = {}
        """The books by the address of the chat."""
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        """Unasked messages by reason."""
        self.priorities: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.passed_over: Counter[str] = Counter()
        """Slots that were not kept, by reason."""
        self.said: deque[Unasked] = deque(maxlen=2000)
        """The latest unasked messages."""
        self.violations: list[str] = []
        self.earliest_wake: datetime | None = None
        """The earliest wake-up there may be."""
        self.sooner = asyncio.Event()
        """An earlier one has been written."""
        self._gaps = 0

    def wrong(self, sentence: str) -> None:
        """A promise was broken."""
        self.counts["violations"] += 1
        if len(self.violations) < 50:
            self.violations.append(sentence)

    def committed(self, what: Committed) -> None:
        """Take in one transaction."""
        for client, address in what.opened:
            self.books[client] = self.at[address] = ClientRecord(client, address)
        for client, priority, messages in what.put:
            self.priorities[priority.name.lower()] += len(messages)
            if not any(requeued == client for requeued, _, _ in what.requeued):
                self.books[client].waiting.extend(words for message in messages if (words := words_of(message)))
        for client, before, after in what.requeued:
            book, expected = self.books[client], list(after)
            # What has arrived, but is not marked as sent yet, is not expected any more.
            for words in before[: max(0, len(before) - len(book.waiting))]:
                if words in expected:
                    expected.remove(words)
            book.waiting = deque(expected)
        for client, progress, wake_at in what.kept:
            book = self.books[client]
            book.kept, book.wake_at, book.decided_at = write_progress(progress), wake_at, self._now()
            if wake_at is not None and (self.earliest_wake is None or wake_at < self.earliest_wake):
                self.earliest_wake = wake_at
                self.sooner.set()
        for client, blocked in what.blocked:
            book = self.books[client]
            book.blocked, book.since = blocked, self._now()
            if blocked:
                book.waiting.clear()
        for client, farewell in what.erased:
            book = self.books[client]
            book.erased, book.wake_at = True, None
            book.waiting = deque(message.text for message in farewell)
        self.failed.update(what.failed)
        self._gaps += what.dead_letters

    def arrived(self, address: str, message: Arrived, at: datetime) -> None:
        """A new message stands in a client's chat: is it the next, or one that came before?"""
        self.counts["arrived"] += 1
        book = self.at.get(address)
        if book is None:
            self.wrong(f"{at:%F %T} {address}: a message for nobody")
            return
        last, text = book.last, message.text
        book.last = message
        again = last is not None and last.text == text
        if again and last is not None and not last.told:
            self.counts["doubled where the answer was lost"] += 1
        elif book.waiting and book.waiting[0] == text:
            book.waiting.popleft()
        elif text in book.waiting:
            while book.waiting and book.waiting.popleft() != text:
                self._gaps -= 1
            if self._gaps < 0:
                self._gaps = 0
                self.wrong(f"{at:%F %T} {address}: out of order")
        elif again:
            self.counts["doubled"] += 1
            self.wrong(f"{at:%F %T} {address}: sent twice")
        elif not book.erased and not book.blocked:
            self.wrong(f"{at:%F %T} {address}: a message that nobody wrote")


def words_of(message: Outgoing) -> str:
    """What a client reads of it in a new message; empty where it makes none."""
    match message:
        case Message(text=text):
            return text
        case ExportFile(caption=caption):
            return caption
        case _:
            return ""
