"""When what was said in a dialogue that is `taken_out` is deleted from the chat: as soon as its run leaves the step.

Decided in one place, by comparing what the client saw before the turn with what the turn leads to. So it does not
matter why a question is left: answered, gone back from, covered by another dialogue, put aside, left by silence,
asked once more, or moved by a release.
"""

from __future__ import annotations

from collections.abc import Iterable

from state_machine.model.effects import DeleteQuestion, Effect, Remark, Say
from state_machine.model.progress import Run
from state_machine.model.script import Script


def with_deletions(
    script: Script, before: Run | None, after: Run | None, effects: Iterable[Effect], *, at_the_end: bool
) -> list[Effect]:
    """The effects of a turn, with a `DeleteQuestion` wherever something is left that is to be deleted.

    `before` and `after` are the runs in front before and after the turn. A question is deleted before the next one
    of its run is said; where nothing of its run is said, first of all, or after all the rest with `at_the_end`.
    """
    shown = {before.id: before.step} if before is not None and is_taken_out(script, before) else {}
    said: set[int] = set()
    found: list[Effect] = []
    for effect in effects:
        run = effect.run if isinstance(effect, Say) else effect.again if isinstance(effect, Remark) else None
        if run is not None and is_taken_out(script, run):
            asks_anew = isinstance(effect, Say) or shown.get(run.id) != run.step
            if run.id in shown and asks_anew:
                found.append(DeleteQuestion(run.id))
                del shown[run.id]
            if not ends(script, run):
                shown[run.id] = run.step
                said.add(run.id)
        found.append(effect)
    for number, step in shown.items():
        if after is None or (after.id, after.step) != (number, step):
            found.insert(len(found) if at_the_end or number in said else 0, DeleteQuestion(number))
    return found


def is_taken_out(script: Script, run: Run) -> bool:
    """Whether what is said in `run` is deleted again. True where the dialogue is in the book no more."""
    dialogue = script.dialogues.get(run.dialogue)
    return dialogue is None or dialogue.taken_out


def ends(script: Script, run: Run) -> bool:
    """Whether `run` stands at an ending: those last words stay in the chat."""
    dialogue = script.dialogues.get(run.dialogue)
    return dialogue is not None and run.step in dialogue.steps and dialogue.steps[run.step].is_ending
