"""That a client writes at all, whatever it is: they are here, and at this hour of theirs."""

from __future__ import annotations

from datetime import date, timedelta

from state_machine.conditions import NIGHTS
from state_machine.model.events import Event, Said
from state_machine.schedule.triggers import GENTLE_AFTER, writes_first
from state_machine.turn.actions import UNTIL_THEY_WRITE
from state_machine.turn.flow import Flow

SMALL_HOURS = (2, 5)
"""Hours of the night in which hardly anybody writes whose clock we know rightly."""


def record_activity(turn: Flow, event: Event) -> None:
    """They are here. After ten silent days they are asked before we write first again.

    A pause until they write ends with the next words, not with a second tap on the button that began it.
    """
    heard = turn.progress.heard
    long_gone = heard is not None and event.at - heard >= GENTLE_AFTER[-1]
    asked = turn.progress.suspended or (long_gone and writes_first(turn.progress))
    turn.change(heard=event.at, ignored_since=None, suspended=asked, nights=_nights(turn, event))
    if turn.progress.paused_until == UNTIL_THEY_WRITE and isinstance(event, Said) and not event.early:
        turn.change(paused_until=None)


def _nights(turn: Flow, event: Event) -> tuple[date, ...]:
    """The last nights on which they wrote when most people sleep: perhaps their clock is another."""
    at = turn.context().local(event.at)
    if not SMALL_HOURS[0] <= at.hour < SMALL_HOURS[1]:
        return turn.progress.nights
    lately = (night for night in turn.progress.nights if timedelta(0) < at.date() - night < timedelta(days=10))
    return (*lately, at.date())[-NIGHTS:]
