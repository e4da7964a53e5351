"""The bench runs, counts every part, and finds the pure engine within its budget."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.app import App
from bot.measurement.benchmark import beside
from bot.measurement.benchmark.floors import Statements, bare_trigger, copies_of
from bot.measurement.benchmark.long_run import DAYS, long_run
from bot.measurement.benchmark.rounds import BOT, PARTS, Rounds
from bot.measurement.benchmark.served import FIRST_CHAT, TURNS, Served
from bot.measurement.benchmark.start_up import start_up
from dialogues.book import Book
from dialogues.rendering.prompts import Prompts
from state_machine.turn.machine import Machines
from storage.store import DATA_FILE, KEY_FILE
from tests.talking import app_on


def test_a_check_in_is_counted_by_part(tmp_path: Path, book: Book, machines: Machines, prompts: Prompts) -> None:
    app = app_on(tmp_path / "data", book, machines, prompts)
    rounds = Rounds(app)
    with Statements() as statements:
        costs = asyncio.new_event_loop().run_until_complete(rounds.run(3, statements.counting))
    app.store.close()
    assert set(costs) == set(PARTS)
    assert all(cost.cpu > 0 and cost.wall > 0 for cost in costs.values()), costs
    assert rounds.measured >= 3 * 4, "command, mood, moment, and what can be added"
    assert rounds.bubbles >= 3 * 6
    assert statements.seen >= rounds.measured * 4
    assert app.conversation.faults == 0


def test_a_bare_trigger_is_below_what_stands_on_it(machines: Machines) -> None:
    assert 0 < bare_trigger(machines).cpu < 0.001


def test_the_floor_of_a_turn_sends_the_very_same_statements(
    tmp_path: Path, book: Book, machines: Machines, prompts: Prompts
) -> None:
    """Sent again to copies made before, they leave behind as much as the turns themselves did."""
    folder = tmp_path / "data"
    app = app_on(folder, book, machines, prompts)
    rounds, files = Rounds(app), (folder / DATA_FILE, folder / KEY_FILE)
    asyncio.run(rounds.run(1))
    before = copies_of(files, tmp_path / "before")
    copies = copies_of(files, tmp_path / "copies")
    with Statements() as statements:
        asyncio.run(rounds.run(2, statements.counting))
        floor = statements.replay(copies, rounds.measured)
    app.store.close()
    assert 0 < floor.cpu < 0.1
    assert 4 * rounds.measured < statements.seen < 40 * rounds.measured
    for path in files:
        assert _rows(copies[str(path)]) == _rows(path)
    assert any(_rows(before[str(path)]) != _rows(path) for path in files)


def test_whole_check_ins_of_several_chats_go_through_the_service(
    tmp_path: Path, book: Book, machines: Machines, prompts: Prompts
) -> None:
    app = app_on(tmp_path / "data", book, machines, prompts)
    served = asyncio.run(_served(app, 3, 5))
    assert len(served.updates) == len(served.calls) == 5 * len(TURNS)
    assert {json.loads(raw)["update_id"] for raw in served.updates} == set(range(1, 5 * len(TURNS) + 1))
    assert all(calls[-1][0] == "sendMessage" for calls in served.calls)
    assert app.conversation.faults == 0
    with app.store.begin() as work:
        entries = [work.entries.all(chat.client) for n in range(3) if (chat := work.chats.find(_address(n)))]
    app.store.close()
    assert [len(of_one) for of_one in entries] == [2, 2, 1], "each check-in left its entry"


@pytest.mark.skipif(beside.missing() is not None, reason="aiogram or a Redis server is not installed here")
def test_the_peer_takes_the_same_updates_and_makes_as_many_calls(
    tmp_path: Path, book: Book, machines: Machines, prompts: Prompts
) -> None:
    app = app_on(tmp_path / "data", book, machines, prompts)
    served = asyncio.run(_served(app, 2, 2))
    app.store.close()
    answers = dict(zip(TURNS, served.calls, strict=False))
    calls = sum(map(len, served.calls))
    with beside.peer(tmp_path / "peer", "everysec", answers) as peer:
        found = peer.round(served.updates, calls)
        assert found.whole.cpu >= found.process.cpu > 0
        with pytest.raises(beside.PeerFailed):
            peer.round(served.updates, calls + 1)
    assert (tmp_path / "peer" / "appendonlydir").exists(), "what it keeps is on the disk"


def test_where_the_peer_is_missing_a_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "PYTHON", tmp_path / "python")
    assert "make bench" in (beside.missing() or "")
    (tmp_path / "python").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "redis-server" in (beside.missing() or "")


async def _served(app: App, chats: int, check_ins: int) -> Served:
    served = Served(app, chats)
    async with served.running():
        cost = await served.round(check_ins)
    assert cost.cpu > 0
    return served


def _address(number: int) -> str:
    return f"telegram:{BOT}:{FIRST_CHAT + number}"


def _rows(path: Path) -> dict[str, int]:
    """How many rows each table of a database has."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}  # noqa: S608


def test_sixteen_weeks_pass_through_the_engine_in_under_two_seconds(machines: Machines, prompts: Prompts) -> None:
    run = long_run(machines, prompts)
    assert run.turns > DAYS * 5
    assert run.engine.cpu < 2.0
    assert run.last_week.cpu < 3 * run.first_week.cpu, "a turn does not grow with the story"


@pytest.mark.parametrize("what", ["telegram"])
def test_a_start_with_many_clients_reads_none_of_them(what: str, tmp_path: Path) -> None:
    started = start_up(tmp_path, what, 1000, times=1)
    assert started.ready > started.cpu / 4 > 0
    assert 20 < started.peak_mb < 200
