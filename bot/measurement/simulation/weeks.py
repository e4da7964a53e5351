"""Measures sixteen weeks of one client who answers everything: the engine alone, and the whole bot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random

from bot.measurement.simulation.answers import answer
from bot.measurement.simulation.personas import DAY_ONE, PERSONAS
from bot.measurement.simulation.runner import START, SimulationPlan, simulate
from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.context import Context
from state_machine.model.events import Event, Said, Woke
from state_machine.model.progress import Progress
from state_machine.schedule import triggers
from state_machine.turn.machine import Machines
from state_machine.turn.options import offers

DAYS = 16 * 7
ENGINE_CPU_LIMIT, BOT_CPU_LIMIT = 2.0, 8.0
"""Seconds of CPU expected at most."""
PERSONA = replace(PERSONAS[0], answers=1.0)
ZONE = "Europe/Dublin"


@dataclass
class Weeks:
    """Number of turns, seconds of CPU and of wall time."""

    turns: int = 0
    cpu: float = 0.0
    wall: float = 0.0


def engine_alone(machines: Machines) -> Weeks:
    """Run the engine alone: each wake-up when it is due, each question answered, and one more check-in every day."""
    weeks, rng = Weeks(), Random("weeks")  # noqa: S311 - repeatable
    progress, now = Progress(), START + timedelta(hours=10)
    wishes = {**DAY_ONE, "country": "Ireland", "look_in": PERSONA.look_in}
    wishes |= {"remind_days": PERSONA.remind[0], "remind_at": PERSONA.remind[1]}

    def take(event: Event) -> None:
        nonlocal progress
        wall_before, cpu_before = time.perf_counter(), time.process_time()
        progress = step(machines, progress, event).progress
        weeks.wall += time.perf_counter() - wall_before
        weeks.cpu += time.process_time() - cpu_before
        weeks.turns += 1

    def answer_all() -> None:
        nonlocal now
        for _ in range(40):
            if not progress.runs:
                return
            run = progress.runs[-1]
            here = machines.script.dialogues[run.dialogue].steps[run.step]
            shown = [offer.label for offer in offers(here, Context(machines.script, progress, run, now))]
            now += timedelta(seconds=10)
            take(Said(now, answer(machines.script, progress, shown, wishes, rng) or "later"))

    take(Said(now, "/start"))
    answer_all()
    for day in range(1, DAYS + 1):
        noon = START + timedelta(days=day, hours=12)
        for until in (noon, START + timedelta(days=day + 1)):
            while (due := triggers.next_wake(machines.script, progress)) is not None and due <= until:
                now = max(due, now)
                take(Woke(now))
                now += timedelta(minutes=5)
                answer_all()
            if until == noon:
                now = max(now, noon)
                take(Said(now, "/checkin"))
                answer_all()
    return weeks


def whole_bot(folder: Path, machines: Machines, prompts: Prompts) -> Weeks:
    """Run polling, conversation, store and courier against a fake Telegram in the same process."""
    spent = time.process_time()
    result = simulate(SimulationPlan(1, DAYS, personas=(PERSONA,), zones=(ZONE,)), folder, machines, prompts)
    return Weeks(result.recorder.counts["turns"], time.process_time() - spent, result.wall)


def lines(name: str, weeks: Weeks, at_most: float) -> Iterator[str]:
    """One line with the result and whether it is within the limit (seconds of CPU)."""
    verdict = "as expected" if weeks.cpu <= at_most else "TOO MUCH"
    yield (
        f"{name:<30}{weeks.turns:>6} turns {weeks.cpu:>8.2f} s CPU {weeks.wall:>8.2f} s wall"
        f"   at most {at_most:g} s of CPU: {verdict}"
    )
