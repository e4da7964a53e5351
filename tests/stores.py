"""Shared by the tests of the store: instants, a client with rows in every table, ways of searching bytes."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from state_machine.model.outgoing import Choice, Message, Priority
from state_machine.model.progress import Answer, Entry, Fact, Person, Progress, Run
from storage import Chat, Store
from storage.database import Driver
from storage.repositories.chats import MAX_RECENT
from storage.repositories.outbox import OutboxMessage, Sent
from storage.store import UnitOfWork
from storage.tables import METADATA

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIRST, SECOND = b"1" * 32, b"2" * 32
"""Two keys of the operator."""


@dataclass(frozen=True)
class Marks:
    """Words that must not be found in any file."""

    address: str
    words: str = "Ich vermisse meine Schwester, Kennwort Zwölfender"
    nickname: str = "Bertalein-Schnuffel"
    dialogue: str = "weekly/check_in_of_marks"
    memory: str = "worry_of_marks"

    def all(self) -> tuple[str, ...]:
        """Every one of them."""
        return self.address, self.words, self.nickname, self.dialogue, self.memory


def full_life(store: Store, marks: Marks) -> Chat:
    """A client with rows in every table, all marked, with some messages sent and some waiting."""
    fact = Fact(marks.words, NOW, code=marks.nickname)
    answer = Answer("wish", fact, "step", person=1)
    run = Run(1, marks.dialogue, "step", NOW, NOW, answers=(answer,), trail=("a",), person=1)
    facts = {"wish": fact} | {f"{marks.memory}_{number}": fact for number in range(MAX_RECENT)}
    progress = Progress(
        phase="assessment", runs=(run,), facts=facts, people=(Person(1, marks.nickname, {"how": fact}),)
    )
    with store.begin() as work:
        chat = work.chats.create(marks.address, NOW)
        work.inbox.claim("telegram:1:1", NOW)
        chat = work.chats.save(chat, progress, NOW + HOUR)
        work.outbox.put(chat.client, Priority.ANSWER, [Message(marks.words), Message(marks.nickname)], NOW)
        for number in (1, 2):
            entry = Entry(number, marks.dialogue, NOW, "done", answers=(answer,), person=number)
            work.entries.put(chat.client, entry)
    with store.begin() as work:
        for number in (71, 72):
            message = work.outbox.next_for(chat.client)
            assert message is not None
            work.outbox.mark_sent(Sent(chat.client, message.id, number, NOW))
        label = Choice(marks.words, button="1:step:0")
        work.outbox.put(chat.client, Priority.REMINDER, [Message(marks.words, choices=((label,),))], NOW)
        work.inbox.record_failure(f"telegram:1:2:{chat.client}", chat.client, marks.words.encode(), "TemplateError")
    with store.begin() as work:
        found = work.chats.find(marks.address)
        assert found is not None
        assert found.progress.facts == facts  # reads them all, which is possible only within the transaction
        return found


def waiting(work: UnitOfWork, client: str) -> list[OutboxMessage]:
    """All messages that wait for a client, in the order in which they were put. None is marked as sent."""
    return sorted(work.outbox.all_for(client), key=lambda message: message.id)


def read_only(connection: Connection, driver: Driver, *_: str) -> None:
    """Replaces `database._set_pragma`, so that no transaction can write."""
    driver.execute_text("PRAGMA query_only=ON")
    connection.info["query_only"] = "ON"  # so that the real function resets it later


def disguises(text: str) -> Iterator[bytes]:
    """The encodings in which a text may be found: raw, UTF-16, hexadecimal, base64 at three alignments, JSON."""
    raw = text.encode()
    for plain in (raw, text.encode("utf-16-le"), text.encode("utf-16-be")):
        yield plain
        yield plain.hex().encode()
        yield plain.hex().upper().encode()
        for before in range(3):
            whole = base64.b64encode(b"\0" * before + plain)
            sure = (len(plain) + before) // 3 * 4
            yield whole[(0, 2, 3)[before] : sure]
    yield text.encode("unicode_escape")


def backup(source: Path, target: Path) -> None:
    """A copy made the way operators make backups, while the store may be open."""
    with sqlite3.connect(source) as original, sqlite3.connect(target) as copy:
        original.backup(copy)
    original.close()
    copy.close()


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    """The rows of a database file, read without the store."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def stored_keys(file: Path) -> dict[str, tuple[bytes, bytes]]:
    """Wrapped key and address hash by owner, read from the key store's file."""
    found: list[Any] = rows(file, "SELECT owner, wrapped, finder FROM keys")
    return {owner: (wrapped, address_hash) for owner, wrapped, address_hash in found}


def change(path: Path, statement: str, *values: object) -> None:
    """Change a database file without the store."""
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.execute(statement, values)
    finally:
        connection.close()


def rows_of_each(store: Store) -> dict[str, int]:
    """The number of rows in each table."""
    with store.begin() as work:
        return {
            table.name: work.connection.scalar(select(func.count()).select_from(table)) or 0
            for table in METADATA.sorted_tables
        }
