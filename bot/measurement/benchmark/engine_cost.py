"""What a turn of the engine costs, in triggers of a bare machine: both are timed in turns, in one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from statistics import median
from time import process_time

from bot.measurement.benchmark.check_ins import IDLE, MOOD, START
from state_machine.engine import step
from state_machine.model.context import Context
from state_machine.model.events import Event, Said
from state_machine.model.progress import Progress
from state_machine.programme.tables import CHECK_IN, TODAY
from state_machine.turn.machine import Machines, Model
from state_machine.turn.options import offers

BATCHES, A_BATCH = 60, 50
"""How often each is timed, and how many of it each time. The medians are compared: others may use the machine too."""


def ratio(machines: Machines) -> Mapping[str, float]:
    """By kind of turn: the CPU time of `step` divided by that of one trigger on a fresh model, 1 or more.

    A typed number and a tapped label, both in a check-in, and the command that tells what comes next.
    """
    turns = _turns(machines)
    trigger: list[float] = []
    taken: dict[str, list[float]] = {kind: [] for kind in turns}
    bare = _bare(machines)
    for _ in range(BATCHES):
        trigger.append(_timed(bare))
        for kind, (progress, event) in turns.items():
            taken[kind].append(_timed(lambda progress=progress, event=event: step(machines, progress, event)))  # type: ignore[misc]
    return {kind: median(times) / median(trigger) for kind, times in taken.items()}


def _turns(machines: Machines) -> dict[str, tuple[Progress, Event]]:
    """By kind, the progress before the turn, and its event."""
    at = START + timedelta(minutes=1)
    script = machines.script
    asked = step(machines, IDLE, Said(at, f"/{script.dialogues[CHECK_IN].opened_by}")).progress
    rated = step(machines, asked, Said(at, MOOD)).progress
    front = rated.runs[-1]
    here = script.dialogues[front.dialogue].steps[front.step]
    label = offers(here, Context(script, rated, front, at))[0].label
    return {
        "a typed number": (asked, Said(at, MOOD)),
        "a tapped label": (rated, Said(at, label)),
        "what comes next": (IDLE, Said(at, f"/{script.dialogues[TODAY].opened_by}")),
    }


def _bare(machines: Machines) -> Callable[[], object]:
    machine = machines.dialogues[CHECK_IN]
    way, sources = next((way, found) for way, found in machine.events.items() if way.startswith("way_"))
    place = next(iter(sources.transitions))
    return lambda: machine.events[way].trigger(Model(step=place))


def _timed(once: Callable[[], object]) -> float:
    begun = process_time()
    for _ in range(A_BATCH):
        once()
    return (process_time() - begun) / A_BATCH
