"""Whether a client who asks /why is told why the last unasked message came."""

from __future__ import annotations

from datetime import datetime

from bot.measurement.simulation.rules_of_time import zone_of
from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.events import Said
from state_machine.model.outgoing import Message
from state_machine.model.progress import Progress
from state_machine.turn.machine import Machines


def explains_itself(machines: Machines, prompts: Prompts, progress: Progress, now: datetime) -> bool:
    """Ask, and look for the hour at which it came. True too where nothing came unasked, or danger is spoken of."""
    front = progress.runs[-1].dialogue if progress.runs else None
    if progress.unasked is None or (front is not None and machines.script.dialogues[front].safety):
        return True
    turn = step(machines, progress, Said(now, "/why"))
    said = " ".join(m.text for m in prompts.outgoing(turn.effects, now) if isinstance(m, Message))
    return f"{progress.unasked.at.astimezone(zone_of(progress)):%H:%M}" in said
