"""One turn while it is being decided: progress as it changes, and the effects so far.

The simple moves stand here: say, remark, keep, enter, go back.
What decides *which* moves are made stands in `flow.py` (dialogues) and `engine.py` (events).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.context import Context
from state_machine.model.effects import DeleteEntries, Effect, Remark, SaveEntry, Say
from state_machine.model.outgoing import Priority
from state_machine.model.progress import (
    MOST_STEPS_BACK,
    MOST_WORDINGS,
    Answer,
    Entry,
    Fact,
    Person,
    Progress,
    Run,
    with_facts,
    with_fields,
)
from state_machine.model.script import Dialogue, Step
from state_machine.programme.tables import CHECK_IN, NOTE, ONE_PAGE, OPENED_BY_WORDS
from state_machine.rules import mood_trends
from state_machine.rules.person_release import Why, picked_in, released
from state_machine.turn.answers import Accepted
from state_machine.turn.chat_deletion import with_deletions
from state_machine.turn.machine import Machines
from state_machine.turn.shown_questions import with_question

BRINGS_THE_NUMBER = frozenset({"kept_in_danger", "number_again"})
"""Refrains with an emergency number in them: they overtake what waits, as a talk of danger does."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one event leads to: the new progress, what is asked of the world, and how urgent that is."""

    progress: Progress
    effects: tuple[Effect, ...]
    priority: Priority


