"""Whether a client who asks /why is told why the last unasked message came."""

from __future__ import annotations

from datetime import datetime

from bot.simulation.rules_of_time import zone_of
from dialogues.prompts import Prompts
from state_machine.chart import Charts
from state_machine.engine import step
from state_machine.events import Said
from state_machine.messages import Message
from state_machine.progress import Progress


def explains_itself(charts: Charts, prompts: Prompts, progress: Progress, now: datetime) -> bool:
    """Ask, and look for the hour at which it came. True too where nothing came unasked, or danger is spoken of."""
    front = progress.runs[-1].dialogue if progress.runs else None
    if progress.unasked is None or (front is not None and charts.script.dialogues[front].safety):
        return True
    turn = step(charts, progress, Said(now, "/why"))
    said = " ".join(m.text for m in prompts.outgoing(turn.effects, now) if isinstance(m, Message))
    return f"{progress.unasked.at.astimezone(zone_of(progress)):%H:%M}" in said
