"""A button of a message that is no longer the open question does what it said, or is said to be old: no answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from state_machine.model.progress import Run, Shown
from state_machine.programme.tables import (
    A_NOTE,
    BACK_AGAIN,
    CHECK_IN,
    FIRST_PEOPLE,
    GENTLE_WORD,
    HOME,
    MAP,
    PHQ_9,
    SOS,
    TODAY,
)
from state_machine.turn.shown_questions import MOST_SHOWN, with_question
from tests.talking import DAY_ONE, NOTHING_WRONG, SAD_WEEKS, Story

NAME_ASKED = f"{FIRST_PEOPLE}#first_name"


@pytest.fixture
def day_4(ana: Story) -> Story:
    """Ana on her fourth day: she has been asked who comes to mind first."""
    ana.passes(days=1)
    ana.answers({**NOTHING_WRONG, **SAD_WEEKS})
    ana.passes(days=2)
    assert ana.place == NAME_ASKED
    return ana


def shown(story: Story, dialogue: str, place: str) -> Story:
    """As if a question had been asked some while ago and closed since."""
    run = Run(story.progress.next_run, dialogue, place, story.now, story.now)
    kept = with_question(story.progress, run, story.script)
    story.progress = replace(story.progress, shown=kept, next_run=run.id + 1)
    return story


def names(story: Story) -> list[str]:
    return [person.name for person in story.progress.people]


def test_two_taps_of_the_gentle_word_opens_the_check_in_and_is_nobody_s_name(day_4: Story) -> None:
    day_4.passes(days=3, hours=14)
    assert day_4.place == NAME_ASKED, "twelve silent hours have closed the gentle word"
    day_4.says("Two taps")
    assert day_4.front.dialogue == CHECK_IN
    assert names(day_4) == []
    day_4.answers({"mood": "6"}, until=FIRST_PEOPLE)
    assert day_4.place == NAME_ASKED


@pytest.mark.parametrize(
    ("dialogue", "place", "label", "leads_to"),
    [
        (HOME, "what_now", "My people", MAP),
        (HOME, "what_now", "Check in", CHECK_IN),
        (GENTLE_WORD, "two_taps", "Two taps", CHECK_IN),
        (GENTLE_WORD, "a_word", "The next piece", FIRST_PEOPLE),
        (TODAY, "ready", "Start now", FIRST_PEOPLE),
        ("always/why", "check_in", "Other hours", "always/remind"),
        ("always/help", "page", "The numbers", SOS),
    ],
)
def test_a_page_that_only_opens_something_still_opens_it(
    dialogue: str, place: str, label: str, leads_to: str, day_4: Story
) -> None:
    shown(day_4, dialogue, place).says(label)
    assert day_4.front.dialogue == leads_to
    assert names(day_4) == []


def test_don_t_write_first_is_heard_also_when_it_is_tapped_late(day_4: Story) -> None:
    shown(day_4, GENTLE_WORD, "a_word").says("Don't write first for now")
    assert day_4.progress.suspended
    assert day_4.place == NAME_ASKED


def test_yes_as_before_is_heard_also_when_it_is_tapped_late(day_4: Story) -> None:
    day_4.progress = replace(day_4.progress, suspended=True)
    shown(day_4, BACK_AGAIN, "where_are_you").says("Yes, as before")
    assert not day_4.progress.suspended


def test_a_note_that_is_opened_late_opens_what_waits(day_4: Story) -> None:
    shown(day_4, A_NOTE, "waiting").says("Open it")
    assert day_4.place == NAME_ASKED
    assert names(day_4) == []


@pytest.mark.parametrize(
    ("dialogue", "place", "label"),
    [
        ("always/delete", "what_happens", "Delete everything"),
        ("always/check_in_again", "sure", "Delete it"),
        ("always/remind", "first_time", "Every day"),
        (PHQ_9, "item_1", "Several days"),
        (CHECK_IN, "moment", "Quarrelled"),
        (CHECK_IN, "mood_now", "4"),
        ("assessment/is_it_for_me", "care", "Skip"),
    ],
)
def test_what_can_not_be_done_any_more_is_said_and_the_question_stands(
    dialogue: str, place: str, label: str, day_4: Story
) -> None:
    before = day_4.progress
    shown(day_4, dialogue, place).says(label)
    assert day_4.remarks == ["late_button"], label
    assert day_4.place == NAME_ASKED
    assert (names(day_4), day_4.progress.facts) == ([], before.facts)


def test_the_same_words_sent_once_more_are_the_answer(day_4: Story) -> None:
    shown(day_4, CHECK_IN, "moment").says("Quarrelled").says("Quarrelled")
    assert names(day_4) == ["Quarrelled"]


def test_a_dialogue_that_has_gone_from_the_book_leaves_no_names_behind(day_4: Story) -> None:
    shown(day_4, HOME, "what_now")
    gone = replace(day_4.progress.shown[-1], dialogue="gone/with_a_release")
    day_4.progress = replace(day_4.progress, shown=(gone,))
    day_4.says("My people")
    assert day_4.remarks == ["late_button"]
    assert names(day_4) == []


def test_of_two_old_questions_with_the_same_button_the_newest_counts(day_4: Story) -> None:
    shown(day_4, "always/remind", "first_time")
    remembered = day_4.progress.shown[-1]
    shown(day_4, HOME, "what_now")
    newest = replace(day_4.progress.shown[-1], labels=remembered.labels + " " + day_4.progress.shown[-1].labels)
    day_4.progress = replace(day_4.progress, shown=(*day_4.progress.shown[:-1], newest))
    day_4.says("Every day")
    assert newest not in day_4.progress.shown
    assert remembered in day_4.progress.shown


def test_a_question_below_is_answered_by_its_own_button(day_4: Story) -> None:
    day_4.says("Ben").says("Right beside me")
    assert day_4.place == f"{FIRST_PEOPLE}#often"
    day_4.says("/checkin")
    day_4.says("Most days")
    assert day_4.progress.people[0].facts["often"].code == "daily"
    assert day_4.place == f"{FIRST_PEOPLE}#who_else"
    assert not any(run.dialogue == CHECK_IN for run in day_4.progress.runs), "it was looked at, and not answered"


def test_a_question_that_was_put_aside_is_answered_by_its_own_button(day_4: Story) -> None:
    day_4.says("Ben").says("Right beside me").says("later")
    assert not day_4.progress.runs
    day_4.says("Most days")
    assert day_4.place == f"{FIRST_PEOPLE}#who_else"
    assert not day_4.progress.aside


def test_a_tap_on_the_message_of_a_question_below_answers_that_question(ana: Story) -> None:
    ana.passes(days=1)
    run, key = ana.front, ana.offers[0].key
    ana.says("/people")
    ana.taps_token(f"{run.id}:{run.step}:{key}")
    assert (ana.front.id, ana.front.step != run.step) == (run.id, True)


def test_nothing_old_covers_a_talk_of_danger(day_4: Story) -> None:
    run, key = day_4.front, day_4.offers[0].key
    day_4.says("I want to kill myself")
    place = day_4.place
    shown(day_4, HOME, "what_now").says("My people")
    assert day_4.place == place
    day_4.taps_token(f"{run.id}:{run.step}:{key}")
    assert (day_4.remarks, day_4.place) == (["old_button"], place)


def test_a_button_of_a_talk_of_danger_that_is_over_opens_it_again_with_the_numbers(day_4: Story) -> None:
    shown(day_4, SOS, "thoughts").says("They might take over")
    assert day_4.front.dialogue == SOS
    assert day_4.front.step in {"numbers", "told_before"}


def test_what_the_open_question_takes_is_its_answer_whatever_was_shown_before(day_4: Story) -> None:
    shown(day_4, "assessment/is_it_for_me", "voices").says("Nobody")
    assert day_4.place == f"{FIRST_PEOPLE}#nobody"
    day_4.says("/remind").says("Every day")
    day_4.says("18:00")
    assert day_4.progress.facts["remind_at"].value == "18:00"


def test_a_number_that_is_asked_for_is_a_number_though_an_older_question_had_it_too(day_4: Story) -> None:
    shown(day_4, CHECK_IN, "mood_now").says("/checkin").says("4")
    assert day_4.front.step == "moment"


def test_whom_the_client_named_is_never_taken_for_a_button(day_4: Story) -> None:
    day_4.progress = replace(day_4.progress, runs=())
    day_4.knows("Tom").says("/people").says("Change someone")
    assert "Tom" in [offer.label for offer in day_4.offers]
    day_4.progress = replace(day_4.progress, runs=(), people=())
    day_4.says("/people").says("Add someone").says("Tom")
    assert names(day_4) == ["Tom"]


def test_where_nothing_is_open_an_old_button_is_no_note(resting: Story) -> None:
    entries = dict(resting.entries)
    shown(resting, CHECK_IN, "moment").says("Talked with someone")
    assert resting.entries == entries
    assert resting.bubbles


def test_an_old_button_that_crossed_the_next_question_still_does_what_it_said(day_4: Story) -> None:
    shown(day_4, HOME, "what_now").says("Check in", early=True)
    assert day_4.front.dialogue == CHECK_IN


def test_only_the_last_questions_are_remembered_and_without_any_word(day_4: Story) -> None:
    for _ in range(3):
        day_4.says("/checkin").answers({"mood": "6"}, until=FIRST_PEOPLE)
    assert len(day_4.progress.shown) == MOST_SHOWN
    assert all(set(each.labels) <= set("0123456789abcdef ") for each in day_4.progress.shown)
    assert isinstance(day_4.progress.shown[0], Shown)


# --- greetings ---------------------------------------------------------------------------

GREETINGS = (
    "hi again",
    "hello there",
    "Hey you",
    "good evening all",
    "Hellooo!",
    "hi, hello",
    "Good morning everyone",
)


@pytest.mark.parametrize("words", GREETINGS)
def test_a_greeting_is_nobody_s_name_and_no_answer(words: str, day_4: Story) -> None:
    day_4.says(words)
    assert names(day_4) == []
    assert day_4.place == NAME_ASKED


@pytest.mark.parametrize("words", GREETINGS)
def test_a_greeting_is_not_what_somebody_is_called(words: str, stranger: Story) -> None:
    stranger.answers(DAY_ONE, until="welcome/first_words#name").says(words)
    assert stranger.place == "welcome/first_words#name"


@pytest.mark.parametrize("words", GREETINGS)
def test_a_greeting_is_no_note(words: str, resting: Story) -> None:
    entries = dict(resting.entries)
    resting.says(words)
    assert resting.entries == entries


@pytest.mark.parametrize("words", ["Hilda", "Hey Jude", "hi, my sister called", "Heyden", "you", "all of them"])
def test_what_only_begins_like_a_greeting_is_an_answer(words: str, day_4: Story) -> None:
    day_4.says(words)
    assert names(day_4) == [words]
