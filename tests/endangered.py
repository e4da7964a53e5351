"""What the tests of the talks about danger share: kinds of life, talks opened in them, and the words they hear."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dialogues.rendering.prompts import Prompts
from state_machine.model.context import Context
from state_machine.model.outgoing import Message
from state_machine.model.progress import Fact, Progress
from state_machine.model.script import Label
from state_machine.programme.tables import TALKS, UNDER_18
from state_machine.turn.builder import Turn
from state_machine.turn.flow import Flow
from state_machine.turn.machine import Machines
from state_machine.turn.options import offers

EVENING = datetime(2026, 3, 4, 21, 0, tzinfo=UTC)
FRESH_LOSS = "always/fresh_loss"
CHILD_AT_RISK = "always/child_at_risk"
SAFETY = sorted({*TALKS.values(), UNDER_18, CHILD_AT_RISK})
NO_ALARM = {FRESH_LOSS}
"""No danger, so no number is pushed between the words."""
HELP = re.compile(r"(?<!\w)(?:\d{3,}|\d{2,}[ -]\d{2,}|findahelpline\.com)")
KNOWN = {"name": Fact("Ana", EVENING), "country": Fact("Ireland", EVENING, "IE"), "phone": Fact("Only mine", EVENING)}
ABROAD = {**KNOWN, "country": Fact("Lesotho", EVENING, "LS")}
A_PLAN = {**KNOWN, "plan_ask": Fact("my sister", EVENING)}
READ_ALONG = {**KNOWN, "phone": Fact("Not sure", EVENING, "unsure")}
LIVES = {"in Ireland": KNOWN, "in Lesotho": ABROAD, "with a plan": A_PLAN, "phone read": READ_ALONG, "unknown": {}}


@dataclass(frozen=True)
class Spoken:
    """How far a path has come: where it stands, what we said so far, and in what order it was answered."""

    progress: Progress
    texts: tuple[str, ...]
    taps: tuple[str, ...] = ()


def words_of(prompts: Prompts, turn: Turn, now: datetime) -> tuple[str, ...]:
    return tuple(item.text for item in prompts.outgoing(turn.effects, now) if isinstance(item, Message))


@dataclass(frozen=True)
class Opening:
    """How a talk is opened: what is known, for what reason, and how often each bubble has been said before."""

    facts: dict[str, Fact]
    talk: str
    because: str = ""
    wording: int = 0


def opened(machines: Machines, prompts: Prompts, how: Opening) -> Spoken:
    steps = machines.script.dialogues[how.talk].steps.values()
    said = {f"{how.talk}#{here.name}.{index}": how.wording for here in steps for index in range(len(here.bubbles))}
    progress = Progress(phase="assessment", consent="1 2026-03-01", begun=EVENING.date(), heard=EVENING)
    flow = Flow(machines, replace(progress, facts=how.facts, wordings=said), EVENING)
    flow.open(how.talk, because=how.because)
    turn = flow.finish()
    return Spoken(turn.progress, words_of(prompts, turn, EVENING))


def labels_of(machines: Machines, progress: Progress) -> list[str]:
    run = progress.runs[-1]
    here = machines.script.dialogues[run.dialogue].steps[run.step]
    kinds = {way.takes.text for way in here.ways if isinstance(way.takes, Label)}
    return [o.label for o in offers(here, Context(machines.script, progress, run, EVENING)) if o.label in kinds]
