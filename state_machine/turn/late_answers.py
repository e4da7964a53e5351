"""Words that waited for us: a clock is read, and a day told of, as it was when they were written."""

from __future__ import annotations

from dataclasses import replace

from state_machine.model.context import Context
from state_machine.model.progress import Run, with_fields
from state_machine.turn.flow import Flow


def context_when_written(turn: Flow, run: Run) -> Context:
    """What could be seen when this answer to `run` was written.

    Whatever the messenger's clock says: an answer comes after its question, and not after now.
    """
    return replace(turn.context(run), now=min(turn.now, max(turn.written, run.asked)))


def keep_day(turn: Flow, run: Run, then: Context) -> None:
    """Count a run that was answered yesterday, or soon after midnight to an evening's question, to that day."""
    new = run.day is None and not run.answers and not run.amends and then.code("zone") is not None
    if new and then.day_asked() != turn.today():
        turn.put(with_fields(run, day=then.day_asked()))