class TurnBuilder:
    """A turn in the making. Lives for one event and is dropped."""

    def __init__(self, machines: Machines, progress: Progress, now: datetime) -> None:
        self.machines = machines
        self.script = machines.script
        self.progress = progress
        self.now = now
        self.found_open = self.front
        self.written = now
        self.effects: list[Effect] = []
        self.priority = Priority.ANSWER
        self.woken = False

    # --- looking -----------------------------------------------------------------

    @property
    def front(self) -> Run | None:
        """The run in front: the one the client is talking in."""
        return self.progress.runs[-1] if self.progress.runs else None

    def context(self, run: Run | None = None) -> Context:
        return Context(self.script, self.progress, run or self.front, self.now)

    def dialogue(self, run: Run) -> Dialogue:
        return self.script.dialogues[run.dialogue]

    def step(self, run: Run) -> Step:
        return self.dialogue(run).steps[run.step]

    def today(self) -> date:
        """The client's own date."""
        return self.context().today()

    # --- saying ------------------------------------------------------------------

    def say(self, run: Run) -> None:
        """Say the present step of `run`; it counts as asked now."""
        run = self.put(with_fields(run, asked=self.now, picked=()))
        turns = [
            self._next_wording(f"{run.dialogue}#{run.step}.{index}") if len(bubble.wordings) > 1 else 0
            for index, bubble in enumerate(self.step(run).bubbles)
        ]
        if (shown := with_question(self.progress, run, self.script)) != self.progress.shown:
            self.change(shown=shown)
        if self.dialogue(run).safety:
            self.priority = Priority.SAFETY
        self.effects.append(Say(run, self.progress, tuple(turns)))

    def remark(self, refrain: str, *, again: bool = False) -> None:
        """Say a refrain; with `again`, offer the ways on of the run in front once more."""
        wording = self._next_wording(refrain) if self.script.refrains.get(refrain, 1) > 1 else 0
        if refrain in BRINGS_THE_NUMBER:
            self.priority = Priority.SAFETY
        front = self.front if again else None
        self.effects.append(Remark(refrain, self.progress, wording, front))

    def _next_wording(self, key: str) -> int:
        said = dict(self.progress.wordings)
        turn = said.pop(key, 0)
        for forgotten in list(said)[: max(0, len(said) + 1 - MOST_WORDINGS)]:
            del said[forgotten]
        self.change(wordings={**said, key: turn + 1})
        return turn

    # --- changing progress -------------------------------------------------------

    def change(self, **fields: object) -> None:
        self.progress = with_fields(self.progress, **fields)

    def put(self, run: Run) -> Run:
        """Put `run` where the run with its id stands, or in front if there is none."""
        runs = self.progress.runs
        if runs and runs[-1].id == run.id:
            self.change(runs=(*runs[:-1], run))
        elif any(other.id == run.id for other in runs):
            self.change(runs=tuple(run if other.id == run.id else other for other in runs))
        else:
            self.change(runs=(*runs, run))
        return run

    def drop(self, run: Run) -> None:
        self.change(runs=tuple(other for other in self.progress.runs if other.id != run.id))

    def new_run_id(self) -> int:
        number = self.progress.next_run
        self.change(next_run=number + 1)
        return number

    def keep(self, run: Run, taken: Accepted) -> Run:
        """Keep an answer: in the run, on the person it is about, and as a person if it names a new one."""
        made = None
        if taken.new_name is not None:
            made = self._new_person(taken.new_name)
            run = with_fields(run, person=made)
        elif taken.person is not None:
            run = with_fields(run, person=taken.person)
        memory = taken.way.memory
        names_somebody = made is not None or taken.person is not None
        if memory is None and not names_somebody:
            return self.put(run)
        about = run.person if self.dialogue(run).about_person and not names_somebody else None
        at = taken.at or self.now
        fact = Fact(taken.value, at, taken.code)
        answers = [Answer(memory or "person", fact, run.step, run.person if names_somebody else about, made)]
        if taken.way.takes is AnswerKind.PLACE:
            answers.append(Answer("zone", fact, run.step))
        zones = self.script.gazetteer.zones.get(taken.code or "", ()) if taken.way.takes is AnswerKind.COUNTRY else ()
        if zones and self.context(run).code("zone") not in zones:
            answers.append(Answer("zone", Fact(zones[0], at, zones[0]), run.step))
        if about is not None and memory is not None:
            self._tell_of(about, memory, fact)
        replaced = {(answer.memory, answer.person) for answer in answers}
        kept = tuple(a for a in run.answers if (a.memory, a.person) not in replaced)
        return self.put(with_fields(run, answers=(*kept, *answers)))

    def _new_person(self, name: str) -> int:
        person = Person(self.progress.next_person, name)
        self.change(people=(*self.progress.people, person), next_person=person.id + 1)
        return person.id

    def _tell_of(self, person_id: int, memory: str, fact: Fact | None) -> None:
        def told(person: Person) -> Person:
            facts = {name: value for name, value in person.facts.items() if name != memory}
            return replace(person, facts={**facts, memory: fact} if fact else facts)

        self.change(people=tuple(told(p) if p.id == person_id else p for p in self.progress.people))

    def release(self, person: Person, why: Why, but: int | None = None) -> None:
        """Let go of what would ask about a person who died, was taken off the map, or whose gate has closed."""
        self.progress = released(self.script, self.progress, person, why, but)
        if why is Why.REMOVED:
            names = (person.name, *person.earlier_names)
            self.effects.append(DeleteEntries(person=person.id, names=names, picked=picked_in(self.script)))

    def remember(self, answers: Iterable[Answer]) -> None:
        """Make the answers of a run the latest facts. What is about a person was told of them at once."""
        facts = {answer.memory: answer.fact for answer in answers if answer.person is None}
        if facts:
            self.change(facts=with_facts(self.progress.facts, facts))

    def moved(self, run: Run, target: str) -> Run:
        """`run` at `target`, with the step it leaves on its trail."""
        trail = (*run.trail, run.step)[-MOST_STEPS_BACK:]
        return self.put(with_fields(run, step=target, trail=trail, picked=()))

    def gone_back(self, run: Run) -> Run:
        """`run` one step back, with what was answered there taken back. The trail is not empty."""
        step = run.trail[-1]
        for answer in (a for a in run.answers if a.step == step):
            if answer.made is not None:
                made = next((p for p in self.progress.people if p.id == answer.made), None)
                if made is not None:
                    self.release(made, Why.REMOVED, but=run.id)
                named = (a.person for a in reversed(run.answers) if a.step not in {step, ""})
                run = with_fields(run, person=next((person for person in named if person is not None), None))
            elif answer.person is not None:
                self._tell_of(answer.person, answer.memory, None)
        answers = tuple(a for a in run.answers if a.step != step)
        return self.put(with_fields(run, step=step, trail=run.trail[:-1], answers=answers, picked=()))

    def enter(self, run: Run, outcome: str) -> None:
        """Keep what was answered in a run as an entry. Before consent nothing is kept."""
        if run.answers and self.progress.consent is not None and run.dialogue not in ONE_PAGE:
            people = {answer.person for answer in run.answers if answer.person is not None}
            person = people.pop() if len(people) == 1 else None
            answers = _without_words(run) if run.dialogue in OPENED_BY_WORDS else run.answers
            day = self.context(run).day()
            other_day = day if day != self.today() else None
            self.effects.append(SaveEntry(Entry(run.id, run.dialogue, self.now, outcome, answers, other_day, person)))
            if run.dialogue == CHECK_IN:
                self.change(check_ins=mood_trends.noted(self.progress.check_ins, run, day))

    def note(self, text: str) -> bool:
        """Keep `text` as a note with today; False before consent, when nothing may be kept."""
        if self.progress.consent is None:
            return False
        answer = Answer(NOTE, Fact(text, self.written), NOTE)
        day = self.context().local(self.written).date()
        other_day = day if day != self.today() else None
        self.effects.append(SaveEntry(Entry(self.new_run_id(), NOTE, self.now, NOTE, (answer,), other_day)))
        return True

    def finish(self) -> Turn:
        at_the_end = self.priority is Priority.SAFETY  # words of safety wait for no deletion
        effects = with_deletions(self.script, self.found_open, self.front, self.effects, at_the_end=at_the_end)
        return Turn(self.progress, tuple(effects), self.priority)


def _without_words(run: Run) -> tuple[Answer, ...]:
    """The minimal record of a safety talk: why it was opened and which ways were taken, as codes."""
    opened = Answer("opened_by", Fact(run.because or "asked for", run.opened), "")
    coded = (answer for answer in run.answers if answer.fact.code is not None)
    return (opened, *(replace(a, fact=replace(a.fact, value=a.fact.code or "")) for a in coded))
