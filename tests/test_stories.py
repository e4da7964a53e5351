"""The engine's rules as short stories. Each is somebody with a phone; the words are rendered along the way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.app import App
from state_machine.model.effects import Erase
from state_machine.model.outgoing import Priority
from state_machine.model.progress import MOST_OPEN
from state_machine.programme.tables import CHECK_IN, GO_ON, NOTE, SETTINGS, SUITABILITY, WELCOME
from tests.talking import DAY_ONE, NOTHING_WRONG, SAD_WEEKS, Client, Story, keeps, label_to

PHQ_9 = "measures/phq_9"
A_FAIR_DAY = {"mood": "6"}


@pytest.fixture
def ana_on_day_2(ana: Story) -> Story:
    """Ana in the middle of the second day's questions."""
    ana.passes(days=1)
    return ana.answers(NOTHING_WRONG, until="#".join(keeps(ana.script, "voices", SUITABILITY)))


def safety_of(story: Story) -> bool:
    return story.script.dialogues[story.front.dialogue].safety


# --- interrupted, put aside, gone back -----------------------------------------------------


def test_a_check_in_in_the_middle_of_day_2_goes_back_to_the_interrupted_question(ana_on_day_2: Story) -> None:
    before = ana_on_day_2.front
    ana_on_day_2.says("/checkin").answers(A_FAIR_DAY, until=SUITABILITY)
    assert "back_to" in ana_on_day_2.remarks
    assert replace(ana_on_day_2.front, asked=before.asked) == before
    assert ana_on_day_2.progress.done[CHECK_IN].times == 1


def test_after_the_safety_talk_the_interrupted_step_is_offered_not_forced_and_unchanged(ana_on_day_2: Story) -> None:
    before = ana_on_day_2.front
    ana_on_day_2.says("help me")
    assert safety_of(ana_on_day_2)
    assert ana_on_day_2.turn is not None
    assert ana_on_day_2.turn.priority is Priority.SAFETY
    ana_on_day_2.says(label_to(ana_on_day_2, "only_numbers"))
    assert ana_on_day_2.front.dialogue == GO_ON
    assert ana_on_day_2.progress.runs[-2] == before
    ana_on_day_2.says(label_to(ana_on_day_2, "go_on"))
    assert replace(ana_on_day_2.front, asked=before.asked) == before


def test_what_is_offered_after_the_safety_talk_can_be_left_and_keeps_its_place(ana_on_day_2: Story) -> None:
    before = ana_on_day_2.front
    ana_on_day_2.says("/sos")
    ana_on_day_2.says(label_to(ana_on_day_2, "only_numbers")).says(label_to(ana_on_day_2, "leave_it"))
    assert ana_on_day_2.progress.runs == ()
    assert ana_on_day_2.progress.aside == (before,)


def test_a_dialogue_put_aside_keeps_its_place_and_its_answers(ana_on_day_2: Story) -> None:
    before = ana_on_day_2.front
    ana_on_day_2.says("later")
    assert "left" in ana_on_day_2.remarks
    assert ana_on_day_2.progress.runs == ()
    ana_on_day_2.passes(days=1)
    assert replace(ana_on_day_2.front, asked=before.asked) == before


def test_a_question_open_for_half_a_day_is_offered_when_something_else_ends(ana_on_day_2: Story) -> None:
    before = ana_on_day_2.front
    ana_on_day_2.now += timedelta(hours=13)
    ana_on_day_2.says("/checkin").answers(A_FAIR_DAY, until=GO_ON)
    assert ana_on_day_2.progress.runs[-2] == before


def test_going_back_takes_an_answer_back(stranger: Story) -> None:
    stranger.answers(DAY_ONE, until="#".join(keeps(stranger.script, "moment", WELCOME)))
    assert stranger.front.answers[-1].memory == "mood"
    stranger.says("back")
    assert stranger.place == "#".join(keeps(stranger.script, "mood", WELCOME))
    assert "mood" not in {answer.memory for answer in stranger.front.answers}


def test_going_back_takes_a_person_back_who_was_made_by_the_answer(ana: Story) -> None:
    ana.says("/people")
    ana.says(label_to(ana, "add"))
    place = ana.place
    ana.says("Ben")
    assert [person.name for person in ana.progress.people] == ["Ben"]
    ana.says("/back")
    assert (ana.place, ana.progress.people) == (place, ())
    ana.says("Ben").says("back").says("Benno")
    assert [person.name for person in ana.progress.people] == ["Benno"]


def test_there_is_nothing_before_the_first_question(stranger: Story) -> None:
    place = stranger.place
    stranger.says("/back")
    assert stranger.remarks == ["nothing_before"]
    assert stranger.place == place


def test_six_dialogues_are_open_at_most_and_the_programme_s_own_keeps_its_place(ana_on_day_2: Story) -> None:
    before = ana_on_day_2.front
    for command in ("/checkin", "/people", "/settings", "/pause", "/export", "/delete"):
        ana_on_day_2.says(command)
        assert len(ana_on_day_2.progress.runs) <= MOST_OPEN
    assert len(ana_on_day_2.progress.runs) == MOST_OPEN
    assert before in ana_on_day_2.progress.aside


