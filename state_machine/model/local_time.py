"""Hours on the client's own clock, as instants.

Over a change of the clocks: in the hour that is lost in spring the first minute after it, in the hour that
comes twice in autumn the first of the two (PEP 495, `fold=0`). Every other rule of time builds on this one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_UTC = ZoneInfo("UTC")
MORNING = time(10)
"""When a look-in comes that was agreed on for the next morning."""
EVERY_DAY = frozenset(range(7))
QUIET_FROM, QUIET_UNTIL = time(21, 30), time(8)
"""The hours in which nothing is said that nobody chose an hour for."""


def zone_named(name: str | None) -> ZoneInfo:
    """The zone of that name; UTC without one, or where this machine does not know it, or knows it no more."""
    return known_zone(name) or _UTC


@lru_cache(maxsize=1024)
def known_zone(name: str | None) -> ZoneInfo | None:
    """The zone of that name; None if this machine knows none."""
    try:
        return _zone(name) if name else None
    except (KeyError, ValueError, OSError):  # not found, no name of a zone, or the name of a folder of zones
        return None


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    """`ZoneInfo` itself keeps only the eight zones used last, and reads any other from its file again."""
    return ZoneInfo(name)


def instant(day: date, at: time, zone: ZoneInfo) -> datetime | None:
    """The instant (UTC) of a time of day on a date in `zone`; None if that zone leaves out the whole date."""
    wall = datetime.combine(day, at, zone)
    here = wall.astimezone(UTC)
    if here.astimezone(zone) == wall:  # of one zone, so what their clocks show is compared
        return here
    late, early = (wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return None if late - early >= timedelta(days=1) else _end_of_gap(early, late, zone)


def _end_of_gap(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after the clocks changed, somewhere between the two."""
    before = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        middle = middle.replace(microsecond=0)
        if middle in (early, late):
            break
        early, late = (middle, late) if middle.astimezone(zone).utcoffset() == before else (early, middle)
    return late


def changes(zone: ZoneInfo, since: datetime, until: datetime) -> tuple[tuple[datetime, timedelta | None], ...]:
    """What the clocks in `zone` do from `since` to `until`: the offset at `since`, and at each change its first
    instant (UTC) and the new offset. Two zones with the same changes are one clock. A change that is taken back
    within four weeks would be missed; the shortest, in Morocco, lasts five.
    """
    before, found = since.astimezone(UTC), [(since, since.astimezone(zone).utcoffset())]
    while before < until:
        after = min(before + timedelta(weeks=4), until)
        offset = after.astimezone(zone).utcoffset()
        if offset != found[-1][1]:
            found.append((_end_of_gap(before, after, zone), offset))
        before = after
    return tuple(found)


def first_after(
    after: datetime, at: time, zone: ZoneInfo, weekdays: frozenset[int] = frozenset(range(7))
) -> datetime:
    """The first instant later than `after` when it is `at` in `zone` on one of `weekdays` (Monday is 0)."""
    day = after.astimezone(zone).date()
    while True:
        if day.weekday() in weekdays:
            found = instant(day, at, zone)
            if found is not None and found > after:
                return found
        day += timedelta(days=1)


def next_morning(after: datetime, zone: ZoneInfo) -> datetime:
    """The first morning that is not before `after`."""
    return first_after(after - timedelta(seconds=1), MORNING, zone)


def out_of_quiet(moment: datetime, zone: ZoneInfo) -> datetime:
    """`moment`, or the end of the quiet hours it lies in."""
    local = moment.astimezone(zone).time()
    if QUIET_UNTIL <= local < QUIET_FROM:
        return moment
    return first_after(moment - timedelta(seconds=1), QUIET_UNTIL, zone)
