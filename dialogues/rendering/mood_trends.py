"""What stands out in the check-ins, as a bubble may speak of it."""

from __future__ import annotations

from dataclasses import dataclass

from babel.dates import get_day_names

from state_machine.model.context import Context
from state_machine.model.script import Label
from state_machine.programme.tables import CHECK_IN
from state_machine.rules import mood_trends

MOMENT = "day_moment"


@dataclass(frozen=True, slots=True)
class MoodTrendText:
    """Of `moment` (what the client tapped) and `weekday` (its name) one is empty. The means are whole numbers."""

    moment: str
    weekday: str
    times: int
    mean: int
    others: int
    others_mean: int
    total: int


def mood_trend_text(context: Context, language: str) -> MoodTrendText | None:
    """What the run in front is about; None if it is about none, or the check-ins it was about are gone."""
    subject = mood_trends.subject_of(context.run)
    found = mood_trends.pattern(context.progress.check_ins, subject, context.today()) if subject else None
    if found is None:
        return None
    weekday = "" if found.weekday is None else get_day_names("wide", locale=language)[found.weekday]
    moment = "" if weekday else _label(context, found.subject)
    means = round(found.mean), round(found.others_mean)
    return MoodTrendText(moment, weekday, found.times, means[0], found.others, means[1], found.times + found.others)


def _label(context: Context, code: str) -> str:
    """The words on the button with this code."""
    steps = context.script.dialogues[CHECK_IN].steps.values()
    ways = (way for step in steps for way in step.ways if way.memory == MOMENT and way.code == code)
    return next((way.takes.text for way in ways if isinstance(way.takes, Label)), code)
