"""What /today says comes, and nothing else; nothing takes a check-in's place unsaid; nothing is offered for ever."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import product

import pytest

from dialogues.rendering.prompts import Prompts
from state_machine.model.context import Context
from state_machine.model.effects import Say
from state_machine.model.events import Woke
from state_machine.model.progress import Done, Fact
from state_machine.programme.tables import (
    CHECK_IN,
    EATING_GATE,
    FIRST_PEOPLE,
    GAD_7,
    GENTLE_WORD,
    HOME,
    PHQ_9,
    SOS,
    SUITABILITY,
    TODAY,
)
from state_machine.schedule import agenda, precedence, triggers
from state_machine.turn.machine import Machines
from tests.talking import DAY_ONE, NOTHING_WRONG, SAD_WEEKS, START, Story, label_to, walk

LIVELY = NOTHING_WRONG | SAD_WEEKS | {"mood": "6"}
PUT_OFF = {PHQ_9, GAD_7, FIRST_PEOPLE, EATING_GATE}
"""Parts with a button that puts them off."""


def asked_daily(story: Story, at: str, days: str = "daily") -> Story:
    """They have chosen to be asked for a check-in at that hour."""
    facts = {"remind_days": Fact(days, story.now, days), "remind_at": Fact(at, story.now, at)}
    story.progress = replace(story.progress, facts={**story.progress.facts, **facts})
    return story


def done(story: Story, *names: str, on: date | None = None) -> Story:
    """They have been through these parts already."""
    past = Done(1, story.now, "done", 0, day=on or story.now.date())
    story.progress = replace(story.progress, done={**story.progress.done, **dict.fromkeys(names, past)}, runs=())
    return story


def comes(story: Story) -> tuple[datetime, str] | None:
    """Let time pass until something is said unasked: when it was due, and which dialogue stands in front."""
    for _ in range(60):
        due = triggers.next_wake(story.script, story.progress)
        if due is None or due > story.now + timedelta(days=40):
            return None
        before = story.progress.unasked
        story._happens(Woke(max(due, story.now)))
        if story.progress.unasked != before and story.progress.unasked is not None:
            return story.progress.unasked.due, story.front.dialogue if story.progress.runs else ""
    raise AssertionError("woken again and again")


def puts_off(story: Story) -> Story:
    """Put off whatever is open, by its own button or by *later*; a check-in is done."""
    while story.progress.runs:
        if story.front.dialogue in PUT_OFF:
            target = "put_off" if "put_off" in _steps(story) else "not_today"
            story.says(label_to(story, target))
        elif story.front.dialogue in {CHECK_IN, SUITABILITY, GENTLE_WORD}:
            walk(story, LIVELY, until=_next_to_put_off(story))
        else:
            story.says("later")
    return story


def _steps(story: Story) -> set[str]:
    return set(story.script.dialogues[story.front.dialogue].steps)


def _next_to_put_off(story: Story) -> str:
    return PHQ_9 if story.front.dialogue == SUITABILITY else FIRST_PEOPLE


# --- offered again -----------------------------------------------------------------------


@pytest.mark.parametrize("hour", ["07:30", "18:00", "20:30"])
def test_a_scale_that_is_put_off_never_takes_the_place_of_the_check_in_for_long(hour: str, ana: Story) -> None:
    asked_daily(ana, hour)
    came: Counter[str] = Counter()
    while ana.now < START + timedelta(days=20):
        found = comes(ana)
        assert found is not None
        came[found[1]] += 1
        puts_off(ana)
    assert came[CHECK_IN] >= 12
    assert all(times <= 3 for name, times in came.items() if name in PUT_OFF), came


@pytest.mark.parametrize("part", [PHQ_9, GAD_7, FIRST_PEOPLE])
def test_what_is_put_off_is_offered_again_twice_and_then_rests_until_its_turn(part: str, ana: Story) -> None:
    contents = {each.dialogue for each in ana.script.contents if each.dialogue} - {part}
    planned = {agenda.planned_key(each) for each in ana.script.contents if each.dialogue is None}
    done(ana, *contents, *planned)
    came: list[date] = []
    while ana.now < START + timedelta(days=60):
        found = comes(ana)
        if found is None:
            break
        if ana.front.dialogue == part:
            came.append(found[0].date())
        puts_off(ana)
    turn = {PHQ_9: 14, GAD_7: 28, FIRST_PEOPLE: 7}[part]
    apart = [(later - came[0]).days for later in came]
    assert apart[:3] == [0, 1, 2]
    assert turn <= apart[3] <= turn + 1
    assert apart[4:6] == [apart[3] + 1, apart[3] + 2]


def test_what_is_only_left_with_later_is_not_offered_for_ever_either(ana: Story) -> None:
    came = []
    while ana.now < START + timedelta(days=12):
        found = comes(ana)
        if found is None:
            break
        came.append(ana.front.dialogue)
        while ana.progress.runs:
            ana.says("later")
    assert came.count(SUITABILITY) <= 3 + 1, came
    assert PHQ_9 in came, "what comes after it is not held up"


def test_the_questions_about_eating_come_again_the_next_day_though_a_check_in_is_asked_for(ana: Story) -> None:
    everything = (each.dialogue or agenda.planned_key(each) for each in ana.script.contents)
    done(asked_daily(ana, "18:00"), *everything, on=ana.now.date() - timedelta(days=1))
    ana.progress = replace(
        ana.progress,
        begun=ana.now.date() - timedelta(days=40),
        facts={**ana.progress.facts, "eating": Fact("Yes", ana.now, "yes")},
    )
    while (first := comes(ana)) is not None and first[1] != EATING_GATE:
        walk(ana, LIVELY)
    assert first is not None
    ana.passes(hours=11)
    assert not ana.progress.runs, "silence has put it off"
    assert EATING_GATE not in ana.progress.done
    second = comes(ana)
    assert second is not None
    assert (second[1], (second[0] - first[0]).days) == (EATING_GATE, 1)


# --- /today ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("look_in", "hour", "days"),
    product(("09:00", "18:00", "20:30", "never"), ("09:00", "18:00"), ("daily", "three", "weekends", "never")),
)
def test_what_comes_is_what_today_said(
    look_in: str, hour: str, days: str, machines: Machines, prompts: Prompts
) -> None:
    story = Story(machines, prompts).says("/start").answers({**DAY_ONE, "look_in": look_in})
    asked_daily(story, hour, days)
    for _ in range(24):
        story.now += timedelta(hours=1)
        story.says("/today").says("All right")
        talk = precedence.next_talk(story.script, story.progress)
        check_in = precedence.next_check_in(story.script, story.progress)
        announced = min((at for at in (talk, check_in) if at is not None), default=None)
        found = comes(story)
        if found is None:
            assert announced is None
            return
        reason = story.progress.unasked.reason if story.progress.unasked else ""
        if reason == "gentle_word":
            assert announced is None or announced > found[0]
        else:
            assert found[0] == announced
            assert reason == ("talk" if found[0] == talk else "check_in")
        walk(story, LIVELY)


def test_there_is_one_unasked_message_a_day_whatever_the_hours(machines: Machines, prompts: Prompts) -> None:
    for look_in, hour in product(("09:00", "18:00", "20:30"), ("08:30", "18:00", "21:00")):
        story = Story(machines, prompts).says("/start").answers({**DAY_ONE, "look_in": look_in})
        asked_daily(story, hour)
        dates = []
        while story.now < START + timedelta(days=25):
            found = comes(story)
            assert found is not None
            dates.append(found[0].date())
            if len(dates) % 4:  # now and then nobody answers
                walk(story, LIVELY)
        assert len(dates) == len(set(dates))


def test_a_part_that_comes_in_place_of_the_check_in_says_so(ana: Story) -> None:
    asked_daily(ana, "18:00")
    found = comes(ana)
    assert found is not None
    assert (found[1], ana.remarks) == (SUITABILITY, ["instead_of_check_in"])
    walk(ana, LIVELY)
    assert ana.passes(hours=10) == [], "and the check-in does not come as well"
    ana.says("/today")
    assert "tomorrow at 18:00" in ana.bubbles[1]


def test_a_quiet_note_says_it_when_it_is_opened(machines: Machines, prompts: Prompts) -> None:
    story = Story(machines, prompts).says("/start").answers({**DAY_ONE, "phone": "shared"})
    asked_daily(story, "18:00")
    comes(story)
    assert len(story.bubbles) == 1
    story.says("Open it")
    assert "/checkin" in story.bubbles[0]
    assert story.front.dialogue == SUITABILITY


def test_on_day_1_today_offers_nothing_to_start(ana: Story) -> None:
    ana.says("/today")
    assert ana.place == f"{TODAY}#next_things"
    assert "now" not in {way.target for way in ana.script.dialogues[TODAY].steps[ana.front.step].ways}
    assert "tomorrow at 09:00" in ana.bubbles[0]


@pytest.mark.parametrize("day", range(1, 12))
@pytest.mark.parametrize("answering", [True, False])
def test_whatever_today_offers_to_start_opens(day: int, answering: bool, ana: Story) -> None:
    while ana.now < START + timedelta(days=day):
        if comes(ana) is None:
            break
        if answering:
            walk(ana, LIVELY)
        else:
            puts_off(ana)
    ana.says("/today")
    if ana.front.dialogue == TODAY and ana.front.step == "ready":
        ana.says("Start now")
        assert not ana.progress.runs or ana.front.dialogue not in {TODAY, HOME}
        assert not ana.remarks


def test_a_part_that_rests_can_still_be_started(ana: Story) -> None:
    ana.passes(days=1)
    walk(ana, LIVELY, until=PHQ_9)
    ana.says(label_to(ana, "put_off"))
    ana.says("/today")
    assert "Nine questions" in ana.bubbles[0]
    ana.says("Start now")
    assert ana.front.dialogue == PHQ_9


def test_next_where_nothing_is_due_tells_what_comes_and_when(ana: Story) -> None:
    done(ana, SUITABILITY, PHQ_9)
    ana.says("hello")
    assert ana.front.dialogue == HOME
    ana.says(label_to(ana, "next"))
    assert ana.place == f"{TODAY}#next_things"


def test_the_gentle_word_offers_no_next_piece_where_there_is_none(ana: Story) -> None:
    done(ana, *(each.dialogue or agenda.planned_key(each) for each in ana.script.contents))
    while (found := comes(ana)) is not None and found[1] != GENTLE_WORD:
        pass
    assert ana.front.step == "two_taps"


def test_a_note_whose_part_is_done_meanwhile_tells_what_comes(machines: Machines, prompts: Prompts) -> None:
    story = Story(machines, prompts).says("/start").answers({**DAY_ONE, "phone": "shared"})
    comes(story)
    note = story.front
    done(story, SUITABILITY, PHQ_9)
    story.progress = replace(story.progress, runs=(note,))
    story.says("Open it")
    assert story.front.dialogue == TODAY


# --- after danger, after a rest, after an hour -------------------------------------------


def test_the_look_in_of_day_1_comes_though_they_were_not_sure_about_ending_their_life(
    machines: Machines, prompts: Prompts
) -> None:
    story = Story(machines, prompts).says("/start").answers({**DAY_ONE, "felt": "hopeless"}, until=SOS)
    story.answers({"danger": "unsure"}, until=f"{SOS}#thoughts_first")
    story.says("Not now").says("All right").says("No")
    story.answers(DAY_ONE)
    assert story.progress.done[SOS].outcome == "landed"
    found = comes(story)
    assert found is not None
    assert (found[1], found[0] - START < timedelta(days=1, hours=1)) == (SUITABILITY, True)


def test_exercises_rest_for_three_days_after_danger_and_today_knows_it_and_check_ins_go_on(ana: Story) -> None:
    done(asked_daily(ana, "18:00"), SUITABILITY, PHQ_9)
    told = Done(1, ana.now, "landed", 1, day=ana.now.date())
    ana.passes(days=2)
    ana.says("/today").says("All right")
    ana.progress = replace(ana.progress, runs=(), done={**ana.progress.done, SOS: replace(told, last=ana.now)})
    talk = precedence.next_talk(ana.script, ana.progress)
    check_in = precedence.next_check_in(ana.script, ana.progress)
    assert talk is not None
    assert check_in is not None
    assert talk - ana.now >= timedelta(hours=72)
    assert check_in - ana.now < timedelta(days=1)


def test_whoever_chose_to_rest_and_then_chooses_an_hour_is_written_to_at_that_hour(ana: Story) -> None:
    done(ana, SUITABILITY, PHQ_9)
    ana.progress = replace(ana.progress, suspended=True)
    ana.says("/remind").says("Every day").says("18:00")
    assert not ana.progress.suspended
    found = comes(ana)
    assert found is not None
    assert found[1] == CHECK_IN


def test_an_hour_later_is_an_hour_later_though_they_wrote_meanwhile(ana: Story) -> None:
    ana.passes(days=1)
    ana.progress = replace(ana.progress, runs=())
    ana.says("/checkin").says("Not now").says(label_to(ana, "in_an_hour"))
    put_off = ana.now
    ana.passes(minutes=30)
    ana.says("/people").says("Leave it")
    found = comes(ana)
    assert found is not None
    assert (found[0] - put_off, found[1]) == (timedelta(hours=1), CHECK_IN)


def test_not_now_is_asked_again_in_two_weeks_though_nothing_was_due_for_long(ana: Story) -> None:
    done(ana, *(each.dialogue or agenda.planned_key(each) for each in ana.script.contents))
    ana.progress = replace(ana.progress, done={SUITABILITY: ana.progress.done[SUITABILITY]})
    ana.now += timedelta(days=30)
    ana.says("hello").says("Yes, as before").says("is it for me").answers({**NOTHING_WRONG, "voices": "yes"})
    assert ana.progress.phase == "not_now"
    asked = ana.now
    ana.progress = replace(ana.progress, slots={**ana.progress.slots, "talk": asked - timedelta(days=25)})
    due = precedence.next_talk(ana.script, ana.progress)
    assert due is not None
    assert timedelta(days=13) < due - asked < timedelta(days=15)


def test_after_the_second_gentle_word_it_says_that_it_stays_quiet_and_it_does(ana: Story) -> None:
    walk(ana.says("/checkin"), {"mood": "6"})
    words = []
    for _ in range(2):
        while (found := comes(ana)) is not None and found[1] != GENTLE_WORD:
            pass
        words.append(" ".join(ana.bubbles))
    assert ["stay quiet" in each for each in words] == [False, True]
    assert comes(ana) is None


def test_nine_questions_come_every_two_weeks_and_the_seven_every_four(ana: Story) -> None:
    filled: dict[str, list[int]] = {PHQ_9: [], GAD_7: []}
    while ana.now < START + timedelta(days=75):
        before = ana.progress.done
        assert comes(ana) is not None
        walk(ana, LIVELY)
        for name, days in filled.items():
            if name in ana.progress.done and ana.progress.done[name] != before.get(name):
                days.append((ana.now - START).days + 1)
    assert filled == {PHQ_9: [2, 16, 30, 44, 58, 72], GAD_7: [6, 34, 62]}


def test_a_bubble_about_what_comes_is_said_of_the_same_instant(ana: Story) -> None:
    """What the words are made of is what the rules are asked."""
    asked_daily(ana, "18:00").says("/today")
    says = next(effect for effect in (ana.turn.effects if ana.turn else ()) if isinstance(effect, Say))
    context = Context(ana.script, says.progress, says.run, ana.now)
    assert agenda.written_about(context, (START + timedelta(days=1)).date()) is not None
    assert "in place of the check-in" in ana.bubbles[0]
