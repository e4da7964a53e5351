"""Medical danger from eating: the talk about the body at once, and the programme waits until somebody has looked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dialogues.rendering.prompts import Prompts
from state_machine.model.context import Context
from state_machine.model.progress import Done, Fact, Progress
from state_machine.programme.tables import EATING_GATE, MEDICAL, SUITABILITY, UNDER_WAY
from state_machine.schedule import agenda
from state_machine.turn.machine import Machines
from tests.talking import START, Story, label_to

TROUBLE = {
    "eating": Fact("Yes, but my body copes", START, "yes"),
    "country": Fact("Ireland", START, "IE"),
    "phone": Fact("Only mine", START, "own"),
    "zone": Fact("Europe/Dublin", START, "Europe/Dublin"),
}
ASKED_LONG_AGO = Done(1, START - timedelta(days=60), "with_a_doctor", 1, kept=True, day=START.date())


def asked(machines: Machines, prompts: Prompts, phase: str) -> Story:
    """Somebody whose month is over, in a phase, to whom the questions about eating come."""
    progress = Progress(
        phase=phase,
        consent="1 2025-11-01",
        begun=START.date() - timedelta(days=65),
        facts=TROUBLE,
        heard=START,
        done={SUITABILITY: ASKED_LONG_AGO},
    )
    return Story(machines, prompts, progress).says("hello")


@pytest.mark.parametrize("phase", UNDER_WAY)
@pytest.mark.parametrize("answers", [("now_or_then", "danger"), ("now_or_then", "seen_today", "danger")])
def test_danger_from_eating_opens_the_talk_about_the_body_and_leads_to_not_now(
    phase: str, answers: tuple[str, ...], machines: Machines, prompts: Prompts
) -> None:
    story = asked(machines, prompts, phase)
    assert story.front.dialogue == EATING_GATE
    for target in answers:
        story.taps(label_to(story, target))
    assert story.front.dialogue == MEDICAL
    assert story.progress.phase == "not_now"
    assert "wait until a doctor has looked" in " ".join(story.bubbles)


@pytest.mark.parametrize("phase", UNDER_WAY)
def test_a_doctor_on_the_same_day_or_beside_it_changes_no_phase(
    phase: str, machines: Machines, prompts: Prompts
) -> None:
    story = asked(machines, prompts, phase)
    for target in ("now_or_then", "seen_today", "with_a_doctor"):
        story.taps(label_to(story, target))
    assert story.progress.phase == phase


def test_two_weeks_count_from_the_danger_and_not_from_the_last_list(machines: Machines, prompts: Prompts) -> None:
    story = asked(machines, prompts, "treatment")
    for target in ("now_or_then", "danger", "misread"):
        story.taps(label_to(story, target))
    today = story.now.date()
    context = Context(machines.script, story.progress, None, story.now)
    assert agenda.asked_again(context, today + timedelta(days=13)) is None
    again = agenda.asked_again(context, today + timedelta(days=14))
    assert again is not None
    assert again.dialogue == SUITABILITY


def test_the_way_back_is_is_it_for_me_with_words_for_a_doctor_that_name_it(
    machines: Machines, prompts: Prompts
) -> None:
    story = asked(machines, prompts, "treatment")
    for target in ("now_or_then", "danger", "misread"):
        story.taps(label_to(story, target))
    story.says("is it for me")
    assert story.place == f"{SUITABILITY}#last_time"
    story.taps(label_to(story, "not_yet"))
    story.taps(label_to(story, "words_for_a_doctor"))
    assert "my body isn't keeping up" in " ".join(story.bubbles)
    story.says("is it for me")
    story.says("I've spoken to somebody, they're fine with it")
    assert story.progress.phase == "assessment"
