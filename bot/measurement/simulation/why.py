"""Checks that /why explains the last message that came unasked."""

from __future__ import annotations

from datetime import datetime

from bot.measurement.simulation.wake_up_rules import zone_of
from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.events import Said
from state_machine.model.outgoing import Message
from state_machine.model.progress import Progress
from state_machine.turn.machine import Machines


def explains_last_message(machines: Machines, prompts: Prompts, progress: Progress, now: datetime) -> bool:
    """Whether the answer to /why names the time at which the last unasked message came.

    True also if none came, or while a safety dialogue is open.
    """
    front = progress.runs[-1].dialogue if progress.runs else None
    if progress.unasked is None or (front is not None and machines.script.dialogues[front].safety):
        return True
    turn = step(machines, progress, Said(now, "/why"))
    said = " ".join(m.text for m in prompts.outgoing(turn.effects, now) if isinstance(m, Message))
    return f"{progress.unasked.at.astimezone(zone_of(progress)):%H:%M}" in said
