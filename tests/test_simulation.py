"""Simulated weeks through the whole bot: short ones here, long ones with `ipt-bot simulate`."""

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
from bot.measurement.simulation.runner import START, Outcome, Plan, simulate
from bot.measurement.simulation.virtual_time import Clock, NothingLeft, run
from dialogues.rendering.prompts import Prompts
from state_machine.turn.machine import Machines

QUIET = Persona("quiet", answers=0.2, after=(1, 30), look_in="18:00", remind=("daily", "08:00"))
"""Reads, and seldom answers: many unasked messages, few turns."""
EVENING, MORNING = replace(QUIET, look_in="20:30"), replace(QUIET, look_in="08:30", remind=("daily", "12:30"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """Simulated time needs no disk, and waits for none."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as made:
        yield Path(made)


def lived(plan: Plan, folder: Path, machines: Machines, prompts: Prompts) -> Outcome:
    """Run a plan; nothing in it may break a promise."""
    outcome = simulate(plan, folder / "data", machines, prompts)
    assert not outcome.recorder.violations, "\n".join(report(plan, outcome))
    assert outcome.recorder.counts["turn faults"] == 0
    assert set(outcome.recorder.failed) <= {"a message: Rejected"}
    return outcome


# --- the clock ------------------------------------------------------------------------------


def test_the_clock_jumps_and_keeps_the_order() -> None:
    clock, seen = Clock(START), []

    async def waits(hours: float) -> None:
        await asyncio.sleep(hours * 3600)
        seen.append(clock.now())

    async def main() -> None:
        await asyncio.gather(waits(30), waits(1), waits(24 * 400))

    run(main())
    assert seen == [START + timedelta(hours=hours) for hours in (1, 30, 24 * 400)]


def test_waiting_for_what_can_never_come_is_an_error() -> None:
    with pytest.raises(NothingLeft):
        run(asyncio.Event().wait())


# --- whole lives ----------------------------------------------------------------------------


def test_a_day_of_everybody_and_the_same_seed_gives_the_same_day(
    folder: Path, machines: Machines, prompts: Prompts
) -> None:
    plan = Plan(2, 1, seed=5, faults=LIGHT, show=0)
    first = lived(plan, folder / "1", machines, prompts)
    again = lived(plan, folder / "2", machines, prompts)
    assert first.digest == again.digest
    assert first.lines == again.lines
    assert first.recorder.counts["arrived"] > 20
    assert any("they" in line for line in first.lines)


def test_thirty_days_with_a_misbehaving_telegram(folder: Path, machines: Machines, prompts: Prompts) -> None:
    names = {"third_day", "quits", "by_night", "blocks", "travels"}
    drawn = tuple(replace(p, weight=1, answers=0.3, every=p.every * 4) for p in PERSONAS if p.name in names)
    plan = Plan(5, 30, faults=replace(HEAVY, kills_a_day=0.5), personas=drawn, settled=True)
    outcome = lived(plan, folder, machines, prompts)
    counts = outcome.recorder.counts
    assert counts["doubled"] == counts["missed"] == counts["out of hours"] == 0
    assert counts["updates that came again"] > 0
    assert counts["told to wait"] > 0
    assert outcome.restarts > 3
    assert outcome.memory[-1] - outcome.memory[1] < 40


def test_killed_in_the_middle_of_answers(folder: Path, machines: Machines, prompts: Prompts) -> None:
    busy = Persona("busy", answers=1.0, after=(0.1, 1), every=1, twice=0.2)
    plan = Plan(2, 2, faults=replace(HEAVY, kills_a_day=60.0), personas=(busy,), settled=True)
    outcome = lived(plan, folder, machines, prompts)
    assert outcome.restarts >= 10


# --- time -----------------------------------------------------------------------------------


def test_a_night_of_fourteen_hours_switched_off(folder: Path, machines: Machines, prompts: Prompts) -> None:
    start = datetime(2026, 3, 16, 12, tzinfo=UTC)
    off, length = datetime(2026, 3, 17, 18, tzinfo=UTC), timedelta(hours=14)
    plan = Plan(60, 2, start=start, personas=(QUIET, EVENING, MORNING), nights_off=[(off, length)], settled=True)
    outcome = lived(plan, folder, machines, prompts)
    recorder, back = outcome.recorder, off + length
    assert recorder.counts["missed"] == recorder.counts["out of hours"] == recorder.counts["doubled"] == 0
    kept_late = [said for said in recorder.said if off < said.due <= back]
    assert kept_late
    assert all(said.at - said.due <= timedelta(hours=4) for said in kept_late)
    assert recorder.passed_over["talk: too late after being away"] > 0
    assert all(back <= said.at < back + timedelta(minutes=1) for said in kept_late)


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
    early = Persona("early", answers=1.0, after=(1, 2), look_in="never", remind=("daily", hour))
    plan = Plan(1, 3, start=eve, zones=(zone,), personas=(early,), settled=True)
    outcome = lived(plan, folder, machines, prompts)
    local = [said.at.astimezone(ZoneInfo(zone)) for said in outcome.recorder.said if said.reason == "check_in"]
    assert len({one.date() for one in local}) == len(local) == 3
    assert len({one.utcoffset() for one in local}) == 2
    assert {f"{one:%H:%M}" for one in local} == {hour, changed}
    assert all(one.fold == 0 for one in local)


def test_a_client_in_two_zones_is_written_to_by_the_clock_they_said(
    folder: Path, machines: Machines, prompts: Prompts
) -> None:
    traveller = Persona("traveller", answers=1.0, after=(1, 2), travels=2, look_in="never", remind=("daily", "12:30"))
    plan = Plan(1, 5, zones=("Europe/Berlin", "Asia/Tokyo"), personas=(traveller,), settled=True)
    outcome = lived(plan, folder, machines, prompts)
    hours = {said.due.hour for said in outcome.recorder.said if said.reason == "check_in"}
    assert hours == {11, 3}


def test_sixteen_weeks_through_the_engine_alone(machines: Machines) -> None:
    taken = weeks.pure(machines)
    assert taken.turns > 300
