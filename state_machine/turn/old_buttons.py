"""Buttons of questions that are no longer the open one: a tap on one comes back as typed words, or with its token.

What an old button said is done if that still can be done: its question waits below or was put aside, or it stood on a
page that only opens something. Otherwise a few words say what it was, and the open question stands.
"""

from __future__ import annotations

from dataclasses import replace

from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.progress import Run, Shown
from state_machine.programme.rows import Action, Open, SimpleAction
from state_machine.programme.tables import ABOUT_A_PERSON, DOABLE_LATE, DOORS
from state_machine.turn.answers import Accepted, NotUnderstood, read
from state_machine.turn.fallback import fall_back
from state_machine.turn.flow import MOST_SILENT_STEPS, Flow
from state_machine.turn.shown_questions import asked_before

FREE = frozenset(
    {
        AnswerKind.OWN_WORDS,
        AnswerKind.FEW_WORDS,
        AnswerKind.CALLED,
        AnswerKind.NEW_NAME,
        AnswerKind.OTHER_NAME,
        AnswerKind.SOME_FEELINGS,
    }
)
"""Kinds of answer that take the words of any button."""
FEW = 2
"""So few words are an answer to many questions: they open no safety talk again."""


def takes_anything(taken: Accepted | NotUnderstood) -> bool:
    """Whether the open step took the words only because it takes any, or did not take them at all."""
    return isinstance(taken, NotUnderstood) or taken.way.takes in FREE


def is_old_button(turn: Flow, text: str) -> bool:
    """Whether the words are a button of an earlier question. What it said is done, or it is said that it is old.

    An old question is then forgotten: the same words sent once more are an answer to the open one.
    """
    shown = asked_before(turn.progress, text)
    if shown is None:
        return False
    if not done_late(turn, shown, text):
        turn.change(shown=tuple(other for other in turn.progress.shown if other != shown))
        if turn.front is None:
            fall_back(turn)
        else:
            turn.remark("late_button", again=True)
    return True


def done_late(turn: Flow, shown: Shown, text: str) -> bool:
    """Do what an old button said; False if it can't be done any more, and then nothing has changed."""
    dialogue = turn.script.dialogues.get(shown.dialogue)
    step = dialogue.steps.get(shown.step) if dialogue is not None else None
    front = turn.front
    if dialogue is None or step is None:
        return False
    if front is not None and turn.dialogue(front).safety and not dialogue.safety:
        return False  # nothing covers a talk of danger
    run = waiting(turn, str(shown.run), shown.step)
    taken = read(step, text, turn.context(run or Run(0, dialogue.name, step.name, turn.now, turn.now)), near=False)
    if isinstance(taken, NotUnderstood) or taken.way.takes in FREE:
        return False
    if run is not None:
        to_the_front(turn, run)
        turn.take(taken)
        return True
    return _taken_up(turn, shown, taken)


def waiting(turn: Flow, number: str, step: str) -> Run | None:
    """The run of that number, if it is not in front and still stands at that step: below, or put aside."""
    runs = (*turn.progress.runs[:-1], *turn.progress.aside)
    return next((run for run in runs if (str(run.id), run.step) == (number, step)), None)


def to_the_front(turn: Flow, run: Run) -> None:
    """Bring a run that waits in front of what is open. Pages over it on which nothing was answered are closed."""
    parts = {part.dialogue for part in turn.script.contents}
    while (front := turn.front) is not None and front.id != run.id:
        if front.answers or front.amends or front.dialogue in parts or turn.dialogue(front).safety:
            break
        turn.drop(front)
    turn.drop(run)
    turn.change(aside=tuple(other for other in turn.progress.aside if other.id != run.id))
    turn.put(run)


def _taken_up(turn: Flow, shown: Shown, taken: Accepted) -> bool:
    """Take up a dialogue that is closed, for one tap, if it only opens something; a talk of danger begins anew."""
    run = Run(0, shown.dialogue, shown.step, turn.now, turn.now)
    target = _leads_to(turn, run, taken)
    ends = turn.script.dialogues[run.dialogue].steps[target].is_ending
    if turn.script.dialogues[run.dialogue].safety:
        again = not ends and len(taken.value.split()) > FEW
        if again:
            turn.open(run.dialogue)
        return again
    if not ends or not _only_opens(turn, run, target):
        return False
    if turn.front is not None and turn.front.dialogue in DOORS:
        turn.drop(turn.front)
    turn.put(replace(run, id=turn.new_run_id()))
    turn.take(taken)
    return True


def _leads_to(turn: Flow, run: Run, taken: Accepted) -> str:
    """The step that an answer leads to, past the silent ones."""
    target = turn.machines.way(run.dialogue, run.step, taken.index)
    steps = turn.script.dialogues[run.dialogue].steps
    for _ in range(MOST_SILENT_STEPS):
        if not steps[target].is_silent:
            break
        target = turn.machines.silently(turn.context(replace(run, step=target)), run.dialogue, target)
    return target


def _only_opens(turn: Flow, run: Run, outcome: str) -> bool:
    """Whether this ending does nothing that can't be undone by going back: it opens something, or lets us write."""
    phase, heard = turn.machines.depart(turn.context(run), run.dialogue, outcome)
    if heard is None or not heard.do or phase != turn.progress.phase or run.dialogue in ABOUT_A_PERSON:
        return False
    if SimpleAction.GO_ON in heard.do and turn.front is None:
        return False
    return all(_is_harmless(action) for action in heard.do)


def _is_harmless(action: Action) -> bool:
    return (isinstance(action, Open) and not action.same_person) or action in DOABLE_LATE
