"""`ipt-bot simulate` and `ipt-bot bench weeks`."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

from bot import app
from bot.measurement.simulation import weeks
from bot.measurement.simulation.faults import LEVELS
from bot.measurement.simulation.report import report
from bot.measurement.simulation.runner import Outcome, Plan, simulate
from bot.settings import Settings
from dialogues.reading import signals
from dialogues.rendering.prompts import Prompts
from state_machine.turn import machine
from state_machine.turn.machine import Machines

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - the files of a simulation need no disk, and are faster without one
NIGHT = timedelta(hours=18)


class PlanRefused(Exception):
    """A simulation can't be run as asked for; the message is a sentence."""


def run(plan: Plan, say: Callable[[str], None]) -> Outcome:
    """Simulate, on files that are gone afterwards, and print the summary."""
    machines, prompts = _words()
    unknown = set(plan.zones) - {zone for found in machines.script.gazetteer.zones.values() for zone in found}
    if unknown:
        raise PlanRefused(f"No country is known with the zone {', '.join(sorted(unknown))}.")
    if plan.show is not None and not 0 <= plan.show < plan.clients:
        raise PlanRefused(f"There are clients 0 to {plan.clients - 1}; --show can't be {plan.show}.")
    logging.disable(logging.CRITICAL)
    with _folder(IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        outcome = simulate(plan, Path(folder) / "data", machines, prompts)
    if plan.show is not None:
        say(f"Client {plan.show}: {outcome.personas[plan.show]}")
        for line in outcome.lines:
            say(line)
        say("")
    for line in report(plan, outcome):
        say(line)
    return outcome


def plan(  # noqa: PLR0913, PLR0917 - one for each option of the command
    clients: int, days: int, seed: int, zones: list[str], faults: str, show: int | None, off: int, settled: bool
) -> Plan:
    """The plan the options ask for. `off`: hours for which the bot is away from 18:00 UTC of the second day on."""
    if faults not in LEVELS:
        raise PlanRefused(f"--faults can be {', '.join(LEVELS)}, not {faults}.")
    if clients < 1 or days < 1:
        raise PlanRefused("At least one client and one day are needed.")
    if off and days * 24 < 42 + off:
        raise PlanRefused(f"With {off} hours switched off, more than {days} days are needed to see what comes then.")
    made = Plan(clients, days, seed, LEVELS[faults], show=show, settled=settled)
    nights = [(made.start + timedelta(days=1) + NIGHT, timedelta(hours=off))] if off else []
    return Plan(
        clients,
        days,
        seed,
        LEVELS[faults],
        zones=tuple(zones) or made.zones,
        nights_off=nights,
        show=show,
        settled=settled,
    )


def run_pure(say: Callable[[str], None]) -> bool:
    """Sixteen weeks through the engine alone. Whether it kept to its time."""
    machines, _ = _words()
    taken = weeks.pure(machines)
    for line in weeks.lines("engine alone, 16 weeks", taken, weeks.PURE_AT_MOST):
        say(line)
    return taken.cpu <= weeks.PURE_AT_MOST


def run_weeks(say: Callable[[str], None]) -> bool:
    """Sixteen weeks through the engine alone, then through all of the bot on a real disk. Whether both kept to it."""
    kept = run_pure(say)
    machines, prompts = _words()
    logging.disable(logging.CRITICAL)
    with _folder(None) as folder:
        taken = weeks.whole(Path(folder) / "data", machines, prompts)
    for line in weeks.lines("storage and courier, 16 weeks", taken, weeks.WHOLE_AT_MOST):
        say(line)
    return kept and taken.cpu <= weeks.WHOLE_AT_MOST


def _words() -> tuple[Machines, Prompts]:
    book, prompts = app.words(Settings(_env_file=None))  # type: ignore[call-arg]
    return machine.build(book.script, signals.screen()), prompts


def _folder(where: Path | None) -> AbstractContextManager[str]:
    return tempfile.TemporaryDirectory(prefix="simulation-", dir=where)
