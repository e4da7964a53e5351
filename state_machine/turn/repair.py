"""What a release or an erasure leaves behind: nobody is stranded where the book or their map has moved on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from state_machine.model.local_time import known_zone
from state_machine.model.progress import Fact, Person, Progress, Run, with_facts, without_facts
from state_machine.model.script import Script
from state_machine.programme.rows import PHASES
from state_machine.programme.tables import ABOUT_A_PERSON, GO_ON, RENAMED
from state_machine.rules.person_release import Why

if TYPE_CHECKING:
    from state_machine.turn.flow import Flow


def repair(turn: Flow) -> None:
    """Bring what is kept of a client to a book that has changed since, and say so if an open run lost its place."""
    progress = turn.progress
    if progress.phase not in PHASES:
        turn.change(phase="assessment" if progress.consent else "welcome")
    if RENAMED.keys() & progress.done.keys():
        turn.change(done={RENAMED.get(name, name): done for name, done in progress.done.items()})
    _let_go_of_a_lost_zone(turn)
    moved = relocate_runs(turn)
    if turn.progress.runs and turn.progress.runs[0].dialogue == GO_ON:
        turn.drop(turn.progress.runs[0])
    if moved:
        turn.remark("moved_on")


def _let_go_of_a_lost_zone(turn: Flow) -> None:
    """A zone that this machine does not know is no answer: the country tells, or the clock is asked again."""
    zone = turn.progress.facts.get("zone")
    if zone is not None and known_zone(zone.code or zone.value) is None:
        facts = without_facts(turn.progress.facts, ["zone"])
        zones = turn.script.gazetteer.zones.get(turn.context().code("country") or "", ())
        found = {"zone": Fact(zones[0], turn.now, zones[0])} if len(zones) == 1 else {}
        turn.change(facts=with_facts(facts, found))


def relocate_runs(turn: Flow) -> bool:
    """Bring every run, open or put aside, to a place that is still there. Whether an open one had to leave its own.

    Without this, a run that speaks of somebody who was taken off the map would break each turn that comes to it.
    """
    places = {run.id: _now_called(run)[1] for run in turn.progress.runs}
    aside = tuple(run for each in turn.progress.aside if (run := _in_place(turn.script, each)) is not None)
    if aside != turn.progress.aside:
        turn.change(aside=aside)
    for run in turn.progress.runs:
        found = _in_place(turn.script, run)
        if found is None:
            turn.drop(run)
            turn.remember(run.answers)
        elif found != run and turn.step(turn.settled(turn.put(found))).is_ending:
            turn.drop(run)  # where nothing is left to ask, nothing stays open
            turn.remember(found.answers)
    for person, why in _gone(turn.progress):
        turn.release(person, why)
    return places != {run.id: run.step for run in turn.progress.runs}


def _in_place(script: Script, run: Run) -> Run | None:
    """`run` as it can go on in this release: the same, or at its first step; None if its dialogue is no more."""
    name, step = _now_called(run)
    known = script.dialogues.get(name)
    if known is None or (name in ABOUT_A_PERSON and run.person is None):
        return None
    is_there = step in known.steps and known.steps.keys() >= set(run.trail)
    if is_there and (name, step) == (run.dialogue, run.step):
        return run  # as nearly always, and nothing is copied for it
    trail = tuple(past for past in run.trail if past in known.steps)
    return replace(run, dialogue=name, step=step if step in known.steps else known.first, trail=trail)


def _gone(progress: Progress) -> list[tuple[Person, Why]]:
    """Who is spoken of in a run and is on the map no more, or is asked about and has died."""
    runs = (*progress.runs, *progress.aside)
    spoken_of = {run.person for run in runs} | {a.person for run in runs for a in run.answers}
    spoken_of |= {answer.made for run in runs for answer in run.answers}
    asked_about = {run.person for run in runs}
    there = {person.id for person in progress.people}
    missing = [(Person(number, ""), Why.REMOVED) for number in spoken_of - there if number is not None]
    return missing + [(p, Why.DIED) for p in progress.people if p.died and p.id in asked_about]


def _now_called(run: Run) -> tuple[str, str]:
    """What the dialogue and the step of `run` are called in this release."""
    if not RENAMED:
        return run.dialogue, run.step
    dialogue, _, step = RENAMED.get(f"{run.dialogue}#{run.step}", "").partition("#")
    return dialogue or RENAMED.get(run.dialogue, run.dialogue), step or run.step
