"""Which way on does this answer take?

What is typed is read in a fixed order: a label of the step (any case, without its emoji), then the kinds in the
order they are written, then free text. What no way takes is a `NotUnderstood`: the refrain that says so, and whether
the words are worth keeping as today's note.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from state_machine.model.answer_kinds import LONGEST, PICKED_SEVERAL, AnswerKind
from state_machine.model.context import Context
from state_machine.model.progress import Person
from state_machine.model.script import Label, Numbers, Step, Way
from state_machine.model.text import find_name, folded, is_name, name_key, normalise
from state_machine.rules.clocks import city_zone, zone_that_says
from state_machine.turn.options import PICK, picked

NAMES = frozenset(
    {
        AnswerKind.CALLED,
        AnswerKind.FEW_WORDS,
        AnswerKind.NEW_NAME,
        AnswerKind.OTHER_NAME,
        AnswerKind.ONE_PERSON,
        AnswerKind.SOME_PEOPLE,
    }
)
"""Kinds of answer that may be a name, which may be an emoji."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An answer that a way takes: its words and code, and the person it names, if any."""

    way: Way
    index: int
    value: str
    code: str | None = None
    person: int | None = None
    new_name: str | None = None
    at: datetime | None = None
    """When it was written, where that is not when it was heard."""


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """An answer that no way takes: the refrain that says so; `note` if the words are kept with today."""

    refrain: str
    note: bool = False


@dataclass(frozen=True, slots=True)
class _Read:
    value: str
    code: str | None = None
    person: int | None = None
    new_name: str | None = None


def read(step: Step, text: str, context: Context, *, near: bool = True) -> Accepted | NotUnderstood:
    """The way of `step` that takes `text`, or why none does. `text` is not empty.

    `near`: a few words of one label are taken for it. Not where life is at stake.
    """
    words = normalise(text).replace(",", "")
    index = step.labels_as_typed.get(words)
    if index is not None and isinstance(label := step.ways[index].takes, Label):
        return Accepted(step.ways[index], index, label.text, step.ways[index].code)
    skip = next((at for at in enumerate(step.ways) if at[1].takes is AnswerKind.SKIP), None)
    if skip is not None and words == normalise(context.script.skip):
        return Accepted(skip[1], skip[0], text.strip(), skip[1].code)
    refusal: NotUnderstood | None = None
    own_words: tuple[int, Way] | None = None
    for index, way in enumerate(step.ways):
        if way.takes is AnswerKind.OWN_WORDS:
            own_words = index, way
            continue
        if isinstance(way.takes, Numbers):
            found = read_number(text, way.takes, context)
        elif isinstance(way.takes, AnswerKind):
            found = _read_kind(way.takes, text, context)
        else:
            continue
        if isinstance(found, _Read):
            return Accepted(way, index, found.value, way.code or found.code, found.person, found.new_name)
        refusal = refusal or found
    if own_words is not None:
        if len(text) > LONGEST[AnswerKind.OWN_WORDS]:
            return NotUnderstood("too_long")
        return Accepted(own_words[1], own_words[0], text.strip(), own_words[1].code)
    return refusal or (near_label(step, words) if near else None) or NotUnderstood("kept_with_today", note=True)


def near_label(step: Step, words: str) -> Accepted | None:
    """The one label that has all these few words in it: *hard one* for *A hard one*; None if two have, or none."""
    said = set(words.split())
    if len(said) > 4 or not any(len(word) > 2 for word in said):
        return None
    found = [
        Accepted(way, index, way.takes.text, way.code)
        for index, way in enumerate(step.ways)
        if isinstance(way.takes, Label) and said <= set(normalise(way.takes.text).replace(",", "").split())
    ]
    return found[0] if len(found) == 1 else None


ROUND_ABOUT = {"a", "about", "around", "i'd", "i'm", "its", "it's", "it", "is", "just", "like", "maybe", "more", "or"}
ROUND_ABOUT |= {"probably", "say", "so", "today", "than", "now", "at"}
"""Words that may stand around a number without making it a sentence."""


