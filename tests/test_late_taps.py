"""A tap that comes after its question: what is said to be noted was noted."""

from __future__ import annotations

from tests.talking import Story


def test_a_tap_on_a_question_that_silence_has_left_is_not_said_to_be_noted(ana: Story) -> None:
    ana.says("I want to kill myself").taps("I might act soon")
    run = ana.front
    key = next(offer.key for offer in ana.offers if offer.label == "Somebody is here")
    ana.passes(minutes=31)
    assert ana.place == "always/sos#one_line"
    ana.taps_token(f"{run.id}:{run.step}:{key}")
    assert ana.remarks == ["old_button"]
    assert ana.place == "always/sos#one_line"


def test_a_second_tap_on_a_question_of_the_talk_that_was_answered_is_said_to_be_noted(ana: Story) -> None:
    ana.says("I want to kill myself")
    run = ana.front
    key = next(offer.key for offer in ana.offers if offer.label == "I might act soon")
    ana.taps("I might act soon").taps_token(f"{run.id}:{run.step}:{key}")
    assert ana.remarks == ["already_noted"]


def test_an_answer_of_long_before_does_not_note_what_silence_left_since(ana: Story) -> None:
    ana.says("/sos").taps("Numbers for the country I'm in").says("Germany")
    run = ana.front
    key = next(offer.key for offer in ana.offers if offer.label == "I might act soon")
    ana.passes(minutes=31)
    ana.taps_token(f"{run.id}:{run.step}:{key}")
    assert ana.remarks == ["old_button"]
