"""What can be tapped at a step. Every edge shows the same offers in its own manner.

An offer's `key` is stable while the step is open; with the run and the step it makes the token of a button,
so that a second tap, or a tap on an old message, is known for what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from state_machine.model.answer_kinds import PICKED_SEVERAL, AnswerKind
from state_machine.model.context import Context
from state_machine.model.local_time import zone_named
from state_machine.model.progress import Run
from state_machine.model.script import Dialogue, Label, Numbers, Step, Way
from state_machine.model.text import normalise
from state_machine.rules import person_gates

SKIP = "skip"
FINISHED = "done"
PICK = "+"
MOST_CLOCKS = 12
EVERY_OFFSET = (
    *(f"Etc/GMT{-hours:+}" for hours in range(-11, 15)),
    *("Asia/Kolkata", "Asia/Kathmandu", "Asia/Kabul", "Asia/Yangon", "Asia/Tehran"),
    *("Australia/Adelaide", "Australia/Darwin", "America/St_Johns"),
)
"""A zone for every offset in use, for clients whose country is not known."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing to tap: what it says, and the key it is known by."""

    key: str
    label: str
    picked: bool = False


def offers(step: Step, context: Context) -> tuple[Offer, ...]:
    """Everything that can be tapped at `step`, in the order of its ways."""
    found: list[Offer] = []
    for index, way in enumerate(step.ways):
        match way.takes:
            case Label(text):
                found.append(Offer(f"l{index}", text))
            case Numbers(low, high):
                found += [Offer(f"n{number}", str(number)) for number in range(low, high + 1)]
            case AnswerKind() as kind:
                found += _of_kind(kind, way, context)
            case _:
                pass
    several = any(way.takes in PICKED_SEVERAL for way in step.ways)
    if several and context.run is not None and context.run.picked:
        found.append(Offer(FINISHED, context.script.finished))
    return tuple(found)


def _of_kind(kind: AnswerKind, way: Way, context: Context) -> list[Offer]:
    living = person_gates.offered(context)
    picked = context.run.picked if context.run else ()
    match kind:
        case AnswerKind.SKIP:
            return [Offer(SKIP, context.script.skip)]
        case AnswerKind.ONE_PERSON:
            return [Offer(f"p{person.id}", person.name) for person in living]
        case AnswerKind.SOME_PEOPLE:
            return [Offer(f"{PICK}p{p.id}", p.name, p.name in picked) for p in living]
        case AnswerKind.SOME_FEELINGS:
            return [Offer(f"{PICK}{f.code}", f.word, f.word in picked) for f in context.script.feelings]
        case AnswerKind.NEW_NAME:
            fact = context.fact(way.code) if way.code else None
            taken = {normalise(person.name) for person in context.progress.people}
            fits = fact is not None and len(fact.value) <= 40 and normalise(fact.value) not in taken
            return [Offer("name", fact.value)] if fact is not None and fits else []
        case AnswerKind.CLOCK:
            return [Offer(f"c{clock}", clock) for clock in clocks(context)]
        case _:
            return []


def is_inline(dialogue: Dialogue, step: Step) -> bool:
    """Whether the offers stand under their own message.

    True for scales and safety questions, whose labels repeat, for numbers, and where several may be picked.
    """
    return dialogue.inline or any(isinstance(way.takes, Numbers) or way.takes in PICKED_SEVERAL for way in step.ways)


def token(run: Run, key: str) -> str:
    """The token of a button: run, step, offer."""
    return f"{run.id}:{run.step}:{key}"


def clocks(context: Context) -> tuple[str, ...]:
    """The times of day it may be now in the client's country, as `HH:MM`, each once, earliest zone first."""
    times = {local_time(zone, context.now) for zone in zones_of(context)}
    return tuple(sorted(times)) if len(times) <= MOST_CLOCKS else ()


def zones_of(context: Context) -> tuple[str, ...]:
    """The zones of the client's country, the most populous first; every offset there is if the country is unknown."""
    return context.script.gazetteer.zones.get(context.code("country") or "", EVERY_OFFSET)


def local_time(zone: str, now: datetime) -> str:
    """The time of day in `zone` as `HH:MM`."""
    return now.astimezone(zone_named(zone)).strftime("%H:%M")