def read_number(text: str, takes: Numbers, context: Context) -> _Read | NotUnderstood | None:
    """A whole number in figures or in a word (`7`, `seven`, `7/10`, `maybe a 6 today`); `None` if `text` is
    a sentence or speaks of no number at all."""
    said = re.sub(rf"(\d)\s*(?:/|out of|of)\s*{takes.high}\b", r"\1", text.casefold().replace("’", "'"))
    words = [word for word in normalise(re.sub(r"[.,]+(?!\d)", " ", said)).split() if word not in ROUND_ABOUT]
    figures = re.findall(r"-?\d+(?:[.,]\d+)?", said)
    spelled = [context.script.numbers.index(word) for word in words if word in context.script.numbers]
    if not figures and not spelled:
        return None
    if len(words) > 1 and not all(word.isdecimal() or word in context.script.numbers for word in words):
        return None
    if len(figures) + len(spelled) != 1:
        return NotUnderstood("not_that_number")
    number = figures[0] if figures else str(spelled[0])
    if not number.isdecimal() or not takes.low <= int(number) <= takes.high:
        return None if number.isdecimal() and _is_other_range(takes) else NotUnderstood("not_that_number")
    return _Read(str(int(number)), str(int(number)))


def _is_other_range(takes: Numbers) -> bool:
    """A range that does not start at 0 has a neighbour that may take the number."""
    return takes.low > 0


def _read_kind(kind: AnswerKind, text: str, context: Context) -> _Read | NotUnderstood | None:
    text = text.strip()
    if kind is AnswerKind.SKIP:
        return _Read(text) if normalise(text) == normalise(context.script.skip) else None
    if len(text) > LONGEST[kind]:
        return NotUnderstood("too_long", note=True)
    match kind:
        case AnswerKind.FEW_WORDS:
            return _Read(" ".join(text.split()))
        case AnswerKind.CALLED:
            return _called(text)
        case AnswerKind.NEW_NAME | AnswerKind.OTHER_NAME:
            return _new_name(kind, text, context)
        case AnswerKind.ONE_PERSON:
            person = living(text, context)
            return _Read(person.name, person=person.id) if person else NotUnderstood("not_on_the_map")
        case AnswerKind.SOME_PEOPLE | AnswerKind.SOME_FEELINGS:
            return _several(kind, text, context)
        case AnswerKind.TIME:
            time = read_time(text)
            return _Read(time, time) if time else NotUnderstood("not_that_time")
        case AnswerKind.CLOCK:
            return _clock(text, context)
        case AnswerKind.DATE:
            day = read_date(text, context.now.date())
            return _Read(day.isoformat(), day.isoformat()) if day else NotUnderstood("not_that_date")
        case AnswerKind.COUNTRY:
            return _country(text, context)
        case AnswerKind.PLACE:
            zone = city_zone(text, context.script)
            return _Read(text, zone) if zone else NotUnderstood("not_that_place")
        case _:
            return None


_INTRODUCTION = re.compile(
    r"(?:hi|hello)?[,.! ]*(?:my name is|my name's|name's|i am|i'm|call me|it's)\s+", re.IGNORECASE
)


def _called(text: str) -> _Read:
    """The client's own name, also out of *my name is Ana*."""
    said = " ".join(text.replace("’", "'").split())
    name = _INTRODUCTION.sub("", said, count=1).rstrip(".! ")
    return _Read(name or said)


def _new_name(kind: AnswerKind, text: str, context: Context) -> _Read | NotUnderstood:
    if not is_name(text):
        return NotUnderstood("not_followed")
    if any(f"{normalise(text)} ".startswith(f"{words} ") for words in context.script.not_known):
        return NotUnderstood("no_name_then")
    own = context.run.person if kind is AnswerKind.OTHER_NAME and context.run else None
    if any(name_key(p.name) == name_key(text) and p.id != own for p in context.progress.people):
        return NotUnderstood("name_taken")
    return _Read(text, new_name=text if kind is AnswerKind.NEW_NAME else None)


def living(name: str, context: Context) -> Person | None:
    """The living person of that name on the people map."""
    said = name_key(name)
    return next((p for p in context.progress.people if name_key(p.name) == said and not p.died), None)


def split_list(text: str) -> list[str]:
    """The parts of a list as people type it, with commas, plus signs, lines or *and*."""
    return [part.strip() for part in re.split(r"[,;+&\n、，،؛；]|\band\b", text) if part.strip()]


