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
from state_machine.events import Woke
from state_machine.flow import Flow
from state_machine.programme import UNDER_18
from state_machine.progress import Fact, Progress
from tests.test_safety_talk import (
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
    line = Lines.read().card("IE", EVENING.date()).crisis[0].name
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
        assert not any(line in text for _, texts in heard for text in texts), "the full card came unasked"
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
