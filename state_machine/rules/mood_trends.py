"""What stands out in a client's own check-ins: a weekday, or a kind of moment, on which the mood is another one;
and a week that lies well under what is usual for them.

Means of a handful of taps differ by chance all the time. So a difference counts only if it is large on the scale and
large beside how much the mood goes up and down anyway; and whoever is told of it is told that it may be chance.
The measure is the difference of the two means over its standard error (Student 1908, pooled), with a spread of one
point at the least, so that a row of equal taps proves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean

from state_machine.model.progress import CheckIn, Progress, Run

MOST_KEPT = 90
"""Check-ins that are looked back on."""
LOOKED_AT = timedelta(weeks=8)
FEWEST, FEWEST_OTHERS = 4, 6
"""Check-ins of that kind, and others, without which there is nothing to say."""
APART, ERRORS_APART = 1.5, 3.0
"""The least difference, in points of the scale and in standard errors. Of taps that only go up and down, six weeks of
them, about one page in twenty has something that goes so far (tests/test_looking_back.py)."""
LEAST_SPREAD = 1.0
UNTOLD = frozenset({"something_else", "nothing_much"})
"""Kinds of moment that say too little to be told of."""
EVERY, SAME_AFTER = timedelta(days=7), timedelta(days=28)
"""How often something is told, and how long the same thing is not."""
_PREFIX = "pattern:"


WEEK, FEWEST_OF_WEEK, FEWEST_BEFORE = timedelta(days=7), 4, 7
"""A week is spoken of if there are check-ins of so many of its days, and of so many in the seven weeks before."""
WELL_UNDER = 2.0
"""Points of the scale by which a week lies well under the usual."""


@dataclass(frozen=True, slots=True)
class MoodTrend:
    """One kind of check-in beside all others: how many of each (1 or more), and their mean moods (0 to 10).

    `subject` is the code of a moment, or the number of a weekday (`0` Monday to `6` Sunday).
    """

    subject: str
    times: int
    mean: float
    others: int
    others_mean: float

    @property
    def weekday(self) -> int | None:
        """0 (Monday) to 6; None where it is about a kind of moment."""
        return int(self.subject) if self.subject.isdecimal() else None


def noted(kept: tuple[CheckIn, ...], run: Run, day: date) -> tuple[CheckIn, ...]:
    """The check-ins with that of `run`, about `day`, in the place of an earlier one of the same run."""
    rest = without(kept, run.id)
    codes = {answer.memory: answer.fact.code or answer.fact.value for answer in run.answers}
    mood = codes.get("mood", "")
    if not mood.isdecimal():
        return rest
    return (*rest, CheckIn(run.id, run.day or day, int(mood), codes.get("day_moment")))[-MOST_KEPT:]


def without(kept: tuple[CheckIn, ...], run: int) -> tuple[CheckIn, ...]:
    """The check-ins but for that of one run."""
    return tuple(one for one in kept if one.run != run)


def pattern(kept: Iterable[CheckIn], subject: str, today: date) -> MoodTrend | None:
    """That kind of check-in beside the others of the last eight weeks; None if there are none of either."""
    lately = [one for one in kept if today - LOOKED_AT < one.day <= today]
    those = [one.mood for one in lately if _is_about(one, subject)]
    rest = [one.mood for one in lately if not _is_about(one, subject)]
    if not those or not rest:
        return None
    return MoodTrend(subject, len(those), fmean(those), len(rest), fmean(rest))


def stands_out(progress: Progress, today: date) -> str | None:
    """The subject of what is to be told after the latest check-in, if there is anything.

    Only what that check-in is a case of: Sundays are spoken of on a Sunday.
    """
    told, kept = _told(progress), progress.check_ins
    if not kept or any(today - day < EVERY for day in told.values()):
        return None
    subjects = {str(kept[-1].day.weekday()), kept[-1].moment or ""} - UNTOLD - {""}
    lately = [subject for subject, day in told.items() if today - day < SAME_AFTER]
    fresh = [one for one in sorted(subjects) if not any(_is_the_same(kept, one, other, today) for other in lately)]
    ranked = sorted(((_errors_apart(kept, one, today), one) for one in fresh), reverse=True)
    return ranked[0][1] if ranked and ranked[0][0] >= ERRORS_APART else None


def is_low_week(kept: Iterable[CheckIn], today: date) -> bool:
    """Whether the last seven days lie well under what is usual for this client; never one bad day alone.

    Days count, each with its lowest mood, so that one evening with five check-ins is one evening.
    """
    lowest: dict[date, int] = {}
    for one in kept:
        if today - LOOKED_AT < one.day <= today:
            lowest[one.day] = min(one.mood, lowest.get(one.day, one.mood))
    week = [mood for day, mood in lowest.items() if day > today - WEEK]
    before = [mood for day, mood in lowest.items() if day <= today - WEEK]
    if len(week) < FEWEST_OF_WEEK or len(before) < FEWEST_BEFORE:
        return False
    return fmean(before) - fmean(week) >= WELL_UNDER


def key(subject: str) -> str:
    """Under which it is remembered that a subject was told."""
    return f"{_PREFIX}{subject}"


def subject_of(run: Run | None) -> str | None:
    """What a run that looks back is about; None for any other run."""
    return run.part.removeprefix(_PREFIX) if run and run.part and run.part.startswith(_PREFIX) else None


def _told(progress: Progress) -> dict[str, date]:
    return {
        name.removeprefix(_PREFIX): done.day or done.last.date()
        for name, done in progress.done.items()
        if name.startswith(_PREFIX)
    }


def _is_the_same(kept: Iterable[CheckIn], one: str, other: str, today: date) -> bool:
    """Whether two subjects are one told in two ways: lonely Sundays are *Sundays*, and they are *alone*."""
    those = {at.run for at in kept if _is_about(at, one) and today - LOOKED_AT < at.day <= today}
    others = {at.run for at in kept if _is_about(at, other) and today - LOOKED_AT < at.day <= today}
    return one == other or 2 * len(those & others) > min(len(those), len(others))


def _is_about(one: CheckIn, subject: str) -> bool:
    return subject in {one.moment, str(one.day.weekday())}


def _errors_apart(kept: Sequence[CheckIn], subject: str, today: date) -> float:
    """By how many standard errors the two means differ; 0 where too little is known or they are too near."""
    found = pattern(kept, subject, today)
    if found is None or found.times < FEWEST or found.others < FEWEST_OTHERS:
        return 0.0
    apart = abs(found.mean - found.others_mean)
    if apart < APART:
        return 0.0
    lately = [one for one in kept if today - LOOKED_AT < one.day <= today]
    own_mean = {True: found.mean, False: found.others_mean}
    squares = sum((one.mood - own_mean[_is_about(one, subject)]) ** 2 for one in lately)
    spread = max(LEAST_SPREAD, math.sqrt(squares / (len(lately) - 2)))
    return apart / (spread * math.sqrt(1 / found.times + 1 / found.others))
