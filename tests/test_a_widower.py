"""A widower on a bad evening: what he says is taken as he means it, and not as the form would have it."""

from __future__ import annotations

import pytest

from state_machine.programme.tables import CHECK_IN, FIRST_PEOPLE, GO_ON, HOME, PERSON_DIED, SUITABILITY
from state_machine.turn.flow import Flow
from tests.talking import Story


@pytest.fixture
def asked_for_names(ana: Story) -> Story:
    """Ana, who is asked for the first three people."""
    flow = Flow(ana.machines, ana.progress, ana.now)
    flow.open(FIRST_PEOPLE)
    ana.progress = flow.progress
    return ana.says("/start")


@pytest.mark.parametrize("words", ["don't know", "I don't know.", "idk", "no one", "Not sure", "nobody really"])
def test_not_knowing_is_nobody_s_name(words: str, asked_for_names: Story) -> None:
    place = asked_for_names.place
    asked_for_names.says(words)
    assert asked_for_names.place == place
    assert asked_for_names.progress.people == ()


def test_not_knowing_is_no_feeling(ana: Story) -> None:
    ana.says("/checkin").says("3").says("Was alone").says("More")
    place = ana.place
    ana.says("I don't know")
    assert ana.place == place
    assert ana.remarks == ["no_feeling_then"]


@pytest.mark.parametrize("words", ["she's dead", "She died.", "Margaret died in August", "he has passed away"])
def test_whoever_is_said_to_be_dead_is_asked_about_no_more(words: str, asked_for_names: Story) -> None:
    asked_for_names.says("Margaret").says(words)
    assert asked_for_names.front.dialogue == PERSON_DIED
    asked_for_names.says("Nobody")
    assert [person.died for person in asked_for_names.progress.people] == [True]
    assert asked_for_names.progress.runs == ()


def test_who_has_died_may_be_in_a_day_as_anybody(asked_for_names: Story) -> None:
    asked_for_names.says("Margaret").says("she died").says("Nobody").says("hello").says("/people")
    asked_for_names.says("Add someone").says("Helen").says("later")
    asked_for_names.says("/checkin").says("3").says("Missed someone").says("More").says("sad")
    assert (asked_for_names.place or "") == f"{CHECK_IN}#who"
    asked_for_names.says("Margaret")
    assert asked_for_names.place != f"{CHECK_IN}#who"


def test_what_was_put_aside_just_now_is_not_pushed_at_them_with_their_next_words(ana: Story) -> None:
    ana.passes(days=1)
    assert ana.front.dialogue == SUITABILITY
    ana.says("later").says("it got worse today")
    assert ana.front.dialogue == HOME
    ana.says("What comes next")
    assert ana.front.dialogue == SUITABILITY


def test_whoever_asks_for_a_person_hears_that_none_is_here_and_gets_the_numbers(ana: Story) -> None:
    ana.says("talk to a human")
    assert "No person reads along" in ana.bubbles[0]
    assert "The numbers" in [offer.label for offer in ana.offers]


def test_a_loss_told_in_many_messages_is_asked_about_once_more_and_then_heard(ana: Story) -> None:
    ana.says("my wife died this morning")
    asked = []
    for words in ("in her sleep", "the cat was on her feet", "I made two coffees"):
        ana.says(words)
        asked.append(any(bubble.endswith("?") for bubble in ana.bubbles))
    assert asked == [True, False, False]


def test_a_death_told_where_a_name_is_asked_makes_nobody_of_that_name(asked_for_names: Story) -> None:
    asked_for_names.says("she died in August")
    assert asked_for_names.remarks == ["name_of_who_died"]
    assert asked_for_names.progress.people == ()
    asked_for_names.says("Margaret").says("she died in August")
    assert asked_for_names.front.dialogue == PERSON_DIED


def test_later_at_the_offer_to_go_on_puts_aside_what_it_offers(ana: Story) -> None:
    ana.passes(days=1)
    ana.says("No").passes(days=1)
    while ana.progress.runs and ana.front.dialogue != GO_ON:
        ana.passes(days=1)
    ana.says("later")
    assert GO_ON not in {run.dialogue for run in ana.progress.runs}
    assert SUITABILITY in {run.dialogue for run in ana.progress.aside}


def test_a_death_told_where_there_are_buttons_is_no_word_like_any_other(ana: Story) -> None:
    ana.says("/checkin").says("3").says("my wife passed away in august")
    assert ana.remarks == ["kept_a_death"]
