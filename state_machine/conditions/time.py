"""Of clocks and hours, and of what was written first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from state_machine.conditions.registry import condition
from state_machine.model.context import Context
from state_machine.model.local_time import zone_named
from state_machine.programme.tables import BACK_AGAIN, CLOCK_CHECK
from state_machine.rules.clocks import fitting, several
from state_machine.schedule import agenda

NIGHTS = 3
"""So many nights of writing in the small hours, within ten days, and the clock is asked about."""
OFFSET = "Etc/"
"""How the names of zones begin that are a mere offset, which an earlier release kept: no clock of any place."""


@condition
def has_several_zones(context: Context) -> bool:
    """The client's country has more than one time zone."""
    country = context.code("country")
    return country is not None and len(context.script.gazetteer.zones.get(country, ())) > 1


@condition
def country_changed_to_several_zones(context: Context) -> bool:
    """A country with several time zones was given on its own, outside the first talk, so the clock must be asked."""
    alone = context.run is not None and context.run.amends
    return alone and has_several_zones(context)


@condition
def several_places_fit(context: Context) -> bool:
    """What the client's clock says fits places whose clocks don't change on the same days."""
    return bool(several(fitting(context, context.now), context.now))


@condition
def hour_not_chosen(context: Context) -> bool:
    """The client has not yet said how often a check-in is asked for."""
    return context.fact("remind_days") is None


@condition
def wrote_for_a_talk(context: Context) -> bool:
    """The last thing said unasked was for the next part of the programme."""
    return _wrote_for(context) == "talk"


@condition
def wrote_in_place_of_a_check_in(context: Context) -> bool:
    """The last thing said unasked was for the next part, on a day for which a check-in was chosen."""
    return wrote_for_a_talk(context) and agenda.is_instead_of_check_in(context.progress, context.today())


@condition
def something_to_start(context: Context) -> bool:
    """A part of the programme opens if the client asks for what comes next."""
    return agenda.to_start(context, context.today()) is not None


@condition
def wrote_for_a_check_in(context: Context) -> bool:
    """The last thing said unasked was for a check-in, at its hour or an hour later as asked."""
    return _wrote_for(context) in {"check_in", "snooze"}


@condition
def wrote_after_silence(context: Context) -> bool:
    """The last thing said unasked was the word after silent days."""
    return _wrote_for(context) in {"gentle_word", "retention"}


def _wrote_for(context: Context) -> str | None:
    unasked = context.progress.unasked
    return unasked.reason if unasked else None


@condition
def something_waits(context: Context) -> bool:
    """Below what is in front, something else is still open."""
    return any(context.run is None or run.id != context.run.id for run in context.progress.runs)


@condition
def is_back_after_long(context: Context) -> bool:
    """After ten silent days or more the client writes again, and was not asked about our writing first for a day."""
    asked = context.progress.done.get(BACK_AGAIN)
    lately = asked is not None and context.now - asked.last < timedelta(days=1)
    return context.progress.suspended and not lately


@condition
def clock_may_be_wrong(context: Context) -> bool:
    """The client wrote in the small hours of several nights, their zone is lost or only an offset, or the clocks
    of places that it may be differ by now; not asked about for a month, unless they differ only since.
    """
    asked = context.progress.done.get(CLOCK_CHECK)
    lately = asked is not None and context.now - asked.last < timedelta(days=30)
    zone = context.code("zone")
    hours = {context.code("look_in"), context.code("remind_at")} - {None, "never"}
    lost = has_several_zones(context) or bool(hours) if zone is None else zone.startswith(OFFSET)
    if (lost or len(context.progress.nights) >= NIGHTS) and not lately:
        return True
    told = context.fact("zone")
    said_right = asked is not None and told is not None and asked.outcome == "right" and asked.last > told.at
    zones = fitting(context, asked.last) if asked is not None and said_right else fitting(context)
    asked_since = asked is not None and lately and _differ(zones, asked.last)
    return _differ(zones, context.now) and not asked_since


def _differ(zones: Iterable[str], moment: datetime) -> bool:
    return len({moment.astimezone(zone_named(zone)).utcoffset() for zone in zones}) > 1
