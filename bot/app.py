"""The composition root: builds the objects, and nothing else does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.conversation import Conversation
from bot.export import export_file
from bot.folder_lock import FolderLock
from bot.settings import Settings
from dialogues import book as books
from dialogues.book import Book
from dialogues.helplines.tables import HelpLines
from dialogues.reading import signals
from dialogues.rendering.prompts import Prompts
from state_machine.safety import Screen
from state_machine.safety.patterns import NotationError
from state_machine.turn import machine
from state_machine.turn.machine import Machines
from storage.store import Store, UnitOfWork


class BookRefused(Exception):
    """The book has faults that nobody may meet; the message lists them, one a line."""


@dataclass(frozen=True, slots=True)
class App:
    """Everything one process needs, built once."""

    settings: Settings
    book: Book
    machines: Machines
    prompts: Prompts
    store: Store
    conversation: Conversation
    lock: FolderLock | None = None
    """Held by the one process that sends: it ends with this object."""

    def export(self, work: UnitOfWork, client: str) -> tuple[str, bytes]:
        """The export file of a client: its name and its bytes."""
        chat = work.chats.get(client)
        if chat is None:
            raise LookupError("the client is gone")
        return export_file(chat.progress, work.entries.iterate(client), now())


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def words(settings: Settings) -> tuple[Book, Prompts]:
    """The book and its words, with the help lines of this copy.

    Raises `BookRefused` if help, safety or the order of things is faulty, and `HelpLinesError` for faulty lines.
    """
    book = books.read()
    if book.fatal:
        raise BookRefused("\n".join(str(fault) for fault in book.fatal))
    return book, Prompts(book, lines(settings), settings.operator)


def lines(settings: Settings) -> HelpLines:
    """The help lines of this copy: the tables, and the operator's own file. Raises `HelpLinesError`."""
    return HelpLines.read(own=settings.own_lines(), today=now().date())


def screen() -> Screen:
    """The first reader of every message. Raises `BookRefused` if a signal can't be read."""
    faults = [str(fault) for language in signals.books() for fault in language.faults]
    if faults:
        raise BookRefused("\n".join(faults))
    try:
        return signals.screen()
    except NotationError as fault:
        raise BookRefused(str(fault)) from None


def build(settings: Settings, *, sends: bool = False, screen_ready: bool = True) -> App:
    """Everything, from the settings. Raises `BookRefused`, and `StoreRefused` for a store that can't be opened.

    `sends`: this process is the one that sends what waits in the outbox. It is refused while another does.
    Without `screen_ready`, call `screen` before any text is handled: the first line in a terminal need not wait.
    """
    lock = FolderLock.take(settings.data_dir, now()) if sends else None
    book, prompts = words(settings)
    machines = machine.build(book.script, screen() if screen_ready else signals.screen(at_once=False))
    store = Store.open(settings.data_dir, settings.key_bytes(), sends=sends)
    return App(settings, book, machines, prompts, store, Conversation(store, machines, prompts), lock)
