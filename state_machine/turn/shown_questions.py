"""Which questions were asked lately, with a mark for each of their labels.

So the words of a button are known for what they are when they come late, also if its dialogue has gone from the book
since. Names of people, feelings and clocks are no labels of ours and are not remembered: whoever types them may mean
them.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

from state_machine.model.answer_kinds import PICKED_SEVERAL, AnswerKind
from state_machine.model.progress import Progress, Run, Shown
from state_machine.model.script import Label, Numbers, Script
from state_machine.model.text import normalise

MOST_SHOWN = 8
"""How many questions are remembered."""


def with_question(progress: Progress, run: Run, script: Script) -> tuple[Shown, ...]:
    """The remembered questions, with the one that `run` stands at as the newest."""
    labels = _labels(script, run.dialogue, run.step)
    others = tuple(shown for shown in progress.shown if (shown.run, shown.step) != (run.id, run.step))
    return (*others, Shown(run.id, run.dialogue, run.step, labels))[-MOST_SHOWN:] if labels else others


def _labels(script: Script, dialogue: str, step: str) -> str:
    """The marks of the buttons at a step that stand in the book, with spaces between."""
    found: list[str] = []
    for way in script.dialogues[dialogue].steps[step].ways:
        match way.takes:
            case Label(text):
                found.append(_mark_of_label(text))
            case Numbers(low, high):
                found += [_mark_of_label(str(number)) for number in range(low, high + 1)]
            case AnswerKind.SKIP:
                found.append(_mark_of_label(script.skip))
            case kind if kind in PICKED_SEVERAL:
                found.append(_mark_of_label(script.finished))
            case _:
                pass
    return " ".join(found)


@lru_cache(maxsize=4096)
def _mark_of_label(label: str) -> str:
    """The mark of a label of the book, worked out once. Never of a client's words: those are kept nowhere."""
    return _mark(label)


def asked_before(progress: Progress, text: str) -> Shown | None:
    """The newest remembered question with a button of these words, other than the open one; None if there is none."""
    front = progress.runs[-1] if progress.runs else None
    here = (front.id, front.step) if front else None
    mark = _mark(text)
    return next((s for s in reversed(progress.shown) if (s.run, s.step) != here and mark in s.labels.split()), None)


def _mark(label: str) -> str:
    """Six characters that stand for a label."""
    return f"{zlib.crc32(normalise(label).encode()) & 0xFFFFFF:06x}"
