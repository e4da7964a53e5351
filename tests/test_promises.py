"""Whatever a bubble says will come, comes: every promise of the book is played and waited for.

The second half finds words that promise something in bubbles of which the table of promises knows nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dialogues.book import Book
from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.effects import Say
from state_machine.model.events import Said, Woke
from state_machine.model.progress import Fact, Progress
from state_machine.programme.promises import PROMISES, Promise
from state_machine.programme.tables import ABOUT_A_PERSON, REPEATED, WELCOME
from state_machine.schedule import triggers
from state_machine.turn.builder import Turn
from state_machine.turn.flow import Flow
from state_machine.turn.machine import Machines
from tests.standing import NOW, answers, lives
from tests.talking import DAY_ONE, NOTHING_WRONG, SAD_WEEKS, Story, walk

A_WEEK = ("never", "daily", "three", "weekends")
"""How often a check-in was asked for before, in the lives in which promises are waited for."""
LIVELY = DAY_ONE | NOTHING_WRONG | SAD_WEEKS | {"eating": "yes"}
MOST_STEPS = 4000


def _life(machines: Machines, dialogue: str, check_ins: str) -> Progress:
    """Somebody in whose life the dialogue has just begun, and who has chosen how often a check-in comes."""
    if dialogue == WELCOME:
        return step(machines, Progress(), Said(NOW, "/start")).progress
    life = next(life for life in lives() if life.people or dialogue not in ABOUT_A_PERSON)
    facts = {**life.facts, "eating": Fact("Yes", NOW, "yes"), "remind_at": Fact("19:00", NOW, "19:00")}
    facts |= {"phone": Fact("Only mine", NOW, "own"), "remind_days": Fact(check_ins, NOW, check_ins)}
    begun = LONG_AGO if dialogue in {name for name, _, _ in REPEATED} else life.begun
    flow = Flow(machines, replace(life, facts=facts, heard=NOW, begun=begun), NOW)
    flow.open(dialogue, person=1 if dialogue in ABOUT_A_PERSON else None)
    return flow.progress


LONG_AGO = (NOW - timedelta(days=40)).date()
"""Day 1 of those who are asked what comes once a month."""


def _arrived(machines: Machines, place: str, check_ins: str) -> Progress:
    """How progress stands when `place` was just said, reached by as few answers as possible."""
    dialogue, _, name = place.partition("#")
    waiting, seen = [_life(machines, dialogue, check_ins)], set()
    for _ in range(MOST_STEPS):
        progress = waiting.pop(0)
        run = progress.runs[-1] if progress.runs else None
        if run is not None and (run.dialogue, run.step) == (dialogue, name):
            return progress
        if run is None or run.dialogue != dialogue or run.step in seen:
            continue
        seen.add(run.step)
        for words in answers(machines, progress, run):
            turn = step(machines, progress, Said(NOW, words))
            if place in _said(turn):
                return turn.progress
            waiting.append(turn.progress)
    raise AssertionError(f"no way to {place}")


def _said(turn: Turn) -> list[str]:
    return [f"{effect.run.dialogue}#{effect.run.step}" for effect in turn.effects if isinstance(effect, Say)]


def _kept_at(machines: Machines, prompts: Prompts, promise: Promise, progress: Progress) -> datetime | None:
    """When what was promised was said unasked, to somebody who answers whatever comes; None if not in time."""
    first = machines.script.dialogues[promise.kept_by].first if "#" not in promise.kept_by else ""
    awaited = promise.kept_by + (f"#{first}" if first else "")
    story = Story(machines, prompts, progress, NOW)
    _answers_all(story)
    since = story.now
    for _ in range(300):
        due = triggers.next_wake(machines.script, story.progress)
        if due is None or due > NOW + promise.latest + timedelta(hours=1):
            return None
        before = story.progress
        story._happens(Woke(due))
        assert story.turn is not None
        opened = {run.dialogue for run in story.progress.runs} - {run.dialogue for run in before.runs}
        if awaited in _said(story.turn) or (first and promise.kept_by in opened):
            return due
        _answers_all(story)
        done = story.progress.done.get(promise.kept_by)
        if done is not None and done.last > since:
            return due
    raise AssertionError("woken again and again")


def _answers_all(story: Story) -> None:
    """Answer what is open; a talk of danger is left to its silence."""
    if story.progress.runs and not story.script.dialogues[story.front.dialogue].safety:
        walk(story, LIVELY)


@pytest.mark.parametrize("check_ins", A_WEEK)
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.place)
def test_what_a_bubble_promises_comes_in_its_time(
    promise: Promise, check_ins: str, machines: Machines, prompts: Prompts
) -> None:
    progress = _arrived(machines, promise.place, check_ins)
    kept = _kept_at(machines, prompts, promise, progress)
    assert kept is not None, f"{promise.kept_by} has not come after {promise.latest}"
    slack = timedelta(minutes=30)  # the answers of the way to the end take their seconds
    assert promise.earliest - slack <= kept - NOW <= promise.latest + slack


def test_every_row_names_places_that_are_there(machines: Machines) -> None:
    for promise in PROMISES:
        for place in (promise.place, promise.kept_by):
            dialogue, _, name = place.partition("#")
            assert not name or name in machines.script.dialogues[dialogue].steps, place


# --- words that promise ------------------------------------------------------------------

AMOUNT = r"(?:an?|one|two|three|four|twelve|thirty|a few|that)"
PROMISING = re.compile(
    r"\bI(?:'ll| will| shall|'m going to)\b"
    r"|\b(?:comes?|comes? back|asks?|asked|turns? up|says?|said|say it|told) again\b"
    r"|\b(?:I|we) look(?:ing)? in\b|\blook in\b|\bonce more\b|\blater (?:I|we)\b|\bremind you\b"
    r"|\bnext (?:time|morning|evening|day|week|month|year|check-in)\b|\btomorrow\b|\b(?:un)?till? (?:then|you)\b"
    rf"|\b(?:in|within|for) {AMOUNT} (?:minute|hour|day|week|month|year|quiet week)s?\b|\bwithin the week\b"
    r"|\b(?:every|each|once an?) (?:hour|day|evening|morning|week|month|year)\b|\bevery two weeks\b"
    r"|\banother (?:day|evening|morning|time)\b|\bfrom now\b|\b(?:week|month|day)s? off\b|\bwrite first\b"
    r"|\bquiet weeks?\b|\bnext is\b|\bcomes? in place\b",
    re.IGNORECASE,
)
"""Words with which a bubble may say that something will come by itself."""
HELD_BY = {
    "always/remind#what": "test_what_was_announced.py::test_what_comes_is_what_today_said",
    "what_comes_next": "test_what_was_announced.py::test_what_comes_is_what_today_said",
    "next_check_in": "test_what_was_announced.py::test_what_comes_is_what_today_said",
    "instead_of_check_in": "test_what_was_announced.py::test_a_part_that_comes_in_place_of_the_check_in_says_so",
    "always/gentle_word#a_word": "test_what_was_announced.py"
    "::test_after_the_second_gentle_word_it_says_that_it_stays_quiet_and_it_does",
    "always/gentle_word#two_taps": "test_what_was_announced.py"
    "::test_after_the_second_gentle_word_it_says_that_it_stays_quiet_and_it_does",
    "always/gentle_word#rest": "test_what_was_announced.py"
    "::test_whoever_chose_to_rest_and_then_chooses_an_hour_is_written_to_at_that_hour",
    "always/back_again#rest": "test_what_was_announced.py"
    "::test_whoever_chose_to_rest_and_then_chooses_an_hour_is_written_to_at_that_hour",
    "always/why#silent_days": "test_stories_of_time.py"
    "::test_whoever_does_not_answer_gets_a_gentle_word_after_three_and_ten_days_and_then_nothing",
    "always/pause#how_long": "test_stories_of_time.py"
    "::test_during_a_pause_nobody_is_written_to_first_and_answers_come_as_always",
    "always/pause#a_week": "test_stories_of_time.py"
    "::test_during_a_pause_nobody_is_written_to_first_and_answers_come_as_always",
    "always/pause#two_weeks": "test_stories_of_time.py"
    "::test_during_a_pause_nobody_is_written_to_first_and_answers_come_as_always",
    "always/pause#until_i_write": "test_year_of_silence.py::test_of_somebody_who_paused_until_they_write",
    "always/retention#a_year": "test_year_of_silence.py::test_of_somebody_who_simply_stopped",
    "always/retention#stay": "test_year_of_silence.py::test_whoever_lets_it_stay_is_told_again_after_another_year",
    "always/looking_back#not_so": "test_looking_back.py"
    "::test_after_something_was_told_there_is_a_week_of_nothing_and_a_month_without_the_same",
    "gates/person#believed": "test_closed_gate.py::test_every_other_dialogue_speaks_as_if_they_were_not_there",
    "gates/person#it_can_stop": "test_closed_gate.py::test_every_other_dialogue_speaks_as_if_they_were_not_there",
    "people/died#who_is_with_you": "test_a_widower.py::test_whoever_is_said_to_be_dead_is_asked_about_no_more",
}
"""By place, the test that waits for what can't be waited for here: silence, what is counted out, the erasure."""
AT_ONCE = "happens in the same conversation"
OF_THEIRS = "about what the client, or somebody else, may do"
NO_PROMISE = {
    "always/export#what_it_holds": AT_ONCE,
    "gates/person#before": "says where the questions stand",
    "gates/person#yes_before": "says where the questions stand",
    "people/remove#is_it_right": "says what is not changed",
    "always/check_in#close": "about moments",
    "always/check_in#done_with_nobody": AT_ONCE,
    "always/harm_to_others#a_voice_says_so": OF_THEIRS,
    "always/help#page": "what a command is for",
    "always/pause#not_paused": "says that nothing changes",
    "always/plan_making#live_for": "tomatoes",
    "always/sos#again": "about what was said",
    "always/sos#the_doctor": OF_THEIRS,
    "always/sos#the_one_you_trust": OF_THEIRS,
    "always/under_18#grown_up": "says what will not be asked",
    "assessment/is_it_for_me#baby_today": OF_THEIRS,
    "fault": OF_THEIRS,
    "kept": AT_ONCE,
    "late_button": OF_THEIRS,
    "measures/phq_9#hello": "a choice",
    "name_of_who_died": OF_THEIRS,
    "not_followed": OF_THEIRS,
    "not_in_the_plan_yet": OF_THEIRS,
    "people/change#renamed": AT_ONCE,
    "people/map#who_goes": AT_ONCE,
    "to_anger": AT_ONCE,
    "weekly/still_to_come#waits": "says that nothing comes by itself",
}
"""By place, why words of the list promise nothing there."""


