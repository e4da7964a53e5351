"""A disk that is full or read-only: no update is lost, nothing is said twice, and the log says it once."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot import scheduler as tickers
from bot.app import App
from bot.conversation import InboundEvent
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.scheduler import Scheduler
from bot.telegram import polling
from bot.worker_thread import WorkerThread
from dialogues.book import Book
from dialogues.rendering.prompts import Prompts
from state_machine.model.events import Said
from state_machine.turn.machine import Machines
from storage import database
from storage.database import Driver
from storage.errors import DatabaseFault, FaultKind, StoreRefused, is_store_failure
from storage.repositories.outbox import Sent
from storage.store import SendLog, Store, UnitOfWork
from tests.small_disk import SmallDisk, small_disk
from tests.stores import NOW, read_only
from tests.talking import START, app_on
from tests.telegram.test_backlog import Telegram, at_work

CROWD = 24
SAID_TO_START = 2
"""Bubbles with which /start is answered."""
FULL = "The disk is full: nothing more can be written to"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as mounted:
        yield mounted


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(tickers, "LONGEST_PAUSE", 0.02)


@pytest.fixture
async def worker() -> AsyncIterator[WorkerThread]:
    made = WorkerThread()
    yield made
    made.close()


def start(number: int) -> dict[str, Any]:
    who = {"id": number, "is_bot": False, "first_name": "A"}
    chat = {"id": number, "type": "private"}
    message = {"message_id": 1, "date": int(START.timestamp()), "chat": chat, "from": who, "text": "/start"}
    return {"update_id": number, "message": message}


def lines(caplog: pytest.LogCaptureFixture, words: str) -> int:
    return sum(words in record.getMessage() for record in caplog.records)


async def answered_once(
    app: App, fills: Callable[[], None], frees: Callable[[], None], caplog: pytest.LogCaptureFixture, says: str = FULL
) -> None:
    """Send a crowd's updates into a store that can't be written until `frees`, and count the answers."""
    telegram = Telegram(100)
    telegram.waiting = [start(number) for number in range(1, CROWD + 1)]
    fills()
    async with at_work(app, telegram, lambda: START) as serving:
        await telegram.until(lambda: lines(caplog, says) > 0)
        await telegram.until(lambda: len(telegram.polls) > 0)
        assert len(telegram.waiting) == CROWD, "something was acknowledged"
        assert not serving.backlog.taken.is_set(), "somebody may be woken before they are heard"
        await serving._database.run(frees)
        async with asyncio.timeout(30):
            while sum(method == "sendMessage" for method, _ in telegram.calls) < CROWD * SAID_TO_START:
                await asyncio.sleep(0.02)
        await telegram.until(lambda: not telegram.waiting)
        await telegram.until(serving.backlog.taken.is_set)
        assert serving.counts.passed_over == 0
    texts = Counter(
        (fields["chat_id"], fields["text"]) for method, fields in telegram.calls if method == "sendMessage"
    )
    assert set(texts.values()) == {1}
    assert len({chat for chat, _ in texts}) == CROWD
    assert len(texts) == CROWD * SAID_TO_START
    assert lines(caplog, says) == 1
    assert lines(caplog, "The store can be written again") == 1
    with app.store.begin() as work:
        assert work.inbox.all_failed() == []


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("left", [0, 20, 40, 60])
async def test_of_a_crowd_that_writes_into_a_nearly_full_disk_everybody_is_answered_once(  # noqa: PLR0913, PLR0917
    disk: SmallDisk, book: Book, machines: Machines, prompts: Prompts, caplog: pytest.LogCaptureFixture, left: int
) -> None:
    app = app_on(disk.root / "data", book, machines, prompts)
    await answered_once(app, lambda: disk.leaves(left), disk.frees, caplog)
    app.store.close()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("where", ["the data", "the keys"])
async def test_of_a_crowd_that_writes_while_one_file_is_read_only_everybody_is_answered_once(
    app: App, caplog: pytest.LogCaptureFixture, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, begin = database._set_pragma, app.store._vault._store._connections.begin

    def begin_read_only(**_: bool) -> AbstractContextManager[tuple[Connection, Driver]]:
        return begin(read_only=True)

    def writable(yes: bool) -> None:
        if where == "the data":
            monkeypatch.setattr(database, "_set_pragma", whole if yes else read_only)
        else:
            monkeypatch.setattr(app.store._vault._store._connections, "begin", begin if yes else begin_read_only)

    says = "The disk is read-only: nothing can be written to"
    await answered_once(app, lambda: writable(False), lambda: writable(True), caplog, says)


@pytest.mark.parametrize("pages", range(20, 40))
def test_at_whichever_statement_a_full_disk_strikes_nothing_of_the_event_is_kept(app: App, pages: int) -> None:
    """The limit is set page by page, so that it strikes at each of the statements of a turn."""
    with app.store.begin() as work:
        used = work.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        work.connection.exec_driver_sql(f"PRAGMA max_page_count={used + pages - 20}")
    fault: DatabaseFault | None = None
    for number in range(40):
        heard = InboundEvent(f"telegram:7:{number}", f"telegram:7:{number}", Said(START, "/start " + "x" * 500), 1)
        try:
            app.conversation.receive(heard)
        except DatabaseFault as struck:
            fault = struck
            break
    assert fault is not None
    assert fault.kind is FaultKind.FULL
    with app.store.begin() as work:
        assert work.chats.find(heard.address) is None
        assert work.inbox.all_failed() == []
        work.connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    assert app.conversation.receive(heard)


# --- wake-ups --------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
async def test_with_three_hundred_due_and_nothing_that_can_be_written_the_log_says_it_once(
    app: App, worker: WorkerThread, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.store.begin() as work:
        for number in range(tickers.AT_ONCE):
            chat = work.chats.create(f"telegram:7:{number}", START)
            work.chats.save(chat, chat.progress, START)
    heard_all = asyncio.Event()
    heard_all.set()
    database = DatabaseWorker(app.store, worker, lambda: START + timedelta(minutes=1))
    scheduler = Scheduler(database, app.conversation, Courier(database, Silent(), app.export), heard_all)

    monkeypatch.setattr("storage.database._set_pragma", read_only)
    task = asyncio.create_task(scheduler.run())
    async with asyncio.timeout(60):
        while scheduler.faults < 5:
            await asyncio.sleep(0.01)
        assert [record.getMessage()[:22] for record in caplog.records if record.levelno >= logging.ERROR] == [
            "The disk is read-only:"
        ]
        assert scheduler.woken == 0
        assert app.conversation.faults == 0
        monkeypatch.undo()
        while scheduler.woken < tickers.AT_ONCE:
            await asyncio.sleep(0.01)
    task.cancel()
    with app.store.begin() as work:
        assert work.inbox.all_failed() == []


class Silent:
    """A messenger nobody asks anything of."""

    channel = "telegram:7"

    async def send(self, *_: Any) -> int | None:
        raise NotImplementedError

    async def typing(self, _address: str) -> None:
        raise NotImplementedError

    async def delete(self, *_: Any) -> None:
        raise NotImplementedError


# --- the start, and the send log ---------------------------------------------------------


@pytest.mark.parametrize("left", [0, 8, 60])
@pytest.mark.parametrize("begun", [True, False], ids=["data are there", "nothing is there"])
def test_a_start_on_a_full_disk_says_that_it_is_full(disk: SmallDisk, left: int, begun: bool) -> None:
    folder = disk.root / "data"
    if begun:
        Store.open(folder).close()
    disk.leaves(0 if begun else left)
    with pytest.raises(StoreRefused, match=f"^The disk is full: nothing more can be written to {folder}. Make room"):
        Store.open(folder)
    disk.frees()
    Store.open(folder).close()


@pytest.mark.parametrize("begun", [True, False], ids=["data are there", "nothing is there"])
def test_a_start_on_a_read_only_disk_says_that_it_is_read_only(disk: SmallDisk, begun: bool) -> None:
    folder = disk.root / "data"
    if begun:
        Store.open(folder).close()
    disk.is_read_only()
    with pytest.raises(StoreRefused, match=f"^The disk is read-only: nothing can be written to {folder}\\."):
        Store.open(folder)


def test_a_send_log_that_found_no_room_for_a_line_does_not_spoil_the_next(disk: SmallDisk) -> None:
    log = SendLog(disk.root / "send.log")
    noted = [Sent("a" * 32, number, number, NOW) for number in range(300)]
    disk.leaves(4)
    written = []
    for sent in noted[:200]:
        try:
            log.add(sent)
        except OSError:
            disk.frees()
            continue
        written.append(sent)
    assert len(written) < 200
    assert log.read_all() == written
    log.close()


def test_what_is_read_only_for_a_connection_is_a_fault_of_the_store(store: Store) -> None:
    def write(work: UnitOfWork) -> None:
        work.connection.exec_driver_sql("PRAGMA query_only=1")
        work.inbox.claim("key", NOW)

    with pytest.raises(DatabaseFault, match=r"^The disk is read-only:") as caught, store.begin() as work:
        write(work)
    assert caught.value.kind is FaultKind.READ_ONLY


def test_a_database_that_another_program_holds_is_said_to_be_locked(tmp_path: Path, store: Store) -> None:
    with store.begin(read_only=True) as work:
        work.connection.exec_driver_sql("PRAGMA busy_timeout=0")
    other = sqlite3.connect(tmp_path / "companion.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseFault, match=r"^The database is locked: another program") as caught, store.begin():
        pass
    assert caught.value.kind is FaultKind.LOCKED
    other.close()
    with store.begin() as work:
        assert work.inbox.claim("key", NOW)


def test_a_page_that_is_damaged_while_the_bot_runs_is_said_to_be_damaged(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with store.begin() as work:
        for number in range(200):
            work.inbox.claim(f"key {number}", NOW)
    store.close()
    file = tmp_path / "companion.sqlite"
    whole = file.read_bytes()
    pages = [whole[at : at + 4096] for at in range(0, len(whole), 4096)]
    file.write_bytes(pages[0] + b"".join(b"\xff" * 4096 if page[0] in {2, 5, 10, 13} else page for page in pages[1:]))
    with pytest.raises(StoreRefused, match=r"can't be read as a database: .* Put their newest backup back\.$"):
        Store.open(tmp_path)


def test_a_value_that_no_column_holds_is_no_fault_of_the_store(store: Store) -> None:
    with pytest.raises(OverflowError), store.begin() as work:
        work.outbox.mark_sent(Sent("nobody", 2**70, None, NOW))
    with pytest.raises(IntegrityError), store.begin() as work:
        work.inbox.record_failure("key", "nobody", b"", "Rejected")
    assert not is_store_failure(OverflowError())
    with store.begin() as work:
        assert work.inbox.claim("key", NOW)
