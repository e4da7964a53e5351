"""What a release or an erasure leaves behind: nobody is stranded where the book has moved on."""

from __future__ import annotations

from dataclasses import replace

from state_machine.flow import Flow
from state_machine.programme import ABOUT_A_PERSON, GO_ON, RENAMED
from state_machine.progress import Run
from state_machine.rows import PHASES


def repair(turn: Flow) -> None:
    """Bring runs whose dialogue, step or person is gone to a safe place; nobody is stranded by a release."""
    progress = turn.progress
    if progress.phase not in PHASES:
        turn.change(phase="assessment" if progress.consent else "welcome")
    if RENAMED.keys() & progress.done.keys():
        turn.change(done={RENAMED.get(name, name): done for name, done in progress.done.items()})
    if progress.aside:
        aside = [replace(run, dialogue=RENAMED.get(run.dialogue, run.dialogue)) for run in progress.aside]
        turn.change(aside=tuple(run for run in aside if run.dialogue in turn.script.dialogues))
    gone = [_repaired(turn, run) for run in progress.runs]
    if turn.progress.runs and turn.progress.runs[0].dialogue == GO_ON:
        turn.drop(turn.progress.runs[0])
    if any(gone):
        turn.remark("moved_on")


def _repaired(turn: Flow, run: Run) -> bool:
    """Whether a run had to leave its place."""
    dialogue, _, named = RENAMED.get(f"{run.dialogue}#{run.step}", "").partition("#")
    name = dialogue or RENAMED.get(run.dialogue, run.dialogue)
    known = turn.script.dialogues.get(name)
    has_person = run.person in {person.id for person in turn.progress.people}
    if known is None or (not has_person and (run.person is not None or name in ABOUT_A_PERSON)):
        turn.drop(run)
        turn.remember(run.answers)
        return True
    target = named or run.step
    if (name, target) != (run.dialogue, run.step) or target not in known.steps:
        trail = tuple(past for past in run.trail if past in known.steps)
        place = target if target in known.steps else known.first
        turn.settled(turn.put(replace(run, dialogue=name, step=place, trail=trail)))
    return target not in known.steps