def _named(text: str, context: Context) -> tuple[list[Person], list[str]]:
    """The people whose names stand in `text`, whole names and longest first, and what is left of it.

    Who has died is offered to nobody, but may be in a day as anybody.
    """
    rest = folded(text)
    found: list[Person] = []
    for person in sorted(context.progress.people, key=lambda p: len(name_key(p.name)), reverse=True):
        stands = find_name(name_key(person.name), rest)
        if stands is not None:
            found.append(person)
            rest = f"{rest[: stands[0]]},{rest[stands[1] :]}"
    return found, [part for part in split_list(rest) if is_name(part)]


def _several(kind: AnswerKind, text: str, context: Context) -> _Read | NotUnderstood:
    if kind is AnswerKind.SOME_PEOPLE:
        found, rest = _named(text, context)
        if rest or not found:
            return NotUnderstood("not_on_the_map")
        return _Read(", ".join(p.name for p in found), ",".join(str(p.id) for p in found))
    if normalise(text) in context.script.not_known:
        return NotUnderstood("no_feeling_then")
    parts = split_list(text)
    known = {normalise(f.word): f for f in context.script.feelings}
    codes = [known[normalise(part)].code for part in parts if normalise(part) in known]
    words = [known[normalise(part)].word if normalise(part) in known else part for part in parts]
    return _Read(", ".join(words), ",".join(codes) or None) if words else NotUnderstood("no_feeling_found")


_TIME = re.compile(
    r"(?:at |around |about |by )?(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm|a\.m\.|p\.m\.|o'clock)?", re.ASCII
)
_NAMED_TIMES = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}


def read_time(text: str) -> str | None:
    """A time of day as `HH:MM`: `9`, `at 9.30`, `21:15`, `8 pm`, `noon`."""
    said = text.strip().casefold().rstrip(".!")
    named = said.removeprefix("at ")
    if named in _NAMED_TIMES:
        return _NAMED_TIMES[named]
    match = _TIME.fullmatch(said) or _TIME.fullmatch(f"{said}.")
    if not match:
        return None
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").replace(".", "")
    if half in {"am", "pm"}:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59:
        return None
    return f"{hour:02}:{minute:02}"


def read_date(text: str, today: date) -> date | None:
    """A date: `2026-03-01`, `1.3.2026`, `1/3/2026` (day first), `1 March 2026`, `today`, `yesterday`."""
    said = text.strip()
    if said.casefold() in {"today", "yesterday"}:
        return today - timedelta(days=said.casefold() == "yesterday")
    for shape in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %B %Y", "%d %b %Y", "%B %d %Y", "%B %d, %Y"):
        try:
            return datetime.strptime(said, shape).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
    return None


def _clock(text: str, context: Context) -> _Read | NotUnderstood:
    """The zone of what a clock says, kept under its own name; or that of a city, kept under the city's."""
    zone = zone_that_says(text, context)
    if zone is not None:
        return _Read(zone, zone)
    zone = city_zone(text, context.script)
    return _Read(text, zone) if zone else NotUnderstood("not_that_time")


def _country(text: str, context: Context) -> _Read | NotUnderstood:
    places = context.script.gazetteer
    said = normalise(text).removeprefix("the ").removeprefix("in ")
    code = places.countries.get(said)
    if code is None and (zone := places.cities.get(said)):
        code = next((c for c, zones in places.zones.items() if zone in zones), None)
    return _Read(places.names.get(code, code), code) if code else NotUnderstood("not_that_country")


def finished(step: Step, context: Context) -> Accepted | NotUnderstood:
    """What was picked, one tap each, as the answer to `step`."""
    chosen = picked(step, context)
    index, way = next((each for each in enumerate(step.ways) if each[1].takes in PICKED_SEVERAL), (0, None))
    if way is None or not chosen:
        return NotUnderstood("not_followed")
    start = len(PICK) + (way.takes is AnswerKind.SOME_PEOPLE)
    words = ", ".join(offer.label for offer in chosen)
    return Accepted(way, index, words, ",".join(offer.key[start:] for offer in chosen))
