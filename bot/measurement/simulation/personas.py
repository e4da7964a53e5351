"""Kinds of client, and what each does with the bot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DAY_ONE: Mapping[str, str] = {
    "consent": "given",
    "phone": "own",
    "moment": "hard",
    "moment_kind": "quarrelled",
    "first_line": "as_given",
    "small_thing": "rest",
    "voices": "no",
    "ending_life": "no",
    "racing": "no",
    "dependence": "no",
    "eating": "no",
    "phq9_9": "0",
    "felt": "sad",
    "day_feelings": "sad",
}
"""Memories and the codes everybody answers with. What is not named here is left to the dice."""


@dataclass(frozen=True, slots=True)
class Persona:
    """How somebody lives with the bot.

    `answers`: how likely they answer what came unasked; `after`: minutes later, from and to.
    `every`: they come by themselves every so many days, at an hour between `hours` (their own clock).
    `quits_after`: days after which they never look again.
    `away`: from and to day, they have blocked the bot; on the last of them they write again.
    `travels`: on that day they change country. `settles`: every so many days they change a setting.
    `nonsense`: how likely an answer of theirs is none. `twice`: how likely they tap or send twice.
    """

    name: str
    weight: int = 1
    answers: float = 0.8
    after: tuple[float, float] = (1.0, 60.0)
    every: int = 0
    hours: tuple[float, float] = (9.0, 21.0)
    quits_after: int | None = None
    away: tuple[int, int] | None = None
    travels: int | None = None
    settles: int = 0
    nonsense: float = 0.0
    twice: float = 0.0
    look_in: str = "18:00"
    remind: tuple[str, str] = ("daily", "20:30")
    wishes: Mapping[str, str] = field(default_factory=dict)


PERSONAS: tuple[Persona, ...] = (
    Persona("daily", 4, answers=0.95, every=1, look_in="09:00", remind=("daily", "20:30")),
    Persona("reminded", 4, answers=0.9, after=(0.5, 20.0), look_in="18:00", remind=("weekdays", "12:30")),
    Persona("third_day", 3, answers=0.3, every=3, look_in="08:00", remind=("three", "18:00")),
    Persona("quits", 4, answers=0.9, quits_after=3, look_in="07:00"),
    Persona("by_night", 2, answers=0.7, after=(30, 500), every=1, hours=(23.0, 28.5), remind=("daily", "23:15")),
    Persona("tap_twice", 2, every=2, twice=0.4, look_in="12:15", remind=("weekends", "12:30")),
    Persona("blocks", 2, every=2, away=(4, 9), look_in="09:00"),
    Persona("nonsense", 1, answers=0.6, every=3, nonsense=0.25, look_in="17:45"),
    Persona("travels", 2, every=2, travels=5, look_in="02:30", remind=("daily", "02:30")),
    Persona("settings", 1, every=3, settles=4, look_in="18:00", remind=("three", "08:00")),
    Persona("never", 1, every=4, look_in="never", remind=("never", "")),
)
