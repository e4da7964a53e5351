"""The benchmark runs and measures every part, and the engine stays within its budget of CPU time."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.app import App
from bot.measurement.benchmark import peer_process
from bot.measurement.benchmark.check_ins import BOT, PARTS, CheckIns
from bot.measurement.benchmark.floors import Statements, bare_trigger, copies_of
from bot.measurement.benchmark.long_run import DAYS, long_run
from bot.measurement.benchmark.start_up import start_up
from bot.measurement.benchmark.whole_service import FIRST_CHAT, TURNS, WholeService
from dialogues.book import Book
from dialogues.rendering.prompts import Prompts
from state_machine.turn.machine import Machines
from storage.store import DATA_FILE, KEY_FILE
from tests.talking import app_on


def test_a_check_in_is_counted_by_part(tmp_path: Path, book: Book, machines: Machines, prompts: Prompts) -> None:
    with Statements() as statements:
        app = app_on(tmp_path / "data", book, machines, prompts)
        check_ins = CheckIns(app)
        costs = asyncio.new_event_loop().run_until_complete(check_ins.run(3, statements.measuring))
    app.store.close()
    assert set(costs) == set(PARTS)
    assert all(cost.cpu > 0 and cost.wall > 0 for cost in costs.values()), costs
    assert check_ins.turns >= 3 * 4, "command, mood, moment, and what can be added"
    assert check_ins.bubbles >= 3 * 6
    assert statements.count >= check_ins.turns * 4
    assert app.conversation.faults == 0


def test_a_bare_trigger_takes_less_than_a_millisecond(machines: Machines) -> None:
    assert 0 < bare_trigger(machines).cpu < 0.001


def test_the_lower_bound_of_a_turn_sends_the_same_statements(
    tmp_path: Path, book: Book, machines: Machines, prompts: Prompts
) -> None:
    """Sent again to copies made before, they leave the same rows as the turns did."""
    folder = tmp_path / "data"
    with Statements() as statements:
        app = app_on(folder, book, machines, prompts)
        check_ins, files = CheckIns(app), (folder / DATA_FILE, folder / KEY_FILE)
        asyncio.run(check_ins.run(1))
        before = copies_of(files, tmp_path / "before")
        copies = copies_of(files, tmp_path / "copies")
        statements.forget()
        asyncio.run(check_ins.run(2, statements.measuring))
        floor = statements.replay(copies, check_ins.turns)
    app.store.close()
    assert 0 < floor.cpu < 0.1
    assert 4 * check_ins.turns < statements.count < 40 * check_ins.turns
    for path in files:
        assert _rows(copies[str(path)]) == _rows(path)
    assert any(_rows(before[str(path)]) != _rows(path) for path in files)


def test_check_ins_of_several_chats_run_through_the_service(
    tmp_path: Path, book: Book, machines: Machines, prompts: Prompts
) -> None:
    app = app_on(tmp_path / "data", book, machines, prompts)
    service = asyncio.run(_after_check_ins(app, 3, 5))
    assert len(service.updates) == len(service.calls) == 5 * len(TURNS)
    assert {json.loads(raw)["update_id"] for raw in service.updates} == set(range(1, 5 * len(TURNS) + 1))
    assert all(calls[-1][0] == "sendMessage" for calls in service.calls)
    assert app.conversation.faults == 0
    with app.store.begin() as work:
        entries = [work.entries.all(chat.client) for n in range(3) if (chat := work.chats.find(_address(n)))]
    app.store.close()
    assert [len(of_one) for of_one in entries] == [2, 2, 1], "each check-in left its entry"


@pytest.mark.skipif(
    peer_process.missing_software() is not None, reason="aiogram or a Redis server is not installed here"
)
def test_the_peer_takes_the_same_updates_and_makes_as_many_calls(
    tmp_path: Path, book: Book, machines: Machines, prompts: Prompts
) -> None:
    app = app_on(tmp_path / "data", book, machines, prompts)
    service = asyncio.run(_after_check_ins(app, 2, 2))
    app.store.close()
    answers = dict(zip(TURNS, service.calls, strict=False))
    calls = sum(map(len, service.calls))
    with peer_process.peer(tmp_path / "peer", "everysec", answers) as peer:
        found = peer.round(service.updates, calls)
        assert found.whole.cpu >= found.process.cpu > 0
        with pytest.raises(peer_process.PeerFailed):
            peer.round(service.updates, calls + 1)
    assert (tmp_path / "peer" / "appendonlydir").exists(), "its state is on the disk"


def test_a_sentence_says_what_the_peer_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_process, "PYTHON", tmp_path / "python")
    assert "make bench" in (peer_process.missing_software() or "")
    (tmp_path / "python").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "redis-server" in (peer_process.missing_software() or "")


async def _after_check_ins(app: App, chats: int, check_ins: int) -> WholeService:
    service = WholeService(app, chats)
    async with service.running():
        cost = await service.round(check_ins)
    assert cost.cpu > 0
    return service


def _address(number: int) -> str:
    return f"telegram:{BOT}:{FIRST_CHAT + number}"


def _rows(path: Path) -> dict[str, int]:
    """The number of rows of each table of a database."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}  # noqa: S608


def test_sixteen_weeks_pass_through_the_engine_in_under_two_seconds(machines: Machines, prompts: Prompts) -> None:
    run = long_run(machines, prompts)
    assert run.turns > DAYS * 5
    assert run.engine.cpu < 2.0
    assert run.last_week.cpu < 3 * run.first_week.cpu, "a turn does not grow with the history"


@pytest.mark.parametrize("what", ["telegram"])
def test_a_start_with_many_clients_reads_none_of_them(what: str, tmp_path: Path) -> None:
    started = start_up(tmp_path, what, 1000, times=1)
    assert started.ready > started.cpu / 4 > 0
    assert 20 < started.peak_mb < 200
