"""Sixteen weeks of one client who answers everything: through the engine alone, and through all of the bot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random

from bot.measurement.simulation.answers import answer
from bot.measurement.simulation.personas import DAY_ONE, PERSONAS
from bot.measurement.simulation.runner import START, Plan, simulate
from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.context import Context
from state_machine.model.events import Event, Said, Woke
from state_machine.model.progress import Progress
from state_machine.schedule import triggers
from state_machine.turn.machine import Machines
from state_machine.turn.options import offers

DAYS = 16 * 7
PURE_AT_MOST, WHOLE_AT_MOST = 2.0, 8.0
"""Seconds of CPU that are expected at most."""
ONE = replace(PERSONAS[0], answers=1.0)
ZONE = "Europe/Dublin"


@dataclass
class Weeks:
    """What it took: seconds of CPU and of wall time."""

    turns: int = 0
    cpu: float = 0.0
    wall: float = 0.0


def pure(machines: Machines) -> Weeks:
    """The engine alone: every wake-up at its instant, every question answered, a check-in a day on top."""
    weeks, dice = Weeks(), Random("weeks")  # noqa: S311 - repeatable
    progress, now = Progress(), START + timedelta(hours=10)
    wishes = {**DAY_ONE, "country": "Ireland", "look_in": ONE.look_in}
    wishes |= {"remind_days": ONE.remind[0], "remind_at": ONE.remind[1]}

    def happens(event: Event) -> None:
        nonlocal progress
        begun, spent = time.perf_counter(), time.process_time()
        progress = step(machines, progress, event).progress
        weeks.wall += time.perf_counter() - begun
        weeks.cpu += time.process_time() - spent
        weeks.turns += 1

    def talks() -> None:
        nonlocal now
        for _ in range(40):
            if not progress.runs:
                return
            run = progress.runs[-1]
            here = machines.script.dialogues[run.dialogue].steps[run.step]
            shown = [offer.label for offer in offers(here, Context(machines.script, progress, run, now))]
            now += timedelta(seconds=10)
            happens(Said(now, answer(machines.script, progress, shown, wishes, dice) or "later"))

    happens(Said(now, "/start"))
    talks()
    for day in range(1, DAYS + 1):
        noon = START + timedelta(days=day, hours=12)
        for until in (noon, START + timedelta(days=day + 1)):
            while (due := triggers.next_wake(machines.script, progress)) is not None and due <= until:
                now = max(due, now)
                happens(Woke(now))
                now += timedelta(minutes=5)
                talks()
            if until == noon:
                now = max(now, noon)
                happens(Said(now, "/checkin"))
                talks()
    return weeks


def whole(folder: Path, machines: Machines, prompts: Prompts) -> Weeks:
    """Through polling, conversation, store and courier, with Telegram's end played in the same process."""
    spent = time.process_time()
    outcome = simulate(Plan(1, DAYS, personas=(ONE,), zones=(ZONE,)), folder, machines, prompts)
    return Weeks(outcome.recorder.counts["turns"], time.process_time() - spent, outcome.wall)


def lines(name: str, weeks: Weeks, at_most: float) -> Iterator[str]:
    """One line to read."""
    verdict = "as expected" if weeks.cpu <= at_most else "TOO MUCH"
    yield (
        f"{name:<30}{weeks.turns:>6} turns {weeks.cpu:>8.2f} s CPU {weeks.wall:>8.2f} s wall"
        f"   at most {at_most:g} s of CPU: {verdict}"
    )
