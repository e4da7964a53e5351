"""What silence brings in the talks about danger: one line, one look-in, a last word; or nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dialogues.lines import Lines
from dialogues.prompts import Prompts
from state_machine import occasions
from state_machine.chart import Charts
from state_machine.engine import step
from state_machine.events import Said, Woke
from state_machine.flow import Flow
from state_machine.programme import SOS, UNDER_18
from state_machine.progress import Fact, Progress
from tests.endangered import (
    CHILD_AT_RISK,
    EVENING,
    HELP,
    KNOWN,
    NO_ALARM,
    READ_ALONG,
    SAFETY,
    Opening,
    opened,
    words_of,
)

UNWATCHED = {"always/violence", CHILD_AT_RISK}
"""Talks about somebody who may read along: silence is left alone there, and nothing is sent unasked."""
A_LINE_TOO = {SOS, "always/harm_to_others", "always/someone_else"}
"""Talks in which the word after silence brings one crisis line beside the number."""
FOLLOWED = [talk for talk in SAFETY if talk not in UNWATCHED | NO_ALARM]


def test_no_talk_ends_by_itself_before_three_silent_days(charts: Charts) -> None:
    for talk in SAFETY:
        if talk in NO_ALARM | {UNDER_18}:
            continue
        for facts in (KNOWN, READ_ALONG, {}):
            flow = Flow(charts, Progress(consent="1 2026-03-01", facts=facts), EVENING)
            flow.open(talk, because="explicit")
            progress, closed_at = flow.progress, EVENING
            for _ in range(9):
                due = occasions.silence_due(charts.script, progress)
                if due is None:
                    break
                closed_at = due
                progress = step(charts, progress, Woke(due)).progress
            assert not any(run.dialogue == talk for run in progress.runs)
            assert closed_at - EVENING >= timedelta(hours=72), talk


@pytest.mark.parametrize("talk", FOLLOWED)
def test_silence_is_followed_up_by_one_line_one_look_in_and_a_last_word(
    talk: str, charts: Charts, prompts: Prompts
) -> None:
    dublin = ZoneInfo("Europe/Dublin")
    zoned = {**KNOWN, "zone": Fact("Europe/Dublin", EVENING, "Europe/Dublin")}
    first, *others = (row.name for row in Lines.read().card("IE", EVENING.date()).crisis)
    assert others
    for here in charts.script.dialogues[talk].steps.values():
        if here.silence is None or here.silence.target != "a_while_later":
            continue
        entry = opened(charts, prompts, Opening(zoned, talk, "")).progress
        run = replace(entry.runs[-1], step=here.name, asked=EVENING)
        progress = replace(entry, runs=(run,))
        heard: list[tuple[datetime, tuple[str, ...]]] = []
        while any(r.dialogue == talk for r in progress.runs):
            due = occasions.silence_due(charts.script, progress)
            assert due is not None
            turn = step(charts, progress, Woke(due))
            heard.append((due, words_of(prompts, turn, due)))
            progress = turn.progress
        assert heard[0][0] == EVENING + timedelta(minutes=30)
        assert all(len(texts) <= 1 for _, texts in heard), f"{talk}#{here.name}"
        assert HELP.search(heard[0][1][0])
        assert len(heard[0][1][0].split()) <= 20
        assert (first in heard[0][1][0]) == (talk in A_LINE_TOO), f"{talk}#{here.name}"
        after = [text for _, texts in heard[1:] for text in texts]
        assert not any(first in text for text in after), "a line came unasked a second time"
        everything = heard[0][1][0] + "".join(after)
        assert not any(other in everything for other in others), "the full card came unasked"
        if talk == UNDER_18:
            continue
        look_in = heard[1][0].astimezone(dublin)
        assert (look_in.hour, look_in.minute) == (10, 0)
        assert timedelta(hours=6) <= heard[1][0] - heard[0][0] <= timedelta(hours=30)
        assert len(heard) == 3
        assert heard[2][0] - EVENING >= timedelta(hours=72)
        assert "Exercises wait" in heard[2][1][0]


@pytest.mark.parametrize("talk", SAFETY)
def test_where_somebody_reads_along_nothing_that_comes_unasked_gives_it_away(
    talk: str, charts: Charts, prompts: Prompts
) -> None:
    telling = re.compile(r"\d{3}|danger|safe|die|dying|hurt|number|sos|police|harm|violen", re.I)
    for here in charts.script.dialogues[talk].steps.values():
        if here.silence is None or here.silence.target == "how_is_today":
            continue
        entry = opened(charts, prompts, Opening(READ_ALONG, talk, "")).progress
        progress = replace(entry, runs=(replace(entry.runs[-1], step=here.name, asked=EVENING),))
        due = occasions.silence_due(charts.script, progress)
        assert due is not None
        texts = words_of(prompts, step(charts, progress, Woke(due)), due)
        if talk in UNWATCHED:
            assert not texts, f"{talk}#{here.name}"
        if here.silence.target == "a_while_later":
            assert not any(telling.search(text) for text in texts), f"{talk}#{here.name}: {texts}"


def test_in_talks_about_somebody_at_home_silence_is_left_alone_on_any_phone(charts: Charts) -> None:
    for talk in UNWATCHED:
        for here in charts.script.dialogues[talk].steps.values():
            if here.silence is not None:
                target = charts.script.dialogues[talk].steps[here.silence.target]
                assert not target.ways, f"{talk}#{here.name}"
                assert not target.bubbles, f"{talk}#{here.name}"


@pytest.mark.parametrize(
    ("country", "shown"), [("IE", "Samaritans"), ("LS", "findahelpline.com"), (None, "112 in the EU")]
)
def test_the_word_after_silence_is_true_with_a_line_and_without_one(
    country: str | None, shown: str, charts: Charts, prompts: Prompts
) -> None:
    facts = {**KNOWN, "country": Fact("there", EVENING, country)}
    if country is None:
        del facts["country"]
    for wording in range(3):
        progress = opened(charts, prompts, Opening(facts, SOS, "explicit", wording)).progress
        due = occasions.silence_due(charts.script, progress)
        assert due is not None
        [text] = words_of(prompts, step(charts, progress, Woke(due)), due)
        assert HELP.search(text) or "112" in text
        assert shown in text
        assert len(text.splitlines()) == 3, text
        assert len(text.split()) <= 40


def promised(charts: Charts) -> Progress:
    """Somebody in Dublin who was told, late in the evening, that we look in the next morning."""
    zone = Fact("Europe/Dublin", EVENING, "Europe/Dublin")
    flow = Flow(charts, Progress(consent="1 2026-03-01", facts={**KNOWN, "zone": zone}), EVENING)
    flow.open(SOS, because="explicit")
    return flow.progress


def until(progress: Progress, charts: Charts, *labels: str) -> Progress:
    for label in labels:
        progress = step(charts, progress, Said(EVENING, label)).progress
    return progress


TO_THE_LOOK_IN = (
    "I have thoughts, I am not going to act now",
    "Somebody knows already",
    "They'd know what that means",
)


def test_a_greeting_before_the_look_in_does_not_put_it_off(charts: Charts) -> None:
    progress = until(promised(charts), charts, *TO_THE_LOOK_IN, "Yes")
    look_in = occasions.silence_due(charts.script, progress)
    assert look_in is not None
    greeted = step(charts, progress, Said(look_in - timedelta(minutes=20), "good morning")).progress
    assert greeted.runs[-1].step == "until_then"
    assert occasions.silence_due(charts.script, greeted) == look_in


def test_the_look_in_says_once_that_it_is_one(charts: Charts, prompts: Prompts) -> None:
    progress = until(promised(charts), charts, *TO_THE_LOOK_IN)
    yes = step(charts, progress, Said(EVENING, "Yes"))
    look_in = occasions.silence_due(charts.script, yes.progress)
    assert look_in is not None
    said = list(words_of(prompts, yes, EVENING))
    turn = step(charts, yes.progress, Woke(look_in))
    said += words_of(prompts, turn, look_in)
    for _ in range(3):
        turn = step(charts, turn.progress, Said(look_in + timedelta(hours=1), "hello"))
        assert turn.progress.runs[-1].step == "how_is_today"
        said += words_of(prompts, turn, look_in)
    assert len(re.findall(r"look(ing)? in|look-in", " ".join(said), re.I)) == 1
    assert len(re.findall(r"\bonce\b", " ".join(said))) == 1
