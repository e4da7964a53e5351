"""No statement that runs again and again looks through a whole table, however many clients there are."""

from __future__ import annotations

import inspect
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from state_machine.model.outgoing import Message, Priority
from state_machine.model.progress import Entry, Fact, with_facts, without_facts
from storage import Store, UnitOfWork
from storage.repositories.clients import Clients
from storage.repositories.entries import Entries
from storage.repositories.erasure_notices import ErasureNotices
from storage.repositories.facts import FactRows
from storage.repositories.inbox import Inbox
from storage.repositories.outbox import Outbox
from storage.send_log import Sent
from storage.tables import chats
from tests.storing import DAY, HOUR, MINUTE, NOW, Marks, full_life

GROW = {"chats", "facts", "inbox", "outbox", "entries", "keys"}
"""Tables that grow with the number of clients or with what they say."""
FEW = {"ix_chats_of_no_channel", "ix_outbox_waiting", "ix_inbox_client", "ix_keys_unsettled"}
"""Indexes that hold few rows of their table, and may be walked from their beginning."""
SELDOM = {Clients.count}
"""What only a command of the operator asks for."""
OTHER = chats.alias("other")


@pytest.fixture
def statements() -> Iterator[set[str]]:
    """Every statement that the databases are sent, with its values."""
    seen: set[str] = set()

    def trace(connection: Any, _: object) -> None:
        connection.set_trace_callback(seen.add)

    event.listen(Engine, "connect", trace)
    yield seen
    event.remove(Engine, "connect", trace)


def a_busy_hour(store: Store) -> None:
    """Everything that the bot does with the store while it runs, once."""
    ana, ben = full_life(store, Marks("telegram:1")), full_life(store, Marks("telegram:2"))
    with store.begin() as work:
        assert work.inbox.is_new("telegram:1:7", NOW)
        chat = work.clients.at("telegram:1")
        assert chat is not None
        changed = with_facts(chat.progress.facts, {"worry_of_marks_1": Fact("else", NOW), "name": Fact("Ana", NOW)})
        chat = work.clients.keep(
            chat, replace(chat.progress, facts=without_facts(changed, ["worry_of_marks_2"])), NOW, NOW
        )
        chat = work.clients.keep(chat, replace(chat.progress, facts=dict(chat.progress.facts)), NOW, NOW)
        work.entries.put(ana.client, Entry(7, "weekly/check_in", NOW, "done"))
        assert work.entries.latest(ana.client, "weekly/check_in", 1)
        assert work.entries.strike(ana.client, run=7, person=1)
        assert list(work.entries.each(ana.client)) == work.entries.all(ana.client)
        work.outbox.put(ana.client, Priority.ANSWER, [Message("one"), Message("two")], NOW)
        work.outbox.put(ben.client, Priority.REMINDER, [Message("three")], NOW)
    carry(store, ana.client, ben.client)
    with store.begin() as work:
        assert work.clients.due("telegram", NOW, 5) == [(ana.client, NOW)]
        assert work.clients.next_wake("telegram")
        work.clients.fill_channels()
        work.clients.wake(ben.client, NOW)
        work.clients.block(ben.client, NOW)
        assert work.clients.out_of_reach(NOW, 5) == [(NOW, ben.client)]
        work.clients.unblock(ben.client)
        work.inbox.record_failure("telegram:1:8", ana.client, b"", "Fault")
        (parked, *_) = work.inbox.failed()
        assert work.inbox.failed_again(parked, "Fault")
        assert work.inbox.resolve(parked)
    with store.begin() as work:
        work.clients.erase(ana.client, [Message("bye")], NOW)
        work.clients.open("telegram:3", NOW)
    take_leave(store, ben.client)


