"""What a bubble may mention: every memory that is known, the people, and the score of a scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from state_machine import gates
from state_machine.measures import score_of
from state_machine.progress import Fact, Person
from state_machine.view import View

CIRCLES = ("inner", "middle", "outer")


class Words(str):
    """An answer in the client's words; `code` stands for it in comparisons, `number` where it is one."""

    __slots__ = ("code", "number")
    code: str
    number: int

    def __new__(cls, fact: Fact) -> Words:
        made = super().__new__(cls, fact.value)
        made.code = fact.code if fact.code is not None else fact.value
        made.number = int(made.code) if made.code.isdecimal() else -1
        return made


@dataclass(frozen=True, slots=True)
class PersonWords:
    """Somebody on the people map, as a bubble may speak of them."""

    name: str
    died: bool
    facts: Mapping[str, Words]

    def __getitem__(self, memory: str) -> Words:
        return self.facts[memory]


def known(view: View) -> dict[str, Any]:
    """Every name a bubble may mention for this client at this moment, but for what only the book knows.

    A dialogue's own memories are those of its present run; an earlier run's never shine through.
    """
    progress, run = view.progress, view.run
    words: dict[str, Any] = {name: Words(fact) for name, fact in progress.facts.items()}
    for open_run in progress.runs:
        words |= _answers(open_run.answers)
    if run is not None and run.dialogue in view.script.dialogues and not run.amends:
        own = view.script.dialogues[run.dialogue].memories
        words = {name: word for name, word in words.items() if name not in own} | _answers(run.answers)
    people = [_person(person) for person in progress.people]
    living = [_person(person) for person in gates.offered(view)]
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
    words |= _of_the_book(view)
    return words


def _answers(answers: Any) -> dict[str, Words]:
    return {answer.memory: Words(answer.fact) for answer in answers if answer.person is None}


def _person(person: Person) -> PersonWords:
    return PersonWords(person.name, person.died, {name: Words(fact) for name, fact in person.facts.items()})


def _of_the_book(view: View) -> dict[str, Any]:
    """The score of a scale, the part of the programme spoken of, the dialogue that waits below."""
    words: dict[str, Any] = {}
    run = view.run
    if (score := score_of(view)) is not None:
        words["score"] = score
    if run is not None and run.part is not None:
        planned = run.part.removeprefix("planned:")
        words["part"] = next((p.title for p in view.script.contents if p.planned == planned), planned)
    below = list(takewhile(lambda other: run is None or other.id != run.id, view.progress.runs))
    if below and below[-1].dialogue in view.script.dialogues:
        words["open_title"] = view.script.dialogues[below[-1].dialogue].title
    return words