def test_a_dialogue_that_is_open_already_comes_to_the_front_and_is_not_opened_twice(ana: Story) -> None:
    ana.says("/people").says("/settings").says("/people")
    assert [run.dialogue for run in ana.progress.runs] == [SETTINGS, ana.script.commands["people"]]


# --- safety -------------------------------------------------------------------------------


def test_item_9_opens_the_safety_talk_before_any_total_is_shown_and_the_scale_can_be_finished(ana: Story) -> None:
    ana.passes(days=1)
    ana.answers(NOTHING_WRONG, until=PHQ_9)
    ana.answers(SAD_WEEKS, until="#".join(keeps(ana.script, "phq9_9", PHQ_9)))
    ana.answers({"phq9_9": "2"}, until=_safety_dialogue(ana))
    assert ana.turn is not None
    assert ana.turn.priority is Priority.SAFETY
    assert {said.partition("#")[0] for said in ana.steps_said} == {ana.front.dialogue}
    assert "phq9_total" not in ana.progress.facts
    ana.answers({"danger": "no"}, until=GO_ON)
    ana.says(label_to(ana, "go_on")).answers(SAD_WEEKS)
    total = ana.fact("phq9_total")
    assert total is not None
    assert total.value == "10"
    assert PHQ_9 in {entry.dialogue for entry in ana.entries.values()}


@pytest.mark.parametrize("code", ["now", "thoughts", "unsure", "tried"])
def test_a_yes_to_the_question_about_ending_life_opens_the_safety_talk_at_once(code: str, ana: Story) -> None:
    ana.passes(days=1)
    ana.answers({**NOTHING_WRONG, "ending_life": code}, until=_safety_dialogue(ana))
    assert {said.partition("#")[0] for said in ana.steps_said} == {ana.front.dialogue}


def test_a_mood_of_nought_opens_the_safety_talk_and_the_check_in_is_offered_after_it(ana: Story) -> None:
    ana.says("/checkin")
    ana.answers({"mood": "0"}, until=_safety_dialogue(ana))
    ana.answers({"danger": "no"}, until=GO_ON)
    assert ana.progress.runs[-2].dialogue == CHECK_IN


def _safety_dialogue(story: Story) -> str:
    return story.script.commands["sos"]


# --- what is typed beside the buttons -------------------------------------------------------


def test_a_sentence_at_a_step_with_only_buttons_is_kept_and_acknowledged(ana_on_day_2: Story) -> None:
    place, labels = ana_on_day_2.place, [offer.label for offer in ana_on_day_2.offers]
    ana_on_day_2.says("My sister rang at last, out of the blue")
    assert ana_on_day_2.remarks == ["kept_with_today"]
    assert (ana_on_day_2.place, [offer.label for offer in ana_on_day_2.offers]) == (place, labels)
    notes = [entry for entry in ana_on_day_2.entries.values() if entry.dialogue == NOTE]
    assert [note.answers[0].fact.value for note in notes] == ["My sister rang at last, out of the blue"]


def test_a_sentence_beside_the_buttons_is_found_in_the_export(app: App) -> None:
    client = Client(app).day_one()
    client.says("/people")
    client.says("My sister rang at last, out of the blue")
    with app.store.begin() as work:
        chat = work.chats.find(client.address)
        assert chat is not None
        name, content = app.export(work, chat.client)
    document = json.loads(content)
    kept = [answer["value"] for entry in document["entries"] for answer in entry["answers"]]
    assert name.endswith(".json")
    assert "My sister rang at last, out of the blue" in kept
    assert {"Ana", "my sister", "that she calls back"} <= {fact["value"] for fact in document["known"].values()}


def test_before_consent_nothing_is_entered_or_remembered(stranger: Story) -> None:
    stranger.says("My sister rang at last").edits("my brother rang").shares("photo", "this is us")
    assert stranger.says("is there anybody out there").remarks == ["not_kept_yet"]
    for command in ("/checkin", "/people", "/settings", "/export", "/pause"):
        assert "consent_first" in stranger.says(command).remarks, command
        assert stranger.front.dialogue == WELCOME
    assert stranger.entries == {}
    assert stranger.progress.facts == {}
    assert stranger.progress.consent is None


def test_help_is_there_before_consent(stranger: Story) -> None:
    assert safety_of(stranger.says("help me"))
    assert stranger.entries == {}


def test_saying_no_at_the_door_erases_what_little_there_was(stranger: Story) -> None:
    stranger.answers(DAY_ONE, until="#".join(keeps(stranger.script, "consent", WELCOME)))
    stranger.says(label_to(stranger, "declined"))
    assert stranger.turn is not None
    assert any(isinstance(effect, Erase) for effect in stranger.turn.effects)
    assert stranger.bubbles, "they are told so"


def test_the_same_tap_twice_says_that_it_was_noted(ana: Story) -> None:
    ana.says("/checkin")
    run = ana.front
    ana.taps("6")
    place = ana.place
    ana.taps_token(f"{run.id}:{run.step}:n6")
    assert (ana.remarks, ana.place) == (["already_noted"], place)
    ana.taps_token("999:nowhere:n6")
    assert (ana.remarks, ana.place) == (["old_button"], place)
