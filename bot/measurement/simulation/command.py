"""The commands `ipt-bot simulate` and `ipt-bot bench weeks`."""

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
from bot.measurement.simulation.runner import SimulationPlan, SimulationResult, simulate
from bot.settings import Settings
from dialogues.reading import signals
from dialogues.rendering.prompts import Prompts
from state_machine.turn import machine
from state_machine.turn.machine import Machines

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a simulation needs no disk, and is faster without one
SWITCHED_OFF_AT = timedelta(hours=18)


class PlanRefused(Exception):
    """A simulation can't be run with these options; the message is a sentence for the operator."""


def run(plan: SimulationPlan, say: Callable[[str], None]) -> SimulationResult:
    """Simulate on temporary files and print the summary line by line. Raises PlanRefused."""
    machines, prompts = _load_book()
    unknown = set(plan.zones) - {zone for found in machines.script.gazetteer.zones.values() for zone in found}
    if unknown:
        raise PlanRefused(f"No country is known with the zone {', '.join(sorted(unknown))}.")
    if plan.show is not None and not 0 <= plan.show < plan.clients:
        raise PlanRefused(f"There are clients 0 to {plan.clients - 1}; --show can't be {plan.show}.")
    logging.disable(logging.CRITICAL)
    with _folder(IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        result = simulate(plan, Path(folder) / "data", machines, prompts)
    if plan.show is not None:
        say(f"Client {plan.show}: {result.personas[plan.show]}")
        for line in result.transcript:
            say(line)
        say("")
    for line in report(plan, result):
        say(line)
    return result


def plan(  # noqa: PLR0913, PLR0917 - one for each option of the command
    clients: int, days: int, seed: int, zones: list[str], faults: str, show: int | None, off: int, started: bool
) -> SimulationPlan:
    """Make a plan from the options. Raises PlanRefused.

    `off`: hours for which the bot is switched off from 18:00 UTC of the second day on.
    """
    if faults not in LEVELS:
        raise PlanRefused(f"--faults can be {', '.join(LEVELS)}, not {faults}.")
    if clients < 1 or days < 1:
        raise PlanRefused("At least one client and one day are needed.")
    if off and days * 24 < 42 + off:
        raise PlanRefused(f"With {off} hours switched off, more than {days} days are needed to see what comes then.")
    made = SimulationPlan(clients, days, seed, LEVELS[faults], show=show, started=started)
    downtimes = [(made.start + timedelta(days=1) + SWITCHED_OFF_AT, timedelta(hours=off))] if off else []
    return SimulationPlan(
        clients,
        days,
        seed,
        LEVELS[faults],
        zones=tuple(zones) or made.zones,
        downtimes=downtimes,
        show=show,
        started=started,
    )


def run_engine(say: Callable[[str], None]) -> bool:
    """Run sixteen weeks through the engine alone. Returns whether it stayed within `weeks.ENGINE_CPU_LIMIT`."""
    machines, _ = _load_book()
    taken = weeks.engine_alone(machines)
    for line in weeks.lines("engine alone, 16 weeks", taken, weeks.ENGINE_CPU_LIMIT):
        say(line)
    return taken.cpu <= weeks.ENGINE_CPU_LIMIT


def run_weeks(say: Callable[[str], None]) -> bool:
    """Run sixteen weeks through the engine alone, then through the whole bot on a real disk.

    Returns whether both stayed within their limits of CPU time.
    """
    within_limit = run_engine(say)
    machines, prompts = _load_book()
    logging.disable(logging.CRITICAL)
    with _folder(None) as folder:
        taken = weeks.whole_bot(Path(folder) / "data", machines, prompts)
    for line in weeks.lines("storage and courier, 16 weeks", taken, weeks.BOT_CPU_LIMIT):
        say(line)
    return within_limit and taken.cpu <= weeks.BOT_CPU_LIMIT


def _load_book() -> tuple[Machines, Prompts]:
    book, prompts = app.words(Settings(_env_file=None))  # type: ignore[call-arg]
    return machine.build(book.script, signals.screen()), prompts


def _folder(where: Path | None) -> AbstractContextManager[str]:
    return tempfile.TemporaryDirectory(prefix="simulation-", dir=where)
