"""What stands out in the check-ins is told with its numbers, seldom, and never from a handful of taps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from dialogues.rendering.prompts import Prompts
from state_machine.model.outgoing import Priority
from state_machine.model.progress import Answer, CheckIn, Done, Fact, Progress, Run
from state_machine.programme.tables import CHECK_IN, LOOKING_BACK, LOW_WEEK, SOS
from state_machine.rules import mood_trends
from state_machine.rules.scales import PHQ_9
from state_machine.turn.machine import Machines
from tests.talking import DAY_ONE, Story

TODAY = date(2026, 5, 31)
NOW = datetime(2026, 5, 31, 19, 0, tzinfo=UTC)


def days(*moods: int, moment: str = "talked", since: int = 0) -> tuple[CheckIn, ...]:
    """One check-in a day, the last of them `since` days ago."""
    last = TODAY - timedelta(days=since)
    first = last - timedelta(days=len(moods) - 1)
    return tuple(
        CheckIn(at + 1 + 100 * since, first + timedelta(days=at), mood, moment) for at, mood in enumerate(moods)
    )


def told(check_ins: tuple[CheckIn, ...], **done: Done) -> str | None:
    return mood_trends.stands_out(Progress(check_ins=check_ins, done=done), TODAY)


LONELY = (*days(6, 7, 6, 5, 7, 6, 6, since=5), *days(3, 2, 3, 3, 2, moment="alone"))


def test_a_kind_of_moment_that_goes_with_low_numbers_stands_out() -> None:
    assert told(LONELY) == "alone"
    assert mood_trends.pattern(LONELY, "alone", TODAY) == mood_trends.MoodTrend("alone", 5, 2.6, 7, 43 / 7)


def test_so_does_a_weekday() -> None:
    moods = [2 if (TODAY - timedelta(days=at)).weekday() == 6 else 6 for at in reversed(range(28))]
    assert told(days(*moods)) == "6"
    assert mood_trends.pattern(days(*moods), "6", TODAY) == mood_trends.MoodTrend("6", 4, 2, 24, 6)


@pytest.mark.parametrize(
    "check_ins",
    [
        (),
        days(5),
        (*days(6, 7, 6, 5, 7, 6, 6, since=3), *days(3, 2, 3, moment="alone")),
        (*days(6, 7, 6, 5, 7, since=5), *days(3, 2, 3, 3, 2, moment="alone")),
        (*days(6, 6, 6, 6, 6, 6, 6, since=5), *days(5, 5, 5, 5, 5, moment="alone")),
        (*days(9, 2, 8, 10, 3, 9, 7, since=4), *days(0, 9, 1, 8, moment="alone")),
        (*days(6, 7, 6, 5, 7, 6, 6, since=5), *days(3, 2, 3, 3, 2, moment="something_else")),
        (*LONELY, CheckIn(999, TODAY, 6, "helped")),
    ],
    ids=["none", "one", "three of them", "few others", "near", "up and down", "something else", "another moment now"],
)
def test_too_few_too_near_or_too_mixed_is_nothing(check_ins: tuple[CheckIn, ...]) -> None:
    assert told(check_ins) is None


def test_what_lies_more_than_eight_weeks_back_counts_no_more() -> None:
    old = tuple(CheckIn(one.run, one.day - timedelta(weeks=8), one.mood, one.moment) for one in LONELY)
    assert told(old) is None


def test_after_something_was_told_there_is_a_week_of_nothing_and_a_month_without_the_same() -> None:
    def done(days_ago: int) -> Done:
        return Done(1, NOW - timedelta(days=days_ago), "not_so", 7, day=TODAY - timedelta(days=days_ago))

    assert told(LONELY, **{"pattern:talked": done(6)}) is None
    assert told(LONELY, **{"pattern:talked": done(7)}) == "alone"
    assert told(LONELY, **{"pattern:alone": done(27)}) is None
    assert told(LONELY, **{"pattern:alone": done(28)}) == "alone"


def test_the_same_days_are_not_told_of_twice_under_two_names() -> None:
    sundays = tuple(
        CheckIn(at, TODAY - timedelta(days=at), 2 if lonely else 6, "alone" if lonely else "talked")
        for at in reversed(range(28))
        for lonely in [(TODAY - timedelta(days=at)).weekday() == 6]
    )
    week_ago = Done(1, NOW - timedelta(days=7), "fits", 7, day=TODAY - timedelta(days=7))
    assert told(sundays) in {"6", "alone"}
    assert told(sundays, **{"pattern:alone": week_ago}) is None
    assert told(sundays, **{"pattern:6": week_ago}) is None


def test_numbers_that_only_go_up_and_down_seldom_stand_out() -> None:
    dice = Random(5)  # noqa: S311
    moments = ("talked", "alone", "quarrelled", "helped", "close")
    found = 0
    for _ in range(300):
        check_ins = tuple(
            CheckIn(at, TODAY - timedelta(days=40 - at), dice.randint(2, 8), dice.choice(moments)) for at in range(41)
        )
        found += told(check_ins) is not None
    assert found / 300 < 0.08


def run(number: int, mood: str | None, moment: str | None = None, day: date | None = None) -> Run:
    given = {"mood": mood, "day_moment": moment}
    answers = tuple(Answer(name, Fact("in words", NOW, code), name) for name, code in given.items() if code)
    return Run(number, "always/check_in", "done", NOW, NOW, answers, day=day)


def test_a_changed_check_in_takes_the_place_of_the_first_one() -> None:
    kept = mood_trends.noted((), run(1, "3", "alone"), TODAY)
    kept = mood_trends.noted(kept, run(2, "6"), TODAY)
    kept = mood_trends.noted(kept, run(1, "5", "talked", TODAY - timedelta(days=1)), TODAY)
    assert kept == (CheckIn(2, TODAY, 6), CheckIn(1, TODAY - timedelta(days=1), 5, "talked"))
    assert mood_trends.noted(kept, run(1, None), TODAY) == (CheckIn(2, TODAY, 6),)
    assert mood_trends.without(kept, 2) == kept[1:]


def test_only_the_latest_are_kept() -> None:
    kept: tuple[CheckIn, ...] = ()
    for number in range(mood_trends.MOST_KEPT + 5):
        kept = mood_trends.noted(kept, run(number, "5"), TODAY)
    assert [one.run for one in kept] == list(range(5, mood_trends.MOST_KEPT + 5))


# --- in the chat ---------------------------------------------------------------------------


@pytest.fixture
def ana(machines: Machines, prompts: Prompts) -> Story:
    """Ana after her first week, whose every Sunday is lonely."""
    story = Story(machines, prompts).says("/start").answers(DAY_ONE)
    story.now = NOW - timedelta(minutes=1)
    moods = [2 if (TODAY - timedelta(days=at)).weekday() == 6 else 6 for at in reversed(range(1, 28))]
    lately = days(*moods, since=1)
    story.progress = replace(story.progress, check_ins=lately, heard=NOW - timedelta(hours=20))
    return story


def checks_in(story: Story, **answers: str) -> Story:
    story.says("/checkin")
    return story.answers({"mood": "3", "day_moment": "alone", **answers}, until=LOOKING_BACK)


def test_on_a_sunday_ana_is_told_of_her_sundays_and_says_what_they_are_about(ana: Story) -> None:
    checks_in(ana)
    kept, told, asked = ana.bubbles[-3:]
    assert kept
    assert [word in told for word in ("Sundays", " 4 ", " 24", "two", "six")] == [True] * 5
    assert asked.endswith("?")
    ana.says("It fits")
    assert "Sundays" in ana.bubbles[0]
    ana.says("I call nobody, and nobody calls")
    assert not ana.progress.runs
    entry = max(ana.entries.values(), key=lambda one: one.run)
    assert [answer.fact.value for answer in entry.answers] == ["I call nobody, and nobody calls"]


def test_a_week_goes_by_before_anything_is_told_again(ana: Story) -> None:
    checks_in(ana).says("Not really")
    assert not ana.progress.runs
    ana.now += timedelta(days=1)
    checks_in(ana)
    assert not ana.progress.runs


def test_after_a_low_number_there_is_company_first_and_nothing_is_counted_out(ana: Story) -> None:
    ana.says("/checkin").answers({"mood": "2", "day_moment": "alone"}, until=LOOKING_BACK)
    assert not ana.progress.runs


def test_when_the_check_ins_are_deleted_meanwhile_nothing_breaks(ana: Story) -> None:
    checks_in(ana)
    ana.progress = replace(ana.progress, check_ins=())
    ana.says("what?").says("It fits").says("Skip")
    assert not ana.progress.runs


def test_a_deleted_check_in_counts_no_more(ana: Story) -> None:
    checks_in(ana).says("Not really")
    before = len(ana.progress.check_ins)
    ana.now += timedelta(hours=2)
    ana.says("/checkin").says("Delete the last").says("Delete it")
    assert len(ana.progress.check_ins) == before - 1


# --- a low week ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "week", "low"),
    [
        ((6, 6, 5, 7, 6, 6, 7), (3, 4, 4, 3), True),
        ((6, 6, 5, 7, 6, 6, 7), (2, 6, 6, 6, 6), False),
        ((6, 6, 5, 7, 6, 6, 7), (1, 1, 1), False),
        ((6, 6, 5, 7, 6, 6), (3, 3, 3, 3), False),
        ((2, 3, 2, 2, 3, 2, 2), (1, 2, 1, 2), False),
        ((6, 6, 5, 7, 6, 6, 7), (7, 8, 7, 8), False),
    ],
    ids=["low", "one bad day", "three days", "too little before", "low as ever", "better"],
)
def test_a_low_week_is_well_under_their_own_usual(before: tuple[int, ...], week: tuple[int, ...], low: bool) -> None:
    assert mood_trends.is_low_week((*days(*before, since=7), *days(*week)), TODAY) is low


def test_one_evening_with_many_check_ins_is_one_evening() -> None:
    evening = tuple(CheckIn(500 + at, TODAY, 1) for at in range(6))
    assert not mood_trends.is_low_week((*days(6, 6, 5, 7, 6, 6, 7, since=7), *evening), TODAY)


@pytest.fixture
def low(ana: Story) -> Story:
    """Ana in a low week after six fair ones."""
    ana.progress = replace(ana.progress, check_ins=(*days(*[6] * 20, since=7), *days(3, 3, 4, since=1)))
    return ana


def test_after_a_low_week_comes_one_plain_question_and_after_a_no_the_plan_or_the_nine(
    low: Story,
) -> None:
    low.says("/checkin").answers({"mood": "3", "day_moment": "alone"}, until=SOS)
    assert low.place == f"{SOS}#asked_after_a_low_week"
    assert low.turn is not None
    assert low.turn.priority is Priority.SAFETY
    low.says("No")
    assert low.place == f"{LOW_WEEK}#two_things"
    low.says("Nine questions about the last two weeks")
    assert low.front.dialogue == PHQ_9.dialogue


def test_a_yes_goes_on_with_the_numbers(low: Story) -> None:
    low.says("/checkin").answers({"mood": "3", "day_moment": "alone"}, until=SOS)
    low.says("Yes, but I am not going to act now")
    assert low.place == f"{SOS}#thoughts_first"
    assert any("Samaritans" in bubble for bubble in low.bubbles)


def test_a_low_evening_lands_first_and_is_asked_about_then(low: Story) -> None:
    low.says("/checkin").answers({"mood": "2", "day_moment": "alone"}, until=f"{CHECK_IN}#landing")
    low.says("Someone is here")
    assert low.place == f"{SOS}#asked_after_a_low_week"


def test_it_is_asked_once_in_a_fortnight_and_not_about_yesterday(low: Story) -> None:
    low.says("/checkin").answers({"mood": "3", "day_moment": "alone"}, until=SOS)
    low.says("No").says("Neither today")
    low.now += timedelta(days=1)
    low.says("/checkin").answers({"mood": "3", "day_moment": "alone"}, until=SOS)
    assert not low.progress.runs
