"""Short simulations of the whole bot; long ones are run with `ipt-bot simulate`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.measurement.simulation import weeks
from bot.measurement.simulation.command import IN_MEMORY
from bot.measurement.simulation.faults import HEAVY, LIGHT
from bot.measurement.simulation.personas import PERSONAS, Persona
from bot.measurement.simulation.report import report
from bot.measurement.simulation.runner import START, SimulationPlan, SimulationResult, simulate
from bot.measurement.simulation.virtual_time import Deadlock, VirtualClock, run
from dialogues.rendering.prompts import Prompts
from state_machine.turn.machine import Machines

QUIET = Persona("quiet", answers=0.2, answer_delay=(1, 30), look_in="18:00", remind=("daily", "08:00"))
"""Seldom answers: many unasked messages, few turns."""
EVENING, MORNING = replace(QUIET, look_in="20:30"), replace(QUIET, look_in="08:30", remind=("daily", "12:30"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory: virtual time needs no disk."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as made:
        yield Path(made)


def run_plan(plan: SimulationPlan, folder: Path, machines: Machines, prompts: Prompts) -> SimulationResult:
    """Run a plan; there must be no violation and no fault."""
    result = simulate(plan, folder / "data", machines, prompts)
    assert not result.recorder.violations, "\n".join(report(plan, result))
    assert result.recorder.counts["turn faults"] == 0
    assert set(result.recorder.failed) <= {"a message: Rejected"}
    return result


# --- the clock ------------------------------------------------------------------------------


def test_the_clock_jumps_and_keeps_the_order() -> None:
    clock, seen = VirtualClock(START), []

    async def waits(hours: float) -> None:
        await asyncio.sleep(hours * 3600)
        seen.append(clock.now())

    async def main() -> None:
        await asyncio.gather(waits(30), waits(1), waits(24 * 400))

    run(main())
    assert seen == [START + timedelta(hours=hours) for hours in (1, 30, 24 * 400)]


def test_waiting_for_what_can_never_come_is_an_error() -> None:
    with pytest.raises(Deadlock):
        run(asyncio.Event().wait())


# --- whole lives ----------------------------------------------------------------------------


def test_a_day_of_everybody_and_the_same_seed_gives_the_same_day(
    folder: Path, machines: Machines, prompts: Prompts
) -> None:
    plan = SimulationPlan(2, 1, seed=5, faults=LIGHT, show=0)
    first = run_plan(plan, folder / "1", machines, prompts)
    again = run_plan(plan, folder / "2", machines, prompts)
    assert first.digest == again.digest
    assert first.transcript == again.transcript
    assert first.recorder.counts["arrived"] > 20
    assert any("they" in line for line in first.transcript)


def test_thirty_days_with_a_misbehaving_telegram(folder: Path, machines: Machines, prompts: Prompts) -> None:
    names = {"third_day", "quits", "by_night", "blocks", "travels"}
    drawn = tuple(
        replace(p, weight=1, answers=0.3, visits_every=p.visits_every * 4) for p in PERSONAS if p.name in names
    )
    plan = SimulationPlan(5, 30, faults=replace(HEAVY, kills_a_day=0.5), personas=drawn, started=True)
    result = run_plan(plan, folder, machines, prompts)
    counts = result.recorder.counts
    assert counts["doubled"] == counts["missed"] == counts["out of hours"] == 0
    assert counts["updates redelivered"] > 0
    assert counts["429 responses"] > 0
    assert result.restarts > 3
    assert result.memory[-1] - result.memory[1] < 40


def test_killed_in_the_middle_of_answers(folder: Path, machines: Machines, prompts: Prompts) -> None:
    busy = Persona("busy", answers=1.0, answer_delay=(0.1, 1), visits_every=1, sends_twice=0.2)
    plan = SimulationPlan(2, 2, faults=replace(HEAVY, kills_a_day=60.0), personas=(busy,), started=True)
    result = run_plan(plan, folder, machines, prompts)
    assert result.restarts >= 10


# --- time -----------------------------------------------------------------------------------


def test_a_night_of_fourteen_hours_switched_off(folder: Path, machines: Machines, prompts: Prompts) -> None:
    start = datetime(2026, 3, 16, 12, tzinfo=UTC)
    off, length = datetime(2026, 3, 17, 18, tzinfo=UTC), timedelta(hours=14)
    plan = SimulationPlan(
        60, 2, start=start, personas=(QUIET, EVENING, MORNING), downtimes=[(off, length)], started=True
    )
    result = run_plan(plan, folder, machines, prompts)
    recorder, back = result.recorder, off + length
    assert recorder.counts["missed"] == recorder.counts["out of hours"] == recorder.counts["doubled"] == 0
    sent_late = [said for said in recorder.unasked if off < said.due <= back]
    assert sent_late
    assert all(said.at - said.due <= timedelta(hours=4) for said in sent_late)
    assert recorder.skipped["talk: too late after a downtime"] > 0
    assert all(back <= said.at < back + timedelta(minutes=1) for said in sent_late)


@pytest.mark.parametrize(
    ("zone", "eve", "hour", "changed"),
    [
        ("Europe/Berlin", datetime(2026, 3, 27, 20, tzinfo=UTC), "02:30", "03:00"),
        ("America/New_York", datetime(2026, 3, 6, 20, tzinfo=UTC), "02:30", "03:00"),
        ("Africa/Cairo", datetime(2026, 4, 22, 12, tzinfo=UTC), "00:30", "01:00"),
        ("Europe/Dublin", datetime(2026, 10, 23, 20, tzinfo=UTC), "01:30", "01:30"),
        ("Australia/Sydney", datetime(2026, 4, 3, 10, tzinfo=UTC), "02:30", "02:30"),
        ("America/Santiago", datetime(2026, 4, 3, 2, 55, tzinfo=UTC), "23:30", "23:30"),
    ],
)
def test_once_a_day_at_their_hour_over_a_change_of_the_clocks(  # noqa: PLR0913, PLR0917 - pytest's way
    zone: str, eve: datetime, hour: str, changed: str, folder: Path, machines: Machines, prompts: Prompts
) -> None:
    early = Persona("early", answers=1.0, answer_delay=(1, 2), look_in="never", remind=("daily", hour))
    plan = SimulationPlan(1, 3, start=eve, zones=(zone,), personas=(early,), started=True)
    result = run_plan(plan, folder, machines, prompts)
    local = [said.at.astimezone(ZoneInfo(zone)) for said in result.recorder.unasked if said.reason == "check_in"]
    assert len({one.date() for one in local}) == len(local) == 3
    assert len({one.utcoffset() for one in local}) == 2
    assert {f"{one:%H:%M}" for one in local} == {hour, changed}
    assert all(one.fold == 0 for one in local)


def test_a_client_in_two_zones_is_written_to_by_the_clock_they_said(
    folder: Path, machines: Machines, prompts: Prompts
) -> None:
    traveller = Persona(
        "traveller", answers=1.0, answer_delay=(1, 2), travels_on=2, look_in="never", remind=("daily", "12:30")
    )
    plan = SimulationPlan(1, 5, zones=("Europe/Berlin", "Asia/Tokyo"), personas=(traveller,), started=True)
    result = run_plan(plan, folder, machines, prompts)
    hours = {said.due.hour for said in result.recorder.unasked if said.reason == "check_in"}
    assert hours == {11, 3}


def test_sixteen_weeks_through_the_engine_alone(machines: Machines) -> None:
    taken = weeks.engine_alone(machines)
    assert taken.turns > 300