def sentences(wording: str) -> Iterator[str]:
    """The sentences of ours in a bubble that state something: no questions, nothing in quotation marks."""
    own = re.sub(r"“[^”]*”|\"[^\"]*\"", "…", re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", wording.replace("’", "'")))
    for sentence in re.split(r"(?<=[.?!:])\s+", own):
        if not sentence.strip().endswith("?"):
            yield sentence.strip()


def promising(book: Book) -> dict[str, list[str]]:
    """The sentences with promising words, by place: `dialogue#step`, or the name of a refrain."""
    bubbles = [(f"{d.name}#{s.name}", b) for d in book.read.values() for s in d.steps.values() for b in s.bubbles]
    found: dict[str, list[str]] = {}
    for place, bubble in (*bubbles, *book.refrain_bubbles.items()):
        for wording in bubble.wordings:
            found.setdefault(place, []).extend(each for each in sentences(wording) if PROMISING.search(each))
    return {place: told for place, told in found.items() if told}


def test_no_bubble_promises_anything_that_the_table_does_not_know(book: Book) -> None:
    known = {promise.place for promise in PROMISES} | HELD_BY.keys() | NO_PROMISE.keys()
    unknown = {place: told for place, told in promising(book).items() if place not in known}
    assert not unknown, "\n" + "\n".join(f"{place}: {told}" for place, told in sorted(unknown.items()))


def test_every_exception_is_still_needed_and_every_test_it_names_is_there(book: Book) -> None:
    listed = [*HELD_BY, *NO_PROMISE]
    assert len(set(listed)) == len(listed)
    assert set(listed) <= promising(book).keys(), set(listed) - promising(book).keys()
    for named in HELD_BY.values():
        file, _, test = named.partition("::")
        assert f"def {test}(" in (Path(__file__).parent / file).read_text(), named


@pytest.mark.parametrize(
    ("words", "promises"),
    [
        ("I'll write tomorrow.", True),
        ("The nine come again in two weeks.", True),
        ("We look in next morning.", True),
        ("It's asked every month.", True),
        ("May I look in tomorrow?", False),
        ("Say “I'll come tomorrow” to them.", False),
        ("{% if mood %}A low one.{% endif %}", False),
    ],
)
def test_the_list_of_words_finds_promises_and_leaves_questions_and_quotations_alone(
    words: str, promises: bool
) -> None:
    assert any(PROMISING.search(each) for each in sentences(words)) == promises
