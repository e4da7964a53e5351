"""What can be tapped at a step. Every edge shows the same offers in its own manner.

An offer's `key` is stable while the step is open; with the run and the step it makes the token of a button,
so that a second tap, or a tap on an old message, is known for what it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.context import Context
from state_machine.model.progress import Run
from state_machine.model.script import Dialogue, Label, Numbers, Step, Way
from state_machine.model.text import is_name, name_key
from state_machine.rules import clocks, person_gates

SKIP = "skip"
FINISHED = "done"
PICK = "+"
MOST_PLACES = 8


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
    if step.picks_several and context.run is not None and context.run.picked:
        found.append(Offer(FINISHED, context.script.finished))
    return tuple(found)


def _of_kind(kind: AnswerKind, way: Way, context: Context) -> list[Offer]:
    living = person_gates.offered(context)
    match kind:
        case AnswerKind.SKIP:
            return [Offer(SKIP, context.script.skip)]
        case AnswerKind.ONE_PERSON:
            return [Offer(f"p{person.id}", person.name) for person in living]
        case AnswerKind.SOME_PEOPLE:
            return [_to_pick(person_gates.pick_key(p.id), p.name, context) for p in living]
        case AnswerKind.SOME_FEELINGS:
            return [_to_pick(f"{PICK}{f.code}", f.word, context) for f in context.script.feelings]
        case AnswerKind.NEW_NAME:
            fact = context.fact(way.code) if way.code else None
            taken = {name_key(person.name) for person in context.progress.people}
            fits = fact is not None and len(fact.value) <= 40 and name_key(fact.value) not in taken
            return [Offer("name", fact.value)] if fact is not None and fits and is_name(fact.value) else []
        case AnswerKind.CLOCK:
            return [Offer(f"c{clock}", clock) for clock in clocks.clocks(context, context.now)]
        case AnswerKind.PLACE:
            names, zones = context.script.gazetteer.city_names, clocks.fitting(context, context.now)
            return [Offer(f"z{zone}", names[zone]) for zone in clocks.several(zones, context.now)[:MOST_PLACES]]
        case _:
            return []


def _to_pick(key: str, label: str, context: Context) -> Offer:
    """One of several. What is picked is kept by its key; a release before this one kept the label."""
    picked = context.run.picked if context.run else ()
    return Offer(key, label, key in picked or label in picked)


def picked(step: Step, context: Context) -> list[Offer]:
    """What is picked at `step` and still there, in the order of the taps."""
    order = context.run.picked if context.run else ()
    found = [offer for offer in offers(step, context) if offer.picked]
    return sorted(found, key=lambda offer: order.index(offer.key if offer.key in order else offer.label))


def is_inline(dialogue: Dialogue, step: Step) -> bool:
    """Whether the offers stand under their own message.

    True for scales and safety questions, whose labels repeat, for numbers, and where several may be picked.
    """
    return dialogue.inline or step.takes_a_number or step.picks_several


def token(run: Run, key: str) -> str:
    """The token of a button: run, step, offer."""
    return f"{run.id}:{run.step}:{key}"
