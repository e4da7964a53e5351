"""The bench runs, counts every part, and finds the pure engine within its budget."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.measurement.benchmark.floors import Statements, bare_transaction, bare_trigger
from bot.measurement.benchmark.long_run import DAYS, long_run
from bot.measurement.benchmark.rounds import PARTS, Rounds
from bot.measurement.benchmark.start_up import start_up
from dialogues.book import Book
from dialogues.rendering.prompts import Prompts
from state_machine.turn.machine import Machines
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


def test_the_floors_are_below_what_stands_on_them(tmp_path: Path, machines: Machines) -> None:
    assert 0 < bare_trigger(machines).cpu < 0.001
    assert 0 < bare_transaction(tmp_path / "floor.sqlite", 5).wall < 0.1


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
