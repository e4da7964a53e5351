"""What was put aside or lies below is found again, also where its person or its step has gone meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from state_machine.programme.tables import FIRST_PEOPLE
from state_machine.turn.flow import Flow
from tests.talking import Story, label_to


def _names_mum(ana: Story) -> Story:
    """Mum has just been named in the talk about the first people, and her ring is asked for."""
    return _comes_to_it(ana).says("Mum")


def _comes_to_it(ana: Story) -> Story:
    """The day has come for the talk about the first people; it is asked for by name."""
    turn = Flow(ana.machines, ana.progress, ana.now)
    turn.open(FIRST_PEOPLE)
    ana.progress = turn.progress
    return ana.says("/start")


def _takes_off_mum(ana: Story) -> Story:
    ana.says("/people")
    for place in ("who_goes", "Mum", "removed"):
        ana.says(place if place == "Mum" else label_to(ana, place))
    return ana


def test_whoever_is_taken_off_while_a_talk_about_them_is_put_aside_is_asked_about_no_more(ana: Story) -> None:
    _takes_off_mum(_names_mum(ana).says("later"))
    assert [run.person for run in ana.progress.aside] == [None]
    for words in ("hello", "/start", "What comes next"):
        ana.says(words)
        assert ana.bubbles
    assert not any("Mum" in bubble for bubble in ana.bubbles)


def test_whoever_is_taken_off_in_the_middle_of_a_talk_about_them_goes_and_the_talk_begins_anew(ana: Story) -> None:
    _takes_off_mum(_names_mum(ana))
    assert ana.progress.people == ()
    assert ana.place == f"{FIRST_PEOPLE}#first_name"
    ana.says("Jen")
    assert ana.place == f"{FIRST_PEOPLE}#circle"
    assert "Jen" in ana.bubbles[-1]


def test_taking_one_off_leaves_what_was_told_of_the_others_and_no_way_back_to_them(ana: Story) -> None:
    _names_mum(ana)
    for words in ("Right beside me", "Most days", "Jen"):
        ana.says(words)
    _takes_off_mum(ana)
    assert ana.place == f"{FIRST_PEOPLE}#circle"
    assert [answer.fact.value for answer in ana.front.answers] == ["Jen"]
    ana.says("/back")
    assert ana.remarks == ["nothing_before"]


def test_what_lay_open_about_somebody_who_is_taken_off_is_closed(ana: Story) -> None:
    ana.knows("Mum").says("/people")
    ana.says(label_to(ana, "who_changes")).says("Mum")
    assert ana.place == "people/change#what"
    _takes_off_mum(ana)
    assert ana.place is None or not ana.place.startswith("people/")
    assert ana.says("hello").bubbles


@pytest.mark.parametrize("gone", [{"step": "a_step_that_was_renamed"}, {"person": 99}])
def test_what_was_put_aside_where_the_book_or_the_map_has_moved_on_begins_anew(
    ana: Story, gone: dict[str, object]
) -> None:
    _names_mum(ana).says("later")
    (run,) = ana.progress.aside
    ana.progress = replace(ana.progress, aside=(replace(run, **gone),))  # type: ignore[arg-type]
    _comes_to_it(ana.says("hello"))
    assert ana.place == f"{FIRST_PEOPLE}#first_name"
    assert ana.progress.aside == ()


def test_the_way_back_from_a_second_name_leads_to_the_first_person_again(ana: Story) -> None:
    _names_mum(ana)
    while ana.place != f"{FIRST_PEOPLE}#who_else":
        ana.says(ana.offers[0].label)
    ana.says("Jen")
    while ana.place != f"{FIRST_PEOPLE}#first_name":
        assert ana.says("/back").bubbles, ana.place
    assert ana.progress.people == ()
    ana.says("Ben")
    assert "Ben" in ana.bubbles[-1]
