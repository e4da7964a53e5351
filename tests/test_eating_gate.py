"""What comes round every month where eating is a trouble, and what it never asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from dialogues.rendering.prompts import Prompts
from state_machine.model.context import Context
from state_machine.model.progress import Done, Fact, Progress
from state_machine.model.script import Script
from state_machine.programme.rows import PHASES
from state_machine.programme.tables import REPEATED
from state_machine.schedule import agenda
from state_machine.turn.machine import Machines
from tests.standing import NOW, lives
from tests.talking import Story, label_to

EATING = "gates/eating"


def due_on(script: Script, progress: Progress, day: date) -> str | None:
    part = agenda.due(Context(script, progress, None, NOW), day)
    return part.dialogue if part else None


@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase != "welcome"])
@pytest.mark.parametrize(
    ("code", "asked"), [("yes", True), ("known", True), ("danger", True), ("no", False), (None, False)]
)
def test_a_month_after_day_1_and_every_month_after_that_in_every_phase(
    phase: str, code: str | None, *, asked: bool, machines: Machines
) -> None:
    known = {"eating": Fact("…", NOW, code)} if code else {}
    begun = date(2026, 3, 1)
    progress = Progress(phase=phase, begun=begun, consent="1 2026-03-01", facts=known, heard=NOW)
    _, days, _ = REPEATED[0]
    assert due_on(machines.script, progress, begun + timedelta(days=days - 1)) != EATING
    assert (due_on(machines.script, progress, begun + timedelta(days=days)) == EATING) is asked
    done = replace(progress, done={EATING: Done(1, NOW + timedelta(days=40), "fine", 9)})
    last = (NOW + timedelta(days=40)).date()
    assert due_on(machines.script, done, last + timedelta(days=days - 1)) != EATING
    assert (due_on(machines.script, done, last + timedelta(days=days)) == EATING) is asked


def test_it_is_looked_in_for_when_it_comes_round(machines: Machines) -> None:
    begun, contents = date(2026, 3, 1), machines.script.contents
    finished = {part.dialogue or agenda.planned_key(part): Done(9, NOW, "done", 1) for part in contents}
    troubled = {"eating": Fact("Yes", NOW, "yes")}
    progress = Progress(phase="aftercare", begun=begun, consent="1", facts=troubled, heard=NOW, done=finished)
    first = agenda.first_day_due(Context(machines.script, progress, None, NOW), NOW.date())
    assert first == begun + timedelta(days=REPEATED[0][1])
    untroubled = replace(progress, facts={})
    assert agenda.first_day_due(Context(machines.script, untroubled, None, NOW), NOW.date()) is None


def test_put_off_for_today_it_comes_tomorrow(machines: Machines, prompts: Prompts) -> None:
    begun = NOW.date() - timedelta(days=40)
    life = replace(next(lives()), begun=begun, heard=NOW)
    life = replace(life, facts={**life.facts, "eating": Fact("Yes", NOW, "yes")})
    story = Story(machines, prompts, life, NOW).says("hello")
    assert story.front.dialogue == EATING
    story.says(label_to(story, "not_today"))
    assert due_on(machines.script, story.progress, NOW.date()) != EATING
    assert due_on(machines.script, story.progress, NOW.date() + timedelta(days=1)) == EATING


def test_a_sign_of_danger_opens_the_talk_about_the_body(machines: Machines, prompts: Prompts) -> None:
    begun = NOW.date() - timedelta(days=40)
    life = replace(next(lives()), begun=begun, heard=NOW)
    life = replace(life, facts={**life.facts, "eating": Fact("Yes", NOW, "yes")})
    story = Story(machines, prompts, life, NOW).says("hello")
    story.says("Yes").says(label_to(story, "danger"))
    assert story.front.dialogue == "always/medical"


def test_nothing_about_weight_amounts_or_calories_is_asked(machines: Machines) -> None:
    asked = [
        wording.lower()
        for here in machines.script.dialogues[EATING].steps.values()
        for bubble in here.bubbles
        for wording in bubble.wordings
    ]
    for word in ("calorie", "kilo", "pounds", "bmi", "portion", "how much do you eat", "scale"):
        assert not any(word in wording for wording in asked), word
    assert [wording for wording in asked if "weight" in wording] == [asked[0]]
    assert "nothing about weight or amounts" in asked[0]
