"""The plan is never far away: from every step, in the menu, with the numbers under it."""

from __future__ import annotations

import random

from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.events import Said
from state_machine.model.progress import Fact, Progress
from state_machine.programme.tables import DOORS, HOME, PLAN, SOS
from state_machine.turn.machine import Machines
from tests.planning import EMPTY, PAGE, said, taps_through
from tests.standing import NOW, standings
from tests.talking import START, Story, label_to


def test_the_plan_opens_over_every_step_of_the_book_and_nothing_else_moves(machines: Machines) -> None:
    for standing in standings(machines):
        if standing.dialogue == PLAN:
            continue
        *below, front = step(machines, standing.progress, Said(NOW, "/plan")).progress.runs
        assert front.dialogue == PLAN, f"not from {standing}"
        waiting = [run for run in standing.progress.runs if run.dialogue not in DOORS]
        assert waiting == below, f"something moved at {standing}"


def test_the_plan_is_two_taps_from_twelve_steps_taken_at_random(machines: Machines, prompts: Prompts) -> None:
    everywhere = [standing for standing in standings(machines) if standing.dialogue != PLAN]
    for standing in random.Random(7).sample(everywhere, 12):  # noqa: S311 - a choice, no secret
        story = Story(machines, prompts, standing.progress, NOW).says("/help")
        story.says(label_to(story, "plan"))
        assert story.front.dialogue == PLAN, f"not from {standing}"


def test_the_plan_stands_in_the_menu_and_on_the_page_of_doors(machines: Machines, resting: Story) -> None:
    plan = machines.script.dialogues[PLAN]
    assert plan.menu
    assert not {"suicide", "crisis", "danger", "safety"} & set(plan.menu.lower().split())
    resting.says("hello")
    assert resting.front.dialogue == HOME
    resting.says(label_to(resting, "plan"))
    assert resting.place == EMPTY


def test_the_numbers_of_the_country_stand_under_the_plan(planned: Story) -> None:
    assert "112" in said(planned)
    assert taps_through(planned, "numbers").front.dialogue == SOS


def test_without_a_country_the_plan_is_shown_all_the_same(machines: Machines, prompts: Prompts) -> None:
    known = {"plan_ask": Fact("Ines", START)}
    nowhere = Story(machines, prompts, Progress(phase="assessment", consent="1 2026-01-05", facts=known, heard=START))
    assert nowhere.says("/plan").place == PAGE
    assert "Ines" in said(nowhere)