def carry(store: Store, ana: str, ben: str) -> None:
    with store.begin() as work:
        assert work.outbox.ready("telegram", NOW, 5)
        message = work.outbox.next_of(ana)
        assert message is not None
        assert work.outbox.waiting(ana)
        assert work.outbox.all_of(ana)
        work.outbox.sent(Sent(ana, message.id, 9, NOW))
        work.outbox.hold(message, NOW + MINUTE)
        work.outbox.hold_channel("telegram", NOW + MINUTE)
        work.outbox.put(ben, Priority.ANSWER, [Message("never")], NOW)
        message = work.outbox.next_of(ben)
        assert message is not None
        work.outbox.reject(message, "Rejected")
        assert work.outbox.message_ids(ana, NOW - HOUR)


def take_leave(store: Store, ben: str) -> None:
    with store.begin() as work:
        work.clients.erase(ben, [], NOW)
    with store.begin() as work:
        assert len(work.erasure_notices.clients()) == 2
        assert work.erasure_notices.exists_for(ben)
        notice = work.erasure_notices.due("telegram", NOW)[0]
        work.erasure_notices.later(notice.id, NOW + MINUTE)
        work.erasure_notices.done(notice.id)
        work.forget(NOW + 3 * DAY)


def called_in(act: Callable[[], None]) -> set[CodeType]:
    """Every function that ran."""
    called: set[CodeType] = set()
    sys.setprofile(lambda frame, *_: called.add(frame.f_code))
    try:
        act()
    finally:
        sys.setprofile(None)
    return called


def looks_through(path: Path, statement: str) -> list[str]:
    """The steps of a statement's plan that look through a table that grows."""
    connection = sqlite3.connect(path)
    plan = [detail for *_, detail in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    connection.close()
    found = []
    for detail in plan:
        step = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", detail)
        named = step and re.search(rf"\b(\w+) AS {step[1]}\b", statement)
        if step and (named[1] if named else step[1]) in GROW and step[2] not in FEW:
            found.append(detail)
    return found


def scans(folder: Path, statements: set[str]) -> dict[str, list[str]]:
    """By statement, what it looks through."""
    found = {}
    for statement in statements:
        if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE)\b", statement) and "sqlite_" not in statement:
            file = "keys.sqlite" if re.search(r"\bkeys\b", statement) else "companion.sqlite"
            if steps := looks_through(folder / file, statement):
                found[statement] = steps
    return found


def test_nothing_that_the_bot_does_while_it_runs_looks_through_a_table_that_grows(
    tmp_path: Path, statements: set[str]
) -> None:
    store = Store.open(tmp_path)
    statements.clear()
    a_busy_hour(store)
    store.close()
    assert {re.split(r"\W+", statement)[0] for statement in statements} >= {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert scans(tmp_path, statements) == {}


def test_a_start_looks_through_no_table_that_grows(tmp_path: Path, statements: set[str]) -> None:
    store = Store.open(tmp_path)
    full_life(store, Marks("telegram:1"))
    store.close()
    statements.clear()
    Store.open(tmp_path, sends=True).close()
    assert scans(tmp_path, statements) == {}


def test_the_busy_hour_asks_everything_that_can_be_asked_of_the_store(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    called = called_in(lambda: a_busy_hour(store))
    store.close()
    public = {
        method
        for repository in (Clients, Entries, FactRows, Inbox, Outbox, ErasureNotices, UnitOfWork)
        for name, method in inspect.getmembers(repository, inspect.isfunction)
        if not name.startswith("_")
    }
    assert {method.__qualname__ for method in public - SELDOM if method.__code__ not in called} == set()


@pytest.mark.parametrize(
    "statement",
    [
        select(chats.c.client).where(chats.c.blocked_at > 0),
        select(chats.c.client).order_by(chats.c.client),
        select(OTHER.c.client).where(OTHER.c.version == 1),
    ],
)
def test_a_statement_that_looks_through_a_table_is_found(
    tmp_path: Path, statements: set[str], statement: Any
) -> None:
    store = Store.open(tmp_path)
    full_life(store, Marks("telegram:1"))
    statements.clear()
    with store.begin() as work:
        work.connection.execute(statement).all()
    store.close()
    assert len(scans(tmp_path, statements)) == 1
