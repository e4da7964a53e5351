"""What a bubble may mention: every memory that is known, the people, and the score of a scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from state_machine.model.context import Context
from state_machine.model.progress import Fact, Person, Progress
from state_machine.programme.tables import PLAN_NAMES, PLAN_PARTS
from state_machine.rules import person_gates
from state_machine.rules.scales import score_of

CIRCLES = ("inner", "middle", "outer")


class AnswerText(str):
    """An answer in the client's words; `code` stands for it in comparisons, `number` where it is one."""

    __slots__ = ("code", "number")
    code: str
    number: int

    def __new__(cls, fact: Fact) -> AnswerText:
        made = super().__new__(cls, fact.value)
        made.code = fact.code if fact.code is not None else fact.value
        made.number = int(made.code) if made.code.isdecimal() else -1
        return made


@dataclass(slots=True)
class PersonText:
    """Somebody on the people map, as a bubble may speak of them. `in_plan`: their plan names them."""

    name: str
    died: bool
    facts: Mapping[str, AnswerText]
    in_plan: bool = False

    def __getitem__(self, memory: str) -> AnswerText:
        return self.facts[memory]


def template_context(context: Context) -> dict[str, Any]:
    """Every name a bubble may mention for this client at this moment, but for what only the book knows.

    A dialogue's own memories are those of its present run; an earlier run's never shine through.
    """
    progress, run = context.progress, context.run
    words: dict[str, Any] = {name: AnswerText(fact) for name, fact in progress.facts.items()}
    for open_run in progress.runs:
        words |= _answers(open_run.answers)
    if run is not None and run.dialogue in context.script.dialogues and not run.amends:
        own = context.script.dialogues[run.dialogue].memories
        words = {name: word for name, word in words.items() if name not in own} | _answers(run.answers)
    people = [_person(person) for person in progress.people]
    living = [_person(person) for person in person_gates.offered(context)]
    words["people"] = living
    words["died_people"] = [person.name for person in people if person.died]
    words["circles"] = {
        circle: [p.name for p in living if "circle" in p.facts and p.facts["circle"].code == circle]
        for circle in CIRCLES
    }
    if run is not None and run.person is not None:
        about = next((p for p in progress.people if p.id == run.person), None)
        if about is not None:
            words["person"] = _person(about)
            words["person"].in_plan = any(person_gates.names(said, [about]) for said in _plan(words).values())
    words["plan"] = _shown_of_plan(words, progress)
    words |= _of_the_book(context)
    return words


def _plan(words: Mapping[str, Any]) -> dict[str, str]:
    return {part: words[f"plan_{part}"] for part in PLAN_PARTS if f"plan_{part}" in words}


def _shown_of_plan(words: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """The parts of the plan as they are shown: without who has died, or is kept out, where somebody is turned to.

    What the client wrote stays as it is. `left_out`: somebody who has died is not shown.
    """
    plan, nobody = _plan(words), person_gates.not_to_turn_to(progress)
    died = [person for person in nobody if person.died]
    shown: dict[str, Any] = {
        part: person_gates.unnamed(said, nobody) if part in PLAN_NAMES and person_gates.names(said, nobody) else said
        for part, said in plan.items()
    }
    shown["left_out"] = any(person_gates.names(plan[part], died) for part in plan if part in PLAN_NAMES)
    return shown


def _answers(answers: Any) -> dict[str, AnswerText]:
    return {answer.memory: AnswerText(answer.fact) for answer in answers if answer.person is None}


def _person(person: Person) -> PersonText:
    return PersonText(person.name, person.died, {name: AnswerText(fact) for name, fact in person.facts.items()})


def _of_the_book(context: Context) -> dict[str, Any]:
    """The score of a scale, the part of the programme spoken of, the dialogue that waits below."""
    words: dict[str, Any] = {}
    run = context.run
    if (score := score_of(context)) is not None:
        words["score"] = score
    if run is not None and run.part is not None:
        planned = run.part.removeprefix("planned:")
        words["part"] = next((p.title for p in context.script.contents if p.planned == planned), planned)
    below = list(takewhile(lambda other: run is None or other.id != run.id, context.progress.runs))
    if below and below[-1].dialogue in context.script.dialogues:
        words["open_title"] = context.script.dialogues[below[-1].dialogue].title
    return words
