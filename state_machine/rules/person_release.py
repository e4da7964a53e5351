"""What is let go of when a person has died, is taken off the map, or their gate has closed. All of it, in one place.

Whatever the reason: an open dialogue that asks about them, in front or put aside, goes on with the next person, or
is closed where there is none; the latest answers that only name them (picked from the map, *whom*) are forgotten.
What was told of them, and the entries of earlier days, stay, but for one who is removed.
Sentences in the client's own words always stay as they are.
What is aimed at a person whose gate has closed is not touched here: it is ended when it comes to the front.

Pure functions of progress.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.progress import Answer, Fact, Person, Progress, Run
from state_machine.model.script import Dialogue, Script
from state_machine.model.text import normalise
from state_machine.programme.tables import ABOUT_A_PERSON, PLAN_PARTS
from state_machine.rules import person_gates


class Why(Enum):
    """Why a person is released."""

    DIED = auto()
    REMOVED = auto()
    CLOSED = auto()


_NAMES_ONE = frozenset({AnswerKind.NEW_NAME, AnswerKind.ONE_PERSON})
_NAMES = frozenset({*_NAMES_ONE, AnswerKind.OTHER_NAME, AnswerKind.FEW_WORDS})
_PLAN = frozenset(f"plan_{part}" for part in PLAN_PARTS)
Kinds = Mapping[str, frozenset[AnswerKind]]
"""By memory, the kinds of answer that are kept under it."""


def released(script: Script, progress: Progress, person: Person, why: Why, but: int | None = None) -> Progress:
    """`progress` without what would ask about `person`, offer them or name them by itself. The run `but` stays.

    An open run may stand at a silent step afterwards; it is to be settled before it speaks.
    """
    release = _Release(script, progress, person, why)
    kept = {run.id: run if run.id == but else release.run(run) for run in (*progress.runs, *progress.aside)}
    closed = [run for run in progress.runs if kept[run.id] is None]
    told = {a.memory: a.fact for run in closed for a in run.answers if a.person is None}
    named = progress.just_settled is not None and release.names(progress.just_settled)
    return replace(
        progress,
        runs=_there(kept[run.id] for run in progress.runs),
        aside=_there(kept[run.id] for run in progress.aside),
        facts=release.facts({**progress.facts, **told}),
        people=release.people(),
        just_settled=None if named else progress.just_settled,
    )


def renamed(script: Script, progress: Progress, person: Person, name: str) -> Progress:
    """`progress` with another name for `person`, also where an answer only names them."""
    new = replace(person, name=name, earlier_names=(*person.earlier_names, person.name))
    kinds = kinds_of(script)

    def told(memory: str, fact: Fact) -> Fact:
        if AnswerKind.SOME_PEOPLE in kinds.get(memory, ()):
            names = [name if number == str(person.id) else said for said, number in _picked(fact)]
            return replace(fact, value=", ".join(names)) if names else fact
        is_theirs = kinds.get(memory, _NAMES_ONE) & _NAMES and normalise(fact.value) == normalise(person.name)
        return replace(fact, value=name) if is_theirs else fact

    def of_run(run: Run) -> Run:
        answers = tuple(replace(a, fact=told(a.memory, a.fact)) for a in run.answers)
        return replace(run, answers=answers, picked=tuple(name if p == person.name else p for p in run.picked))

    return replace(
        progress,
        people=tuple(new if p.id == person.id else p for p in progress.people),
        facts={memory: told(memory, fact) for memory, fact in progress.facts.items()},
        runs=tuple(of_run(run) for run in progress.runs),
        aside=tuple(of_run(run) for run in progress.aside),
    )


def kinds_of(script: Script) -> Kinds:
    """By memory, the kinds of answer that are kept under it anywhere in the book."""
    found: dict[str, set[AnswerKind]] = {}
    for dialogue in script.dialogues.values():
        for step in dialogue.steps.values():
            for way in step.ways:
                if way.memory is not None:
                    found.setdefault(way.memory, set()).update(
                        {way.takes} if isinstance(way.takes, AnswerKind) else ()
                    )
    return {memory: frozenset(kinds) for memory, kinds in found.items()}


def picked_in(script: Script) -> frozenset[str]:
    """The memories under which people are kept who were picked from the map: their names, and their ids as codes."""
    return frozenset(memory for memory, kinds in kinds_of(script).items() if AnswerKind.SOME_PEOPLE in kinds)


def without_answers(
    answers: Iterable[Answer], person: int, names: Iterable[str], picked: frozenset[str]
) -> list[Answer]:
    """`answers` without those about the person, those that only name them, and them among the people picked."""
    said = {normalise(name) for name in names}
    found = []
    for answer in answers:
        if person in (answer.person, answer.made):
            continue
        fact: Fact | None = answer.fact
        if answer.memory in picked:
            fact = _without_picked(answer.fact, person)
        elif answer.fact.code is None and normalise(answer.fact.value) in said:
            fact = None
        if fact is not None:
            found.append(replace(answer, fact=fact))
    return found


@dataclass
class _Release:
    """One person on their way out of one progress."""

    script: Script
    progress: Progress
    person: Person
    why: Why

    def __post_init__(self) -> None:
        self._kinds = kinds_of(self.script)
        self._names = tuple(name for name in (self.person.name, *self.person.earlier_names) if normalise(name))
        others = (p for p in self.progress.people if p.id != self.person.id)
        self._longer = [p for p in others if person_gates.names(p.name, [self.person])]

    # --- words ---------------------------------------------------------------------

    def names(self, words: str) -> bool:
        """Whether `words` name the person, and not only somebody else with a longer name."""
        for other in self._longer:
            words = re.sub(rf"(?<!\w){re.escape(other.name)}(?!\w)", "", words, flags=re.IGNORECASE)
        return bool(self._names) and person_gates.names(words, [self.person])

    def facts(self, facts: Mapping[str, Fact]) -> dict[str, Fact]:
        """The facts without those that only name the person."""
        found = {memory: self._told(memory, fact) for memory, fact in facts.items()}
        return {memory: fact for memory, fact in found.items() if fact is not None}

    def _told(self, memory: str, fact: Fact) -> Fact | None:
        kinds = self._kinds.get(memory)
        if kinds is not None and AnswerKind.SOME_PEOPLE in kinds:
            return _without_picked(fact, self.person.id)
        if (
            memory in _PLAN
            or fact.code is not None
            or (kinds is not None and not kinds & {*_NAMES, AnswerKind.OWN_WORDS})
        ):
            return fact
        is_name = normalise(fact.value) in {normalise(name) for name in self._names}
        is_label = kinds is not None and AnswerKind.OWN_WORDS not in kinds
        return None if is_name or (is_label and self.names(fact.value)) else fact

    # --- people --------------------------------------------------------------------

    def people(self) -> tuple[Person, ...]:
        """The people of the map: what was told of the others names this one no more."""
        found = []
        for each in self.progress.people:
            if each.id != self.person.id:
                found.append(replace(each, facts=self.facts(each.facts)))
            elif self.why is Why.DIED:
                found.append(replace(each, died=True))
            elif self.why is Why.CLOSED:
                found.append(each)
        return tuple(found)

    # --- runs ----------------------------------------------------------------------

    def run(self, run: Run) -> Run | None:
        """`run` as it can go on without asking about the person; None if it can't."""
        dialogue = self.script.dialogues.get(run.dialogue)
        if dialogue is None or (self.why is Why.CLOSED and dialogue.aimed):
            return run
        number = self.person.id
        before, living = run, {p.id for p in self.progress.people if not p.died and p.id != number}
        gone = {normalise(name) for name in self._names} | {person_gates.pick_key(number)}
        picked = tuple(key for key in run.picked if key not in gone and normalise(key) not in gone)
        named_at = self._named_at(dialogue, run)
        run = replace(run, answers=self._answers(run), picked=picked)
        if before.person != number:
            return run if run.answers == before.answers else replace(run, trail=())
        if dialogue.name in ABOUT_A_PERSON or run.amends or not self._can_be_asked(dialogue, named_at):
            return None
        named = [a.person for a in run.answers if a.person in living and a.step]
        if not named or named_at is None:
            return replace(run, step=dialogue.first, person=None, trail=(), picked=())
        return replace(run, step=named_at, person=named[-1], trail=_before(before.trail, named_at), picked=())

    def _answers(self, run: Run) -> tuple[Answer, ...]:
        """What was answered of the person goes with one who is removed; else it stays, where no way back leads to it.

        Who was picked among others stays only where nobody is asked to act on it: with one who has died.
        """
        kept = []
        for answer in run.answers:
            about = self.person.id in (answer.person, answer.made)
            if about and self.why is Why.REMOVED:
                continue
            fact = answer.fact if about or self.why is Why.DIED else self._told(answer.memory, answer.fact)
            if fact is not None:
                kept.append(replace(answer, fact=fact, step="" if about else answer.step))
        return tuple(kept)

    def _named_at(self, dialogue: Dialogue, run: Run) -> str | None:
        """The step of `run` at which the person was named, if it was there."""
        for answer in run.answers:
            step = dialogue.steps.get(answer.step)
            takes = {way.takes for way in step.ways} if step is not None else set()
            if answer.person == self.person.id and takes & _NAMES_ONE:
                return answer.step
        return None

    def _can_be_asked(self, dialogue: Dialogue, named_at: str | None) -> bool:
        """Whether somebody is left to be named where the person was."""
        takes = {way.takes for way in dialogue.steps[named_at or dialogue.first].ways}
        if AnswerKind.ONE_PERSON not in takes or AnswerKind.NEW_NAME in takes:
            return True
        left = (p for p in self.progress.people if p.id != self.person.id)
        return any(not p.died and not person_gates.kept_out(p) for p in left)


def _there(runs: Iterable[Run | None]) -> tuple[Run, ...]:
    return tuple(run for run in runs if run is not None)


def _before(trail: tuple[str, ...], step: str) -> tuple[str, ...]:
    """The trail as it was when `step` was come to last."""
    places = [place for place, past in enumerate(trail) if past == step]
    return trail[: places[-1]] if places else ()


def _picked(fact: Fact) -> list[tuple[str, str]]:
    """The people picked, as name and id; empty where they can't be told apart."""
    names, numbers = fact.value.split(", "), (fact.code or "").split(",")
    return list(zip(names, numbers, strict=True)) if len(names) == len(numbers) else []


def _without_picked(fact: Fact, person: int) -> Fact | None:
    numbers = (fact.code or "").split(",")
    if str(person) not in numbers:
        return fact
    left = [(name, number) for name, number in _picked(fact) if number != str(person)]
    if not left:
        return None
    return replace(fact, value=", ".join(name for name, _ in left), code=",".join(number for _, number in left))
