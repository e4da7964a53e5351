"""Kinds of simulated client, and how each uses the bot."""

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
"""Maps memories to the codes that every client answers with. What is not here is chosen at random."""


@dataclass(frozen=True, slots=True)
class Persona:
    """How one kind of client uses the bot. Days are counted from 0; probabilities are between 0 and 1.

    `answers`: probability of answering an unasked message; `answer_delay`: minutes until then, shortest and longest.
    `visits_every`: they write by themselves every so many days, at an hour within `visit_hours` of their own clock.
    `quits_after`: the day from which on they do nothing.
    `blocked_days`: on the first of these days they block the bot, on the last they write again.
    `travels_on`: the day on which they change country.
    `changes_settings_every`: they change a setting every so many days.
    `nonsense`: probability that an answer makes no sense. `sends_twice`: probability that they send an answer twice.
    `look_in`, `remind`: the hour of the talk, and the days and hour of reminders, that they choose.
    `wishes`: as for `answers.answer`.
    """

    name: str
    weight: int = 1
    answers: float = 0.8
    answer_delay: tuple[float, float] = (1.0, 60.0)
    visits_every: int = 0
    visit_hours: tuple[float, float] = (9.0, 21.0)
    quits_after: int | None = None
    blocked_days: tuple[int, int] | None = None
    travels_on: int | None = None
    changes_settings_every: int = 0
    nonsense: float = 0.0
    sends_twice: float = 0.0
    look_in: str = "18:00"
    remind: tuple[str, str] = ("daily", "20:30")
    wishes: Mapping[str, str] = field(default_factory=dict)


PERSONAS: tuple[Persona, ...] = (
    Persona("daily", 4, answers=0.95, visits_every=1, look_in="09:00", remind=("daily", "20:30")),
    Persona("reminded", 4, answers=0.9, answer_delay=(0.5, 20.0), look_in="18:00", remind=("weekdays", "12:30")),
    Persona("third_day", 3, answers=0.3, visits_every=3, look_in="08:00", remind=("three", "18:00")),
    Persona("quits", 4, answers=0.9, quits_after=3, look_in="07:00"),
    Persona(
        "by_night",
        2,
        answers=0.7,
        answer_delay=(30, 500),
        visits_every=1,
        visit_hours=(23.0, 28.5),
        remind=("daily", "23:15"),
    ),
    Persona("tap_twice", 2, visits_every=2, sends_twice=0.4, look_in="12:15", remind=("weekends", "12:30")),
    Persona("blocks", 2, visits_every=2, blocked_days=(4, 9), look_in="09:00"),
    Persona("nonsense", 1, answers=0.6, visits_every=3, nonsense=0.25, look_in="17:45"),
    Persona("travels", 2, visits_every=2, travels_on=5, look_in="02:30", remind=("daily", "02:30")),
    Persona("settings", 1, visits_every=3, changes_settings_every=4, look_in="18:00", remind=("three", "08:00")),
    Persona("never", 1, visits_every=4, look_in="never", remind=("never", "")),
)
