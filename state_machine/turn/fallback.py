"""What happens where nothing is open."""

from __future__ import annotations

from state_machine.conditions import CONDITIONS
from state_machine.model.text import normalise
from state_machine.programme.tables import HEALTH_FIRST, HOME, WELCOME, WHEN_IDLE
from state_machine.schedule import agenda
from state_machine.turn.flow import OFFER_TO_GO_ON_AFTER, Flow
from state_machine.turn.greetings import greets


def nothing_open(turn: Flow, text: str) -> None:
    """Words that answer nothing: kept with the day, and what was put aside just now is not pushed at them again."""
    if turn.progress.consent is None:
        turn.open(WELCOME)
        return
    if normalise(text) in turn.script.small_talk:
        turn.remark(turn.script.small_talk[normalise(text)])
        return
    if not greets(turn.script, text) and turn.note(text) and len(text.split()) > 2:
        turn.remark("kept_with_today")
    if _put_aside_lately(turn):
        turn.open(HOME)
    else:
        fall_back(turn)


def fall_back(turn: Flow) -> None:
    """What is due, or the door to everything else."""
    if turn.progress.consent is None:
        turn.open(WELCOME)
    elif (first := _asked_first(turn)) is not None:
        turn.open(first)
    elif _rests_after_danger(turn) or not turn.open_due():
        turn.open(HOME)


def _rests_after_danger(turn: Flow) -> bool:
    """Whether what is due waits until it is asked for, because danger was told of; questions of health don't."""
    part = agenda.due(turn.context(), turn.today())
    about_health = part is not None and part.dialogue in HEALTH_FIRST
    return CONDITIONS["after_danger"](turn.context()) and not about_health


def _put_aside_lately(turn: Flow) -> bool:
    """Whether the part that is due is one that they left in the last hours. It comes when they ask for it."""
    part = agenda.due(turn.context(), turn.today())
    left = {run.dialogue for run in turn.progress.aside if turn.now - run.asked < OFFER_TO_GO_ON_AFTER}
    return part is not None and part.dialogue in left


def _asked_first(turn: Flow) -> str | None:
    """What the table asks before anything else, whenever nothing is open."""
    context = turn.context()
    rows = ((name, dialogue) for name, dialogue in WHEN_IDLE if dialogue in turn.script.dialogues)
    return next((dialogue for name, dialogue in rows if CONDITIONS[name](context)), None)
