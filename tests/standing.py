"""Progress standing at every step of every dialogue, found by walking the book as a client would.

Each dialogue is opened in several kinds of life; from each, every offer and a sample of every kind of answer is
taken until no new step turns up. A step that only a rare condition leads to is stood at with every memory known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from state_machine.engine import step
from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.context import Context
from state_machine.model.events import Said
from state_machine.model.progress import Answer, Fact, Person, Progress, Run
from state_machine.model.script import Numbers
from state_machine.programme.tables import ABOUT_A_PERSON, CHECK_IN, GO_ON
from state_machine.turn.flow import Flow
from state_machine.turn.machine import Machines
from state_machine.turn.options import offers

NOW = datetime(2026, 3, 4, 18, 0, tzinfo=UTC)
SAMPLES = {
    AnswerKind.OWN_WORDS: "she said it was fine and closed the door",
    AnswerKind.FEW_WORDS: "my sister",
    AnswerKind.CALLED: "Ana",
    AnswerKind.NEW_NAME: "Somebody new",
    AnswerKind.ONE_PERSON: "Ben",
    AnswerKind.SOME_PEOPLE: "Ben",
    AnswerKind.SOME_FEELINGS: "sad",
    AnswerKind.TIME: "18:30",
    AnswerKind.CLOCK: "18:00",
    AnswerKind.DATE: "24.3.2026",
    AnswerKind.COUNTRY: "Ireland",
    AnswerKind.PLACE: "Dublin",
}


@dataclass(frozen=True)
class Standing:
    """A client standing at one step."""

    dialogue: str
    step: str
    progress: Progress

    def __str__(self) -> str:
        return f"{self.dialogue}#{self.step}"


def lives() -> Iterator[Progress]:
    """A few kinds of client, all with consent."""
    known = {
        "name": Fact("Ana", NOW),
        "country": Fact("Ireland", NOW, "IE"),
        "zone": Fact("Europe/Dublin", NOW, "Europe/Dublin"),
        "phone": Fact("Only mine", NOW, "own"),
        "look_in": Fact("18:00", NOW),
        "mood": Fact("4", NOW - timedelta(days=1), "4"),
    }
    plain = Progress(phase="assessment", begun=date(2026, 3, 1), consent="1 2026-03-01", heard=NOW, facts=known)
    yield plain
    people = (Person(1, "Ben", {"circle": Fact("Right beside me", NOW, "inner")}), Person(2, "Cy"), Person(3, "Di"))
    shared = {**known, "phone": Fact("Not sure", NOW, "unsure"), "country": Fact("Australia", NOW, "AU")}
    yield replace(plain, people=people, next_person=4, facts=shared)
    yield replace(plain, people=people[:1], next_person=2, phase="not_now", facts={"name": Fact("Ana", NOW)})


def standings(machines: Machines, only: Collection[str] | None = None) -> list[Standing]:
    """One or more standings for every speaking step of the book, or of the dialogues `only`."""
    found: dict[tuple[str, str], list[Standing]] = {}
    dialogues = {n: dialogue for n, dialogue in machines.script.dialogues.items() if only is None or n in only}
    for name in dialogues:
        for life in lives():
            if name in ABOUT_A_PERSON and not life.people:
                continue
            _walk(machines, name, _opened(machines, life, name), found)
    for name, dialogue in dialogues.items():
        for waiting in dialogue.steps.values():
            if not (waiting.is_silent or waiting.is_ending or (name, waiting.name) in found):
                found[name, waiting.name] = [Standing(name, waiting.name, _all_known(machines, name, waiting.name))]
    return [standing for several in found.values() for standing in several]


def _opened(machines: Machines, life: Progress, name: str) -> Progress:
    flow = Flow(machines, life, NOW)
    if name == GO_ON:
        flow.open(CHECK_IN)
    flow.open(name, person=1 if machines.script.dialogues[name].about_person and life.people else None)
    return flow.progress


def _walk(machines: Machines, name: str, start: Progress, found: dict[tuple[str, str], list[Standing]]) -> None:
    waiting, seen = [start], set()
    while waiting:
        progress = waiting.pop()
        run = progress.runs[-1] if progress.runs else None
        if run is None or run.dialogue != name or run.step in seen:
            continue
        seen.add(run.step)
        found.setdefault((name, run.step), []).append(Standing(name, run.step, progress))
        waiting += [step(machines, progress, Said(NOW, words)).progress for words in answers(machines, progress, run)]


def answers(machines: Machines, progress: Progress, run: Run) -> list[str]:
    """Something for every way on of the step where `run` stands."""
    here = machines.script.dialogues[run.dialogue].steps[run.step]
    words = [offer.label for offer in offers(here, Context(machines.script, progress, run, NOW))]
    for way in here.ways:
        if isinstance(way.takes, AnswerKind) and way.takes in SAMPLES:
            words.append(SAMPLES[way.takes])
        if isinstance(way.takes, Numbers):
            words += [str(way.takes.low), str(way.takes.high)]
    return words


def _all_known(machines: Machines, name: str, step_name: str) -> Progress:
    life = [*lives()][1]
    kept = [
        Answer(way.memory, Fact("something", NOW, way.code), step.name)
        for step in machines.script.dialogues[name].steps.values()
        for way in step.ways
        if way.memory
    ]
    first = {answer.memory: answer for answer in reversed(kept)}
    person = 1 if machines.script.dialogues[name].about_person else None
    run = Run(90, name, step_name, NOW, NOW, tuple(first.values()), person=person)
    return replace(life, runs=(run,), next_run=91)
