"""No statement that a running bot repeats scans a whole table, as the query plans of SQLite show."""

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
from storage.repositories.chats import Chats
from storage.repositories.clients import Clients
from storage.repositories.entries import Entries
from storage.repositories.erasure_notices import ErasureNotices
from storage.repositories.facts import FactRows
from storage.repositories.inbox import Inbox
from storage.repositories.outbox import Outbox, Sent
from storage.tables import chats
from tests.stores import DAY, HOUR, MINUTE, NOW, Marks, full_life

GROW = {"chats", "facts", "inbox", "outbox", "entries", "keys"}
"""Tables that grow with the number of clients or of their messages."""
FEW = {"ix_chats_of_no_channel", "ix_outbox_waiting", "ix_inbox_client", "ix_keys_unsettled"}
"""Partial indexes that hold few rows, and may be scanned."""
RARE = {Clients.count}
"""Methods that only commands of the operator call."""
OTHER = chats.alias("other")


@pytest.fixture
def statements() -> Iterator[set[str]]:
    """Every statement that the databases run, with its values."""
    seen: set[str] = set()

    def trace(connection: Any, _: object) -> None:
        connection.set_trace_callback(seen.add)

    event.listen(Engine, "connect", trace)
    yield seen
    event.remove(Engine, "connect", trace)


def a_busy_hour(store: Store) -> None:
    """Calls every method that a running bot calls on the store."""
    ana, ben = full_life(store, Marks("telegram:1")), full_life(store, Marks("telegram:2"))
    with store.begin() as work:
        assert work.inbox.claim("telegram:1:7", NOW)
        chat = work.chats.find("telegram:1")
        assert chat is not None
        changed = with_facts(chat.progress.facts, {"worry_of_marks_1": Fact("else", NOW), "name": Fact("Ana", NOW)})
        chat = work.chats.save(chat, replace(chat.progress, facts=without_facts(changed, ["worry_of_marks_2"])), NOW)
        chat = work.chats.save(chat, replace(chat.progress, facts=dict(chat.progress.facts)), NOW)
        work.entries.put(ana.client, Entry(7, "weekly/check_in", NOW, "done"))
        assert work.entries.latest(ana.client, "weekly/check_in", 1)
        assert work.entries.delete_answers(ana.client, run=7, person=1)
        assert list(work.entries.iterate(ana.client)) == work.entries.all(ana.client)
        work.outbox.put(ana.client, Priority.ANSWER, [Message("one"), Message("two")], NOW)
        work.outbox.put(ben.client, Priority.REMINDER, [Message("three")], NOW)
    send(store, ana.client, ben.client)
    with store.begin() as work:
        assert work.clients.due("telegram", NOW, 5) == [(ana.client, NOW)]
        assert work.clients.next_wake_at("telegram")
        work.clients.fill_channels()
        work.clients.set_wake_at(ben.client, NOW)
        work.clients.block(ben.client, NOW)
        assert work.clients.blocked_due(NOW, 5) == [(NOW, ben.client)]
        work.clients.unblock(ben.client)
        work.inbox.record_failure("telegram:1:8", ana.client, b"", "Fault")
        failed = work.inbox.get_failed("telegram:1:8")
        assert failed is not None
        assert failed in work.inbox.all_failed()
        assert work.inbox.record_retry_failure(failed, "Fault")
        assert work.inbox.resolve(failed)
        work.inbox.delete("telegram:1:8")
    with store.begin() as work:
        work.clients.erase(ana.client, [Message("bye")], NOW)
        work.chats.create("telegram:3", NOW)
    send_notice(store, ben.client)


def send(store: Store, ana: str, ben: str) -> None:
    with store.begin() as work:
        assert work.outbox.ready("telegram", NOW, 5)
        message = work.outbox.next_for(ana)
        assert message is not None
        assert work.outbox.count_waiting(ana)
        assert work.outbox.all_for(ana)
        work.outbox.mark_sent(Sent(ana, message.id, 9, NOW))
        work.outbox.hold(message, NOW + MINUTE)
        work.outbox.hold_channel("telegram", NOW + MINUTE)
        work.outbox.put(ben, Priority.ANSWER, [Message("never")], NOW)
        message = work.outbox.next_for(ben)
        assert message is not None
        work.outbox.reject(message, "Rejected")
        assert work.outbox.message_ids(ana, NOW - HOUR)
        work.outbox.record_received(ana, 7, 10, NOW)
        assert work.outbox.runs(ana) == {7}
        work.outbox.delete_dead_letters(ana, 7)
        assert work.outbox.take_ids_of_run(ana, 7, 1000) == (10,)


def send_notice(store: Store, ben: str) -> None:
    with store.begin() as work:
        work.clients.erase(ben, [], NOW)
    with store.begin() as work:
        assert len(work.erasure_notices.clients()) == 2
        assert work.erasure_notices.exists_for(ben)
        notice = work.erasure_notices.due("telegram", NOW)[0]
        work.erasure_notices.postpone(notice.id, NOW + MINUTE)
        work.erasure_notices.delete(notice.id)
        work.delete_expired(NOW + 3 * DAY)


def called_in(act: Callable[[], None]) -> set[CodeType]:
    """The code of every function that ran."""
    called: set[CodeType] = set()
    sys.setprofile(lambda frame, *_: called.add(frame.f_code))
    try:
        act()
    finally:
        sys.setprofile(None)
    return called


def scanning_steps(path: Path, statement: str) -> list[str]:
    """The steps of a statement's query plan that scan a growing table."""
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
    """The scanning steps of each statement that has any."""
    found = {}
    for statement in statements:
        if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE)\b", statement) and "sqlite_" not in statement:
            file = "keys.sqlite" if re.search(r"\bkeys\b", statement) else "companion.sqlite"
            if steps := scanning_steps(folder / file, statement):
                found[statement] = steps
    return found


def test_no_statement_of_a_running_bot_scans_a_growing_table(tmp_path: Path, statements: set[str]) -> None:
    store = Store.open(tmp_path)
    statements.clear()
    a_busy_hour(store)
    store.close()
    assert {re.split(r"\W+", statement)[0] for statement in statements} >= {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert scans(tmp_path, statements) == {}


def test_a_start_scans_no_growing_table(tmp_path: Path, statements: set[str]) -> None:
    store = Store.open(tmp_path)
    full_life(store, Marks("telegram:1"))
    store.close()
    statements.clear()
    Store.open(tmp_path, sends=True).close()
    assert scans(tmp_path, statements) == {}


def test_the_busy_hour_calls_every_method_of_the_repositories(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    called = called_in(lambda: a_busy_hour(store))
    store.close()
    public = {
        method
        for repository in (Chats, Clients, Entries, FactRows, Inbox, Outbox, ErasureNotices, UnitOfWork)
        for name, method in inspect.getmembers(repository, inspect.isfunction)
        if not name.startswith("_")
    }
    assert {method.__qualname__ for method in public - RARE if method.__code__ not in called} == set()


@pytest.mark.parametrize(
    "statement",
    [
        select(chats.c.client).where(chats.c.blocked_at > 0),
        select(chats.c.client).order_by(chats.c.client),
        select(OTHER.c.client).where(OTHER.c.version == 1),
    ],
)
def test_a_statement_that_scans_a_table_is_found(tmp_path: Path, statements: set[str], statement: Any) -> None:
    store = Store.open(tmp_path)
    full_life(store, Marks("telegram:1"))
    statements.clear()
    with store.begin() as work:
        work.connection.execute(statement).all()
    store.close()
    assert len(scans(tmp_path, statements)) == 1
