"""Chooses what a simulated client answers: what they wish for, else a random button, else a sample of its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.progress import Progress
from state_machine.model.script import Label, Script, Step

AVOIDED = frozenset(
    {
        *("declined", "too_young", "under_18", "delete", "withdraw", "erase", "rest", "until_i_write"),
        *("how_kept", "for_whom", "what_exactly", "what_is_kept", "numbers", "not_now"),
    }
)
"""Targets that are never chosen at random: they leave the programme, or lead round in a circle."""
SAMPLES: Mapping[AnswerKind, str] = {
    AnswerKind.OWN_WORDS: "she said it was fine and closed the door",
    AnswerKind.FEW_WORDS: "the lodger upstairs",
    AnswerKind.CALLED: "Marigold",
    AnswerKind.TIME: "18:30",
    AnswerKind.DATE: "24.3.2026",
}
NAMES = ("Ben", "Cy", "Di", "Eve", "Flo", "Gus", "Hal", "Ina", "Jo", "Kit")
NONSENSE = ("asdf qwer", "?", "🙂", "what", "12345 67", "blah blah blah", "no idea what you mean")


def answer(
    script: Script, progress: Progress, shown: Sequence[str], wishes: Mapping[str, str], rng: Random
) -> str | None:
    """The client's answer at the open step; None if no step is open. `shown`: the labels of the buttons they see.

    `wishes`: maps a memory to the code or the words to answer, or the name of a step to "go", to take the way there.
    """
    run = progress.runs[-1] if progress.runs else None
    dialogue = script.dialogues.get(run.dialogue) if run else None
    here = dialogue.steps.get(run.step) if dialogue and run else None
    if here is None:
        return None
    wished = _wished(here, shown, wishes)
    if wished is not None:
        return wished
    avoided = {way.takes.text for way in here.ways if isinstance(way.takes, Label) and way.target in AVOIDED}
    numbers = [label for label in shown if label.isdecimal() and 3 <= int(label) <= 8]
    free = [label for label in shown if label not in avoided and label.lower() not in script.back]
    kinds = [way.takes for way in here.ways if isinstance(way.takes, AnswerKind) and way.takes is not AnswerKind.SKIP]
    if script.finished in shown:
        return script.finished
    if numbers:
        return rng.choice(numbers)
    if AnswerKind.NEW_NAME in kinds:
        taken = {person.name for person in progress.people}
        return next((name for name in NAMES if name not in taken), f"Somebody {len(taken)}")
    sample = next((SAMPLES[kind] for kind in kinds if kind in SAMPLES), None)
    if free and (sample is None or rng.random() < 0.7):
        return rng.choice(free)
    return sample or (shown[0] if shown else script.skip)


def _wished(here: Step, shown: Sequence[str], wishes: Mapping[str, str]) -> str | None:
    for way in here.ways:
        if isinstance(way.takes, Label):
            wish = wishes.get(way.memory or "")
            if way.target in wishes or (wish is not None and wish in {way.code, way.takes.text}):
                return way.takes.text
    for way in here.ways:
        wish = wishes.get(way.memory or "")
        if way.takes is AnswerKind.CLOCK and "their_zone" in wishes:
            return _nearest(shown, wishes["their_zone"], wishes["now"])
        if way.takes is AnswerKind.PLACE and "their_zone" in wishes:
            return wishes["their_zone"].rsplit("/", 1)[1].replace("_", " ")
        if wish and not isinstance(way.takes, Label):
            return wish
    return None


def _nearest(shown: Sequence[str], zone: str, now: str) -> str:
    """The time among the labels shown that is nearest to their clock; the exact time (HH:MM) if none is shown."""
    local = datetime.fromisoformat(now).astimezone(ZoneInfo(zone))
    minutes = local.hour * 60 + local.minute
    times = [label for label in shown if len(label) == 5 and label[2] == ":"]
    apart = {label: abs(minutes - int(label[:2]) * 60 - int(label[3:])) for label in times}
    best = min(apart, key=lambda label: min(apart[label], 1440 - apart[label]), default=None)
    return best or f"{local:%H:%M}"
