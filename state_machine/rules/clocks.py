"""What time a client's clock says, and the time zones in which it says that.

A clock alone names no zone: New York and Lima agree for half of the year. The zones that fit are those that show
the told time; where their clocks change on different days, the client is asked for a city.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from state_machine.model.context import Context
from state_machine.model.local_time import changes, known_zone, zone_named
from state_machine.model.progress import Fact
from state_machine.model.script import Script
from state_machine.model.text import folded

TOLERANCE = 20
"""Minutes by which a clock the client reads may be off."""
MOST_CLOCKS, MOST_ZONES = 12, 24
RULES_AHEAD = timedelta(days=366)
"""Two zones whose clocks do the same for so long are not told apart."""
DAY = 24 * 60

Minutes = tuple[int, ...]
"""Times of day, in minutes since midnight, that what was said may mean."""


# --- what was said ---------------------------------------------------------------------


def told(text: str, script: Script) -> tuple[Minutes, ...]:
    """The times of day that `text` may mean, the likelier group first; empty if it tells none.

    `15:15`, `03:15` and `3 pm` mean one time each; `3:15` two, one of them in the afternoon; `10:15` more likely
    the morning; `half seven` half past six where English is not the mother tongue.
    """
    said = _in_signs(text, script)
    for shape, reading in _SHAPES:
        match = shape.fullmatch(said)
        if match is not None:
            return tuple(group for group in reading(match) if group)
    return ()


def _in_signs(text: str, script: Script) -> str:
    """`text` with the words of the book for the time of day in signs: `3 15 p`, `15 + 3`, `half 7`."""
    said = re.sub(r"\.(?=\D|$)", "", re.sub(r"[!?,;]", " ", folded(text)))
    said = re.sub(r"(?<=\d)[.:h](?=\d)|(?<=\d) h (?=\d)", ":", said)
    numbers = {word: str(number) for number, word in enumerate(script.numbers)}
    meanings: Mapping[str, str] = {**numbers, **script.clock_words}
    for words in sorted(meanings, key=len, reverse=True):
        said = re.sub(rf"(?<![^\W\d]){re.escape(words)}(?!\w)", f" {meanings[words]} ", said)
    return " ".join(said.split())


def _hour(hour: int, minute: int, half: str | None) -> Minutes:
    """The times that an hour on a clock of twelve or twenty-four hours may mean."""
    if hour > 23 or minute > 59 or (half and not 1 <= hour <= 12):
        return ()
    if half:
        late = half == "pm" or (half == "night" and 6 <= hour < 12)
        return ((hour % 12 + (12 if late else 0)) * 60 + minute,)
    return tuple(each * 60 + minute for each in ((hour, (hour + 12) % 24) if 1 <= hour <= 12 else (hour,)))


def _figures(match: re.Match[str]) -> tuple[Minutes, ...]:
    hour, minute, half = match[1], match[2] or "0", match[3]
    found = _hour(int(hour), int(minute), half)
    if len(found) < 2 or len(hour) == 1:
        return (found,)
    return (found[:1],) if hour.startswith("0") else (found[:1], found[1:])


def _minutes_and_hour(match: re.Match[str]) -> tuple[Minutes, ...]:
    minutes = 30 if match[1] == "half" else int(match[1])
    if minutes > 30:
        return ()
    apart = minutes if match[2] == "past" else -minutes
    return (tuple((time + apart) % DAY for time in _hour(int(match[3]), 0, match[4])),)


def _half(match: re.Match[str]) -> tuple[Minutes, ...]:
    times = _hour(int(match[1]), 30, match[2])
    return times, tuple((time - 60) % DAY for time in times)


def _named(match: re.Match[str]) -> tuple[Minutes, ...]:
    return ((int(match[1]) * 60 + int(match[2]),),)


_SHAPES = (
    (re.compile(r"=(\d\d):(\d\d)", re.ASCII), _named),
    (re.compile(r"(\d\d?)(?:[: ](\d\d))? ?(am|pm|night)?", re.ASCII), _figures),
    (re.compile(r"(\d\d?)(\d\d) ?(am|pm|night)?", re.ASCII), _figures),
    (re.compile(r"(half|\d\d?) (past|to) (\d\d?) ?(am|pm|night)?", re.ASCII), _minutes_and_hour),
    (re.compile(r"half (\d\d?) ?(am|pm|night)?", re.ASCII), _half),
)


# --- where that is --------------------------------------------------------------------------


def zones_of(context: Context) -> tuple[str, ...]:
    """A zone for each clock of the client's country, the most populous first; of the world if it is not known."""
    places = context.script.gazetteer
    return places.zones.get(context.code("country") or "", places.world)


