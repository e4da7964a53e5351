"""What we do when a moment has come that we had asked to be woken at."""

from __future__ import annotations

from datetime import datetime

from state_machine.conditions import CONDITIONS
from state_machine.model.effects import Remark, Say
from state_machine.model.outgoing import Priority
from state_machine.model.progress import Run, Unasked
from state_machine.programme.tables import A_NOTE, CHECK_IN, DOORS, GENTLE_WORD, GO_ON, RETENTION
from state_machine.schedule.agenda import is_instead_of_check_in, open_safety_talk, written_about
from state_machine.schedule.precedence import LATE, is_kept
from state_machine.schedule.triggers import (
    Trigger,
    TriggerReason,
    next_silence,
    triggers,
    was_told_of_erasure,
    without_old_words,
)
from state_machine.turn.flow import Flow


def run_wakeups(turn: Flow) -> None:
    """Let every occasion come whose time has come: kept, or passed over; at most one of them speaks first."""
    turn.priority, turn.woken = Priority.REMINDER, True
    for trigger in triggers(turn.script, turn.progress):
        if trigger.due > turn.now:
            break
        if trigger.reason is TriggerReason.SILENCE:
            _silent(turn)
            continue
        if trigger.reason is TriggerReason.FORGETTING:
            turn.progress = without_old_words(turn.progress, turn.now)
            continue
        kept = is_kept(turn.script, turn.progress, trigger, turn.now)
        if trigger.reason is TriggerReason.SNOOZE:
            turn.change(snoozed_until=None)
        before = len(turn.effects)
        if kept and _may_speak(turn):
            _write_first(turn, trigger.reason)
        spoke = len(turn.effects) > before
        if spoke or trigger.reason is not TriggerReason.RETENTION:  # that one is said, however long it has to wait
            turn.change(slots={**turn.progress.slots, trigger.reason.value: _latest(turn, trigger)})
        if spoke:
            since = turn.progress.ignored_since or turn.now
            turn.change(unasked=Unasked(trigger.reason.value, trigger.due, turn.now), ignored_since=since)


def _latest(turn: Flow, trigger: Trigger) -> datetime:
    """Slots that are too late are passed over as one; the first that is not comes at once, with its own turn."""
    return max(trigger.due, turn.now - LATE)


def _may_speak(turn: Flow) -> bool:
    """Not into a safety talk, which keeps its own time, nor over one that is covered, nor twice in one turn.

    Nor at all between the notice that all will be erased and the erasure: that question is the only one left.
    """
    run = turn.front
    in_danger = open_safety_talk(turn.script, turn.progress) is not None
    said = any(isinstance(effect, Remark) or (isinstance(effect, Say) and effect.wordings) for effect in turn.effects)
    if said or in_danger or was_told_of_erasure(turn.progress):
        return False
    return run is None or not turn.dialogue(run).safety


def _write_first(turn: Flow, reason: TriggerReason) -> None:
    """Open what the occasion is for. On a phone that others may see, only that something waits."""
    if turn.front is not None and turn.front.dialogue in DOORS:
        turn.drop(turn.front)  # a door left open is no question that waits
    _close_what_was_left(turn, reason)
    if turn.front is not None and turn.front.dialogue == GO_ON:
        if reason not in (TriggerReason.GENTLE_WORD, TriggerReason.RETENTION):
            return  # offered already, and not answered: once is enough
        turn.drop(turn.front)
    if reason is TriggerReason.TALK:
        _count_offer(turn)
    if CONDITIONS["quiet_notices"](turn.context()) and reason in (
        TriggerReason.TALK,
        TriggerReason.CHECK_IN,
        TriggerReason.SNOOZE,
    ):
        turn.open(A_NOTE)
    elif reason is TriggerReason.GENTLE_WORD:
        turn.open(GENTLE_WORD)
    elif reason is TriggerReason.RETENTION:
        turn.open(RETENTION)
    elif reason is TriggerReason.TALK:
        if is_instead_of_check_in(turn.progress, turn.today()):
            turn.remark("instead_of_check_in")
        if turn.front is None:
            turn.open_due()
        else:
            turn.open(GO_ON)
    elif turn.front is not None:
        turn.open(GO_ON)
    elif reason is TriggerReason.SNOOZE and turn.progress.snoozed_for not in (None, turn.today()):
        first, day = turn.script.dialogues[CHECK_IN].first, turn.progress.snoozed_for
        turn.begin(Run(turn.new_run_id(), CHECK_IN, first, turn.now, turn.now, day=day))
    else:
        turn.open(CHECK_IN)


def _count_offer(turn: Flow) -> None:
    """The part that is written about counts as offered today, in whatever form it is."""
    part = written_about(turn.context(), turn.today())
    if part is not None and part.dialogue is not None:
        turn.count_offer(part.dialogue)


def _close_what_was_left(turn: Flow, reason: TriggerReason) -> None:
    """Close what was looked at and left, like a page; what was answered in it stays, and a part keeps its place.

    A check-in that was asked for comes instead of what else is open; a talk offers a part that is half done first.
    """
    parts = turn.script.placed | {GO_ON}
    while (run := turn.front) is not None and not turn.dialogue(run).safety:
        if reason not in (TriggerReason.CHECK_IN, TriggerReason.SNOOZE) and (run.amends or run.dialogue in parts):
            return
        turn.close_as_left(run)


def _silent(turn: Flow) -> None:
    """Silence that has lasted as long as the open step waits takes its way. A covered talk comes to the front."""
    found = next_silence(turn.script, turn.progress)
    run = found[1] if found is not None else None
    way = turn.step(run).silence if run is not None else None
    if run is None or way is None:
        return
    if run.amends:
        turn.close_as_left(run)
        return
    if run is not turn.front:
        turn.drop(run)
        turn.put(run)
    index = turn.step(run).ways.index(way)
    target = turn.machines.way(run.dialogue, run.step, index)
    turn.arrive(turn.moved(run, target))
