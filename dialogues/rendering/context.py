"""What a bubble may mention: every memory that is known, the people, and the score of a scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from state_machine.model.context import Context
from state_machine.model.progress import Fact, Person, Run
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


class Known(dict[str, Any]):
    """Every name a bubble may mention for this client at this moment, each looked up when it is first mentioned.

    `given` are names that only the book's renderer knows, each with how it is worked out. A dialogue's own memories
    are those of its present run; an earlier run's never shine through. Raises `KeyError` for what is not known.
    """

    def __init__(self, context: Context, given: Mapping[str, Provided] | None = None) -> None:
        super().__init__()
        self.context = context
        self._given = given or {}
        run = context.run
        dialogue = context.script.dialogues.get(run.dialogue) if run is not None and not run.amends else None
        self._own = dialogue.memories if dialogue is not None else None

    def __missing__(self, name: str) -> Any:
        provided = self._given.get(name) or _PROVIDED.get(name)
        if provided is not None:
            found = provided(self)
        else:
            fact = self._fact(name)
            found = None if fact is None else AnswerText(fact)
        if found is None and name not in MAY_BE_NONE:
            raise KeyError(name)
        self[name] = found
        return found

    def words(self, memory: str) -> AnswerText | None:
        """What is known under a memory."""
        fact = self._fact(memory)
        return None if fact is None else AnswerText(fact)

    def _fact(self, memory: str) -> Fact | None:
        run, progress = self.context.run, self.context.progress
        if self._own is not None and run is not None:
            fact = _answered(run, memory)
            if fact is not None or memory in self._own:
                return fact
        told = (_answered(each, memory) for each in reversed(progress.runs))
        return next((fact for fact in told if fact is not None), None) or progress.facts.get(memory)


Provided = Callable[[Known], Any]
"""How a name is worked out that is no memory; None where there is nothing to mention."""
MAY_BE_NONE = frozenset({"pattern"})
"""Names that are known also where there is nothing to tell of."""


def template_context(context: Context) -> Known:
    """Every name a bubble may mention for this client at this moment, but for what only the book knows."""
    return Known(context)


def _answered(run: Run, memory: str) -> Fact | None:
    answers = reversed(run.answers)
    return next((answer.fact for answer in answers if answer.memory == memory and answer.person is None), None)


def _living(template_context: Known) -> list[PersonText]:
    return [_person(person) for person in person_gates.offered(template_context.context)]


def _died(template_context: Known) -> list[str]:
    return [person.name for person in template_context.context.progress.people if person.died]


def _circles(template_context: Known) -> dict[str, list[str]]:
    def lists(circle: str, person: PersonText) -> bool:
        return "circle" in person.facts and person.facts["circle"].code == circle

    return {circle: [p.name for p in template_context["people"] if lists(circle, p)] for circle in CIRCLES}


def _about(template_context: Known) -> PersonText | None:
    """The person the talk in front is about."""
    about = person_gates.person_of(template_context.context.progress, template_context.context.run)
    if about is None:
        return None
    found = _person(about)
    found.in_plan = any(person_gates.names(said, [about]) for said in _plan(template_context).values())
    return found


def _plan(template_context: Known) -> dict[str, AnswerText]:
    said = ((part, template_context.words(f"plan_{part}")) for part in PLAN_PARTS)
    return {part: words for part, words in said if words is not None}


def _shown_of_plan(template_context: Known) -> dict[str, Any]:
    """The parts of the plan as they are shown: without who has died, or is kept out, where somebody is turned to.

    What the client wrote stays as it is. `left_out`: somebody who has died is not shown.
    """
    plan, nobody = _plan(template_context), person_gates.not_to_turn_to(template_context.context.progress)
    died = [person for person in nobody if person.died]
    shown: dict[str, Any] = {
        part: person_gates.unnamed(said, nobody) if part in PLAN_NAMES and person_gates.names(said, nobody) else said
        for part, said in plan.items()
    }
    shown["left_out"] = any(person_gates.names(plan[part], died) for part in plan if part in PLAN_NAMES)
    return shown


def _person(person: Person) -> PersonText:
    return PersonText(person.name, person.died, {name: AnswerText(fact) for name, fact in person.facts.items()})


def _part(template_context: Known) -> str | None:
    """The part of the programme spoken of, by its title."""
    run = template_context.context.run
    if run is None or run.part is None:
        return None
    planned = run.part.removeprefix("planned:")
    return next((part.title for part in template_context.context.script.contents if part.planned == planned), planned)


def _open_title(template_context: Known) -> str | None:
    """The title of the dialogue that waits below."""
    context = template_context.context
    run = context.run
    below = list(takewhile(lambda other: run is None or other.id != run.id, context.progress.runs))
    waiting = context.script.dialogues.get(below[-1].dialogue) if below else None
    return waiting.title if waiting is not None else None


_PROVIDED: dict[str, Provided] = {
    "people": _living,
    "died_people": _died,
    "circles": _circles,
    "person": _about,
    "plan": _shown_of_plan,
    "score": lambda template_context: score_of(template_context.context),
    "part": _part,
    "open_title": _open_title,
}
