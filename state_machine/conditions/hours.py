"""Of clocks and hours, and of what was written first."""

from __future__ import annotations

from datetime import timedelta

from state_machine.conditions.registry import condition
from state_machine.programme import BACK_AGAIN, CLOCK_CHECK
from state_machine.view import View

NIGHTS = 3
"""So many nights of writing in the small hours, within ten days, and the clock is asked about."""


@condition
def has_several_zones(view: View) -> bool:
    """The client's country has more than one time zone."""
    country = view.code("country")
    return country is not None and len(view.script.gazetteer.zones.get(country, ())) > 1


@condition
def country_changed_to_several_zones(view: View) -> bool:
    """A country with several time zones was given on its own, outside the first talk, so the clock must be asked."""
    alone = view.run is not None and view.run.amends
    return alone and has_several_zones(view)


@condition
def hour_not_chosen(view: View) -> bool:
    """The client has not yet said how often a check-in is asked for."""
    return view.fact("remind_days") is None


@condition
def wrote_for_a_talk(view: View) -> bool:
    """The last thing said unasked was for the next part of the programme."""
    return _wrote_for(view) == "talk"


@condition
def wrote_for_a_check_in(view: View) -> bool:
    """The last thing said unasked was for a check-in, at its hour or an hour later as asked."""
    return _wrote_for(view) in {"check_in", "snooze"}


@condition
def wrote_after_silence(view: View) -> bool:
    """The last thing said unasked was the word after silent days."""
    return _wrote_for(view) in {"gentle_word", "retention"}


def _wrote_for(view: View) -> str | None:
    unasked = view.progress.unasked
    return unasked.reason if unasked else None


@condition
def something_waits(view: View) -> bool:
    """Below what is in front, something else is still open."""
    return any(view.run is None or run.id != view.run.id for run in view.progress.runs)


@condition
def is_back_after_long(view: View) -> bool:
    """After ten silent days or more the client writes again, and was not asked about our writing first for a day."""
    asked = view.progress.done.get(BACK_AGAIN)
    lately = asked is not None and view.now - asked.last < timedelta(days=1)
    return view.progress.suspended and not lately


@condition
def clock_may_be_wrong(view: View) -> bool:
    """The client wrote in the small hours of several nights, or their zone is lost; not asked about for a month."""
    asked = view.progress.done.get(CLOCK_CHECK)
    lately = asked is not None and view.now - asked.last < timedelta(days=30)
    lost = has_several_zones(view) and view.fact("zone") is None
    return (lost or len(view.progress.nights) >= NIGHTS) and not lately
