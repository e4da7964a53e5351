"""The gate of a person: may something be aimed at them, and may they be offered and shown?

What was answered about a person in `gates/person` decides. A yes to fear, control or force closes their gate and
keeps them out of lists, prompts and the export; the client's own yes to having frightened or hurt them closes it
too, and hides nobody. A yes holds until the questions are asked again; a no is good for 60 days.

Pure functions of a person and an instant; the sentences that content may ask stand in the conditions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from state_machine.model.context import Context
from state_machine.model.progress import Fact, Person, Progress, Run
from state_machine.model.text import find_name, folded, name_key

GOOD_FOR = timedelta(days=60)
"""How long an open gate counts."""
THEIRS = ("gate_fear", "gate_control", "gate_hurt")
"""What the client told of the person."""
OWN = "gate_frightened"
"""What the client told of themselves."""
UNSAID = "gate_unsaid"
"""That something was left unsaid, with its instant: a no from before it no longer counts, and a yes does."""
EVERYBODY_IS_SHOWN = frozenset({"people/map", "gates/person"})
"""Dialogues in which a person who is kept out is offered and shown all the same: there they can be changed."""
EXPORT_CLOSED = "export_closed"
_SHORT = 3


class Gate(StrEnum):
    """How the gate of a person stands."""

    OPEN = "open"
    CLOSED = "closed"
    LAPSED = "lapsed"
    UNASKED = "unasked"


def pick_key(person: int) -> str:
    """The key under which `Run.picked` keeps a person, by their number, who was picked among several."""
    return f"+p{person}"


def gate(person: Person, now: datetime) -> Gate:
    """Whether something may be aimed at `person`. What was left unsaid leaves the gate unasked."""
    facts = [person.facts.get(memory) for memory in (*THEIRS, OWN)]
    if any(_said(fact, "yes") for fact in facts):
        return Gate.CLOSED
    if not all(_said(fact, "no") for fact in facts):
        return Gate.UNASKED
    oldest = min(fact.at for fact in facts if fact is not None)
    unsaid = person.facts.get(UNSAID)
    if unsaid is not None and oldest <= unsaid.at:
        return Gate.UNASKED
    return Gate.OPEN if now - oldest <= GOOD_FOR else Gate.LAPSED


def kept_out(person: Person) -> bool:
    """Whether the client was afraid of the person, was controlled, or was hurt or forced by them."""
    return any(_said(person.facts.get(memory), "yes") for memory in THEIRS)


def offered(context: Context) -> list[Person]:
    """The living people who are offered and shown in the talk in front."""
    everybody = context.run is not None and context.run.dialogue in EVERYBODY_IS_SHOWN
    return [p for p in context.progress.people if not p.died and (everybody or not kept_out(p))]


def of_run(context: Context) -> Gate | None:
    """The gate of the person the talk in front is about; None if it is about nobody."""
    person = person_of(context.progress, context.run)
    return gate(person, context.now) if person else None


def person_of(progress: Progress, run: Run | None) -> Person | None:
    """The person a run is about."""
    if run is None or run.person is None:
        return None
    return next((person for person in progress.people if person.id == run.person), None)


def left_out(progress: Progress) -> tuple[Person, ...]:
    """The people whom the export leaves out: those who are kept out, unless the client has put them in."""
    fact = progress.facts.get(EXPORT_CLOSED)
    if _said(fact, "yes"):
        return ()
    return tuple(person for person in progress.people if kept_out(person))


def names(words: str, people: Iterable[Person]) -> bool:
    """Whether `words` name one of `people`, as they are or were called.

    A name of two letters counts inside a sentence only if its case is the same, one of a letter only by itself.
    """
    parts = {name_key(part) for part in re.split(r"[,;\n、，،؛；]", words)}
    for called in (name for person in people for name in (person.name, *person.earlier_names)):
        name = name_key(called)
        cased = len(name) < _SHORT
        counts = len(name) > 1 or not name.isalpha()
        inside = counts and find_name(name_key(called, cased=cased), folded(words, cased=cased))
        if name in parts or inside:
            return True
    return False


def not_to_turn_to(progress: Progress) -> tuple[Person, ...]:
    """The people whom nobody is sent to: those who have died, and those who are kept out."""
    return tuple(person for person in progress.people if person.died or kept_out(person))


def unnamed(words: str, people: Iterable[Person]) -> str:
    """`words` without the names of `people`; maybe empty.

    A part of a list that is nothing but a name, perhaps with a number, goes. Elsewhere dots stand for the name, so
    that whoever else is spoken of there stays.
    """
    called = {name.strip() for person in people for name in (person.name, *person.earlier_names)}
    longest_first = sorted((name for name in called if len(name) >= _SHORT), key=len, reverse=True)
    inside = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first)) or '(?!)'})(?!\w)", re.IGNORECASE)
    alone = {name.casefold() for name in called}
    kept = []
    for part in (part.strip() for part in re.split(r"[,;\n]", words)):
        said = "" if part.casefold() in alone else inside.sub("…", part)
        if said == part or any(letter.isalpha() for letter in said):
            kept.append(said)
    return ", ".join(part for part in kept if part)


def _said(fact: Fact | None, code: str) -> bool:
    return fact is not None and fact.code == code
