"""Words that waited for us: a clock is read, and a day told of, as it was when they were written."""

from __future__ import annotations

from dataclasses import replace

from state_machine.model.context import Context
from state_machine.model.events import Said
from state_machine.model.progress import Run
from state_machine.programme.tables import CHECK_IN
from state_machine.turn.flow import Flow


def context_when_written(turn: Flow, run: Run, said: Said | None) -> Context:
    """What could be seen when this answer to `run` was written.

    Whatever the messenger's clock says: an answer comes after its question, and not after now.
    """
    sent = said.sent if said is not None else None
    return replace(turn.context(run), now=min(turn.now, max(sent or turn.now, run.asked)))


def keep_day(turn: Flow, run: Run, then: Context) -> None:
    """Let a check-in that was answered yesterday, and taken up only now, be of yesterday."""
    if run.dialogue == CHECK_IN and run.day is None and then.today() != turn.today():
        turn.put(replace(run, day=then.today()))
