"""The first reader: every word a client sends is read for danger before anything else reads it.

What the screen finds opens a talk in front, at once, and moves nothing else. Which talk, stands in `TALKS`.
Nothing here keeps the words beyond a day, and nothing counts them.
"""

from __future__ import annotations

from datetime import timedelta

from state_machine.model.effects import IncrementCounter
from state_machine.model.progress import RecentText, Run
from state_machine.model.text import normalise
from state_machine.programme.tables import FRESH_LOSS, MEDICAL_FOR_ANOTHER, SIGNS_OF_TAKING, SOS, TALKS, UNDER_18
from state_machine.safety.reading import ALARMS, DangerKind, RiskReading, Tier
from state_machine.schedule.triggers import WORDS_KEPT
from state_machine.turn.flow import Flow

READ_TOGETHER = 3
"""So many messages are read as one: danger may come in pieces."""
ANSWERED_FOR = timedelta(minutes=30)
"""How long a plain no to the direct question holds; a hint within it brings the number, not the question again."""
TOLD_FOR = timedelta(days=30)
"""How long after a talk about a death by suicide the telling of it opens that talk no more."""
NOT_OPENED_BY_ITSELF = {DangerKind.AFTER_SUICIDE: TOLD_FOR, DangerKind.FRESH_LOSS: WORDS_KEPT}
HEARD_THERE = frozenset({SOS, TALKS[DangerKind.AFTER_SUICIDE]})
"""Talks that take a hint about oneself as part of themselves."""
ASKING = frozenset({*(TALKS[kind] for kind in ALARMS), MEDICAL_FOR_ANOTHER} - {SOS})
"""Talks in which more words of the same danger bring the number again; elsewhere they are an answer."""
NO = frozenset({"no_thoughts", "low_all_the_same", "misread"})


def screen_for_risk(turn: Flow, text: str) -> bool:
    """Read what a client wrote. True if a talk was opened for it; then the words are an answer to nothing."""
    if is_label(turn, text):
        return False
    before = [heard for heard in turn.progress.recent if turn.now - heard.at < WORDS_KEPT]
    reading = turn.machines.screen.read(text, [heard.words for heard in before])
    turn.change(recent=(*before, RecentText(text, turn.now))[1 - READ_TOGETHER :])
    if reading.kind is DangerKind.NONE:
        return _minor(turn, text)
    if _said_to_be_misread(turn, text) or _told_lately(turn, reading):
        return False
    return _opened(turn, text, reading)


def is_label(turn: Flow, text: str) -> bool:
    """Whether the words are a button of the open step: they are ours, and were read when they were written."""
    run = turn.front
    return run is not None and normalise(text) in turn.step(run).labels


def _opened(turn: Flow, text: str, reading: RiskReading) -> bool:
    run = turn.front
    talk = _talk(reading)
    talk = talk if talk in turn.script.dialogues else SOS
    outright = _is_outright(reading)
    because = _because(reading)
    if run is not None and run.dialogue == talk:
        return _in_the_talk(turn, run, text, because)
    if run is not None and run.dialogue in HEARD_THERE and not outright:
        return False
    if talk == SOS and not outright and _said_no_just_now(turn):
        turn.remark("number_again")
        return False
    if talk == FRESH_LOSS:
        for open_run in turn.progress.runs:
            turn.close_as_left(open_run)
    turn.change(recent=(), alarmed=RecentText(text, turn.now))
    turn.effects.append(IncrementCounter(f"{reading.kind.value} {int(reading.tier)}"))
    turn.open(talk, because=because)
    return True


def _talk(reading: RiskReading) -> str:
    if reading.kind is DangerKind.MEDICAL and reading.tier is Tier.SOMEONE_ELSE:
        return MEDICAL_FOR_ANOTHER
    return TALKS.get(reading.kind, SOS)


def _is_outright(reading: RiskReading) -> bool:
    """Whether it was said so plainly that nothing is asked first; a body in danger is, whosever it is."""
    return reading.tier is Tier.EXPLICIT or _talk(reading) == MEDICAL_FOR_ANOTHER


def _because(reading: RiskReading) -> str:
    if not _is_outright(reading):
        return "unsure"
    return "taken" if reading.signal in SIGNS_OF_TAKING else "explicit"


def _in_the_talk(turn: Flow, run: Run, text: str, because: str) -> bool:
    """Already in this talk. Nobody is thrown back to its beginning, but for a hint that has become plain words."""
    if run.dialogue not in (SOS, *ASKING):
        return False
    if because != "unsure" and run.because == "unsure" and not run.answers:
        turn.change(alarmed=RecentText(text, turn.now))
        turn.open(run.dialogue, because=because)
        return True
    turn.note(text)
    turn.remark("kept_in_danger", again=True)
    return True


def _said_no_just_now(turn: Flow) -> bool:
    done = turn.progress.done.get(SOS)
    return done is not None and done.outcome in NO and turn.now - done.last < ANSWERED_FOR


def _said_to_be_misread(turn: Flow, text: str) -> bool:
    misread = turn.progress.misread
    if misread is None or turn.now - misread.at > WORDS_KEPT:
        return False
    return normalise(misread.words) == normalise(text)


def _told_lately(turn: Flow, reading: RiskReading) -> bool:
    pause = NOT_OPENED_BY_ITSELF.get(reading.kind)
    done = turn.progress.done.get(TALKS.get(reading.kind, SOS))
    return pause is not None and done is not None and turn.now - done.last < pause


def _minor(turn: Flow, text: str) -> bool:
    """Signs of being under 18 are asked about once, and only where we are not already asking."""
    if UNDER_18 not in turn.script.dialogues or UNDER_18 in turn.progress.done:
        return False
    run = turn.front
    if (run is not None and turn.dialogue(run).safety) or not turn.machines.screen.minor(text):
        return False
    turn.open(UNDER_18, because="unsure")
    return True
