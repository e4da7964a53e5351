"""What silence brings in the talks about danger: one line, one look-in, a last word; or nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dialogues.helplines.tables import HelpLines
from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.events import Said, Woke
from state_machine.model.progress import Fact, Progress
from state_machine.programme.tables import SOS, UNDER_18
from state_machine.schedule import triggers
from state_machine.turn.flow import Flow
from state_machine.turn.machine import Machines
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


def test_no_talk_ends_by_itself_before_three_silent_days(machines: Machines) -> None:
    for talk in SAFETY:
        if talk in NO_ALARM | {UNDER_18}:
            continue
        for facts in (KNOWN, READ_ALONG, {}):
            flow = Flow(machines, Progress(consent="1 2026-03-01", facts=facts), EVENING)
            flow.open(talk, because="explicit")
            progress, closed_at = flow.progress, EVENING
            for _ in range(9):
                due = triggers.silence_due(machines.script, progress)
                if due is None:
                    break
                closed_at = due
                progress = step(machines, progress, Woke(due)).progress
            assert not any(run.dialogue == talk for run in progress.runs)
            assert closed_at - EVENING >= timedelta(hours=72), talk


@pytest.mark.parametrize("talk", FOLLOWED)
def test_silence_is_followed_up_by_one_line_one_look_in_and_a_last_word(
    talk: str, machines: Machines, prompts: Prompts
) -> None:
    dublin = ZoneInfo("Europe/Dublin")
    zoned = {**KNOWN, "zone": Fact("Europe/Dublin", EVENING, "Europe/Dublin")}
    first, *others = (row.name for row in HelpLines.read().card("IE", EVENING.date()).crisis)
    assert others
    for here in machines.script.dialogues[talk].steps.values():
        if here.silence is None or here.silence.target != "a_while_later":
            continue
        entry = opened(machines, prompts, Opening(zoned, talk, "")).progress
        run = replace(entry.runs[-1], step=here.name, asked=EVENING)
        progress = replace(entry, runs=(run,))
        heard: list[tuple[datetime, tuple[str, ...]]] = []
        while any(r.dialogue == talk for r in progress.runs):
            due = triggers.silence_due(machines.script, progress)
            assert due is not None
            turn = step(machines, progress, Woke(due))
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
        assert "Exercises can wait" in heard[2][1][0]


@pytest.mark.parametrize("talk", SAFETY)
def test_where_somebody_reads_along_nothing_that_comes_unasked_gives_it_away(
    talk: str, machines: Machines, prompts: Prompts
) -> None:
    telling = re.compile(r"\d{3}|danger|safe|die|dying|hurt|number|sos|police|harm|violen", re.I)
    for here in machines.script.dialogues[talk].steps.values():
        if here.silence is None or here.silence.target == "how_is_today":
            continue
        entry = opened(machines, prompts, Opening(READ_ALONG, talk, "")).progress
        progress = replace(entry, runs=(replace(entry.runs[-1], step=here.name, asked=EVENING),))
        due = triggers.silence_due(machines.script, progress)
        assert due is not None
        texts = words_of(prompts, step(machines, progress, Woke(due)), due)
        if talk in UNWATCHED:
            assert not texts, f"{talk}#{here.name}"
        if here.silence.target == "a_while_later":
            assert not any(telling.search(text) for text in texts), f"{talk}#{here.name}: {texts}"


def test_in_talks_about_somebody_at_home_silence_is_left_alone_on_any_phone(machines: Machines) -> None:
    for talk in UNWATCHED:
        for here in machines.script.dialogues[talk].steps.values():
            if here.silence is not None:
                target = machines.script.dialogues[talk].steps[here.silence.target]
                assert not target.ways, f"{talk}#{here.name}"
                assert not target.bubbles, f"{talk}#{here.name}"


@pytest.mark.parametrize(
    ("country", "shown"), [("IE", "Samaritans"), ("LS", "findahelpline.com"), (None, "112 in the EU")]
)
def test_the_word_after_silence_is_true_with_a_line_and_without_one(
    country: str | None, shown: str, machines: Machines, prompts: Prompts
) -> None:
    facts = {**KNOWN, "country": Fact("there", EVENING, country)}
    if country is None:
        del facts["country"]
    for wording in range(3):
        progress = opened(machines, prompts, Opening(facts, SOS, "explicit", wording)).progress
        due = triggers.silence_due(machines.script, progress)
        assert due is not None
        [text] = words_of(prompts, step(machines, progress, Woke(due)), due)
        assert HELP.search(text) or "112" in text
        assert shown in text
        assert len(text.splitlines()) == 3, text
        assert len(text.split()) <= 40


def promised(machines: Machines) -> Progress:
    """Somebody in Dublin who was told, late in the evening, that we look in the next morning."""
    zone = Fact("Europe/Dublin", EVENING, "Europe/Dublin")
    flow = Flow(machines, Progress(consent="1 2026-03-01", facts={**KNOWN, "zone": zone}), EVENING)
    flow.open(SOS, because="explicit")
    return flow.progress


def until(progress: Progress, machines: Machines, *labels: str) -> Progress:
    for label in labels:
        progress = step(machines, progress, Said(EVENING, label)).progress
    return progress


TO_THE_LOOK_IN = (
    "I have thoughts, I am not going to act now",
    "Somebody knows already",
    "They'd know what that means",
)


def test_a_greeting_before_the_look_in_does_not_put_it_off(machines: Machines) -> None:
    progress = until(promised(machines), machines, *TO_THE_LOOK_IN, "Yes")
    look_in = triggers.silence_due(machines.script, progress)
    assert look_in is not None
    greeted = step(machines, progress, Said(look_in - timedelta(minutes=20), "good morning")).progress
    assert greeted.runs[-1].step == "until_then"
    assert triggers.silence_due(machines.script, greeted) == look_in


def test_the_look_in_says_once_that_it_is_one(machines: Machines, prompts: Prompts) -> None:
    progress = until(promised(machines), machines, *TO_THE_LOOK_IN)
    yes = step(machines, progress, Said(EVENING, "Yes"))
    look_in = triggers.silence_due(machines.script, yes.progress)
    assert look_in is not None
    said = list(words_of(prompts, yes, EVENING))
    turn = step(machines, yes.progress, Woke(look_in))
    said += words_of(prompts, turn, look_in)
    for _ in range(3):
        turn = step(machines, turn.progress, Said(look_in + timedelta(hours=1), "hello"))
        assert turn.progress.runs[-1].step == "how_is_today"
        said += words_of(prompts, turn, look_in)
    assert len(re.findall(r"look(ing)? in|look-in", " ".join(said), re.I)) == 1
    assert len(re.findall(r"\bonce\b", " ".join(said))) == 1