def zone_that_says(text: str, context: Context) -> str | None:
    """The most populous zone in which it is now the time that `text` tells, to within 20 minutes; None if none is.

    A time off a button counts as of the moment at which the button was shown.
    """
    now = context.now
    if context.run is not None and text.strip() in clocks(context, context.run.asked):
        now = context.run.asked
    zones = zones_of(context)
    shown = [(zone, _minute_of_day(zone, now)) for zone in zones]
    for group in told(text, context.script):
        apart = [(min(_apart(time, minute) for time in group), zone) for zone, minute in shown]
        nearest = min(apart, key=lambda each: each[0], default=(DAY, ""))  # of equals the first, the most populous
        if nearest[0] <= TOLERANCE:
            return nearest[1]
    return None


def clocks(context: Context, now: datetime) -> tuple[str, ...]:
    """The times of day it may be at `now` in the client's country, as `HH:MM`, each once; none if too many."""
    zones = zones_of(context)
    times = {local_time(zone, now) for zone in zones} if len(zones) <= MOST_ZONES else ()
    return tuple(sorted(times)) if len(times) <= MOST_CLOCKS else ()


def local_time(zone: str, now: datetime) -> str:
    """The time of day in `zone` as `HH:MM`."""
    return now.astimezone(zone_named(zone)).strftime("%H:%M")


def fitting(context: Context, *at: datetime) -> tuple[str, ...]:
    """The zones that show what the client's clock showed when it was told, and what ours shows for them at `at`.

    The most populous first. Empty if the zone is known from more than a clock: from a city, or a country with one.
    """
    fact, zones = context.fact("zone"), zones_of(context)
    own = known_zone(fact.code or fact.value) if fact else None
    if fact is None or own is None or not _is_told_by_clock(fact, context):
        return ()
    return tuple(zone for zone in zones if all(_agree(zone_named(zone), own, moment) for moment in (fact.at, *at)))


def several(zones: Iterable[str], now: datetime) -> tuple[str, ...]:
    """Of `zones` one for each way their clocks go for a year from `now`; empty if they all go the same way."""
    first: dict[object, str] = {}
    for zone in zones:
        first.setdefault(changes(zone_named(zone), now, now + RULES_AHEAD), zone)
    return tuple(first.values()) if len(first) > 1 else ()


def city_zone(text: str, script: Script) -> str | None:
    """The zone of a city, a part of a country or a country with one clock: *Denver*, *Austin, Texas*, *Kenya*."""
    places = script.gazetteer
    whole = folded(text).replace(",", " , ")
    for said in (" ".join(whole.replace(" , ", " ").split()), *(part.strip() for part in whole.split(","))):
        words = re.sub(r"[.!?]", "", said)
        zones = places.zones.get(places.countries.get(words, ""), ())
        found = places.cities.get(words) or (zones[0] if len(zones) == 1 else None)
        if found:
            return found
    return None


def _is_told_by_clock(fact: Fact, context: Context) -> bool:
    """Whether a zone is known from a clock alone; what is known from a city is kept under the city's name."""
    country = context.fact("country")
    by_country = country is not None and country.at == fact.at
    return fact.value == (fact.code or fact.value) and not by_country and len(zones_of(context)) > 1


def _agree(one: ZoneInfo, other: ZoneInfo, moment: datetime) -> bool:
    """Whether two zones show the same time of day at `moment`, whatever the date."""
    return moment.astimezone(one).time() == moment.astimezone(other).time()


def _minute_of_day(zone: str, now: datetime) -> int:
    local = now.astimezone(zone_named(zone))
    return local.hour * 60 + local.minute


def _apart(one: int, other: int) -> int:
    return min((one - other) % DAY, (other - one) % DAY)
