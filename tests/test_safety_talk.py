"""What must hold on every path of the talks about danger: numbers soon, few questions, people at every end.

All paths are walked as a client would walk them, in several kinds of life; the words are the rendered ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from dialogues.helplines.tables import HelpLines
from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.effects import Erase
from state_machine.model.events import Said
from state_machine.model.progress import Fact, Progress
from state_machine.model.script import Label, Silence
from state_machine.programme.tables import SOS, UNDER_18
from state_machine.turn.flow import Flow
from state_machine.turn.machine import Machines
from tests.endangered import (
    EVENING,
    HELP,
    KNOWN,
    LIVES,
    NO_ALARM,
    SAFETY,
    Opening,
    Spoken,
    labels_of,
    opened,
    words_of,
)

MOST_WORDS, MOST_QUESTIONS = 40, 1
NO_DANGER = {"misread", "no_thoughts", "low_all_the_same", "no_intent", "grown_up"}
"""Endings after which there was none."""
EXPLICIT = "I am going to kill myself"


def _entries(machines: Machines, prompts: Prompts) -> Iterator[tuple[str, Spoken]]:
    for talk, because, life, wording in product(SAFETY, ("", "explicit", "unsure"), LIVES, range(4)):
        yield f"{talk} {because} {life}", opened(machines, prompts, Opening(LIVES[life], talk, because, wording))


# --- the number soon, and few questions before it -------------------------------------------


def test_before_the_number_stand_at_most_forty_words_and_one_question(machines: Machines, prompts: Prompts) -> None:
    for name, entry in _entries(machines, prompts):
        if name.split()[0] in NO_ALARM:
            continue
        waiting = [entry]
        while waiting:
            path = waiting.pop()
            said = "\n".join(path.texts)
            help_at = HELP.search(said)
            before = said[: help_at.start()] if help_at else said
            where = f"{name}: {' > '.join(path.taps)}"
            assert len(before.split()) <= MOST_WORDS, where
            assert before.count("?") <= MOST_QUESTIONS, where
            if help_at or not path.progress.runs or path.progress.runs[-1].dialogue not in SAFETY:
                continue
            for label in labels_of(machines, path.progress):
                turn = step(machines, path.progress, Said(EVENING, label))
                if any(run.dialogue in SAFETY for run in turn.progress.runs):
                    more = (*path.texts, *words_of(prompts, turn, EVENING))
                    waiting.append(Spoken(turn.progress, more, (*path.taps, label)))


def test_what_is_said_outright_opens_with_the_number_and_not_with_a_question(
    machines: Machines, prompts: Prompts
) -> None:
    for talk in SAFETY:
        if talk in NO_ALARM | {"always/after_a_suicide"}:
            continue
        for life, facts in LIVES.items():
            for wording in range(4):
                first, *_ = opened(machines, prompts, Opening(facts, talk, "explicit", wording)).texts
                assert HELP.search(first), f"{talk}, {life}: {first}"
                assert "?" not in first, f"{talk}, {life}"


def test_what_may_mean_it_gets_one_direct_question(machines: Machines, prompts: Prompts) -> None:
    for wording in range(6):
        said = " ".join(opened(machines, prompts, Opening(KNOWN, SOS, "unsure", wording)).texts)
        assert said.count("?") == 1
        assert "Are you having thoughts of ending your life?" in said


# --- alarms running --------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["I have thoughts, I am not going to act now", "You misread me", None])
def test_no_two_alarms_running_show_the_same_text(answer: str | None, machines: Machines, prompts: Prompts) -> None:
    progress, before, now = Progress(consent="1 2026-03-01", facts=KNOWN), "", EVENING
    for times in range(9):
        now += timedelta(minutes=5)
        turn = step(machines, progress, Said(now, f"{EXPLICIT}, {times}"))
        said = "\n".join(words_of(prompts, turn, now))
        assert said != before
        assert HELP.search(said), said
        before, progress = said, turn.progress
        if answer is not None and answer in labels_of(machines, progress):
            progress = step(machines, progress, Said(now, answer)).progress
        progress = replace(step(machines, progress, Said(now, "/later")).progress, runs=())


def test_the_list_of_lines_is_not_sent_twice_to_who_told_of_danger_today(
    machines: Machines, prompts: Prompts
) -> None:
    line = HelpLines.read().card("IE", EVENING.date()).crisis[0].name
    told = {**KNOWN, "danger": Fact("I have thoughts", EVENING, "thoughts")}
    assert line in "".join(opened(machines, prompts, Opening(KNOWN, SOS, "explicit")).texts)
    for because in ("explicit", "unsure"):
        texts = "".join(opened(machines, prompts, Opening(told, SOS, because)).texts)
        assert line not in texts
        assert HELP.search(texts)


def test_every_wording_of_a_step_that_brings_the_number_brings_it(machines: Machines) -> None:
    """Two numbered lists in a row are one to Markdown; a question would then stand where a number should."""
    for talk in SAFETY:
        for here in machines.script.dialogues[talk].steps.values():
            for bubble in here.bubbles:
                with_number = ["_line" in w or "_card" in w or "_in_short" in w for w in bubble.wordings]
                assert all(with_number) or not any(with_number), f"{talk}#{here.name}"


# --- people at the end -----------------------------------------------------------------------
LINE = re.compile(r"_card|_line\b|_in_short|_lines|lines\.|\bline\b|/sos|“help me”|the numbers?", re.I)
PROFESSIONAL = re.compile(
    r"\bdoctor|therapist|ambulance|hospital|emergency department|midwife|school|family doctor", re.I
)
TRUSTED = re.compile(
    r"\btrust|neighbour|one (more )?person|stay near|be with you|anybody with you|with you today|they come first|"
    r"somebody (is here|comes|could call|to me)|grown-up",
    re.I,
)
PEOPLE = {"a line": LINE, "a professional": PROFESSIONAL, "somebody trusted": TRUSTED}
DEEP = {
    SOS: (
        "thoughts",
        "thoughts_first",
        "might_act_first",
        "might_act_now",
        "done_something",
        "not_to_die",
        "outright",
    ),
    "always/harm_to_others": ("numbers_first", "distance", "somebody_is_hurt"),
    "always/someone_else": ("ask_them", "they_are_in_danger"),
    "always/medical": ("call_now", "something_taken", "fainted"),
    "always/medical_for_another": ("down", "swallowed"),
    "always/violence": ("not_safe", "for_the_moment", "long_ago"),
    "always/under_18": ("danger_first",),
}
"""Steps at which danger is told; from there every way is followed."""
BEFORE = {
    SOS: {"a line"},
    "always/harm_to_others": {"a line"},
    "always/someone_else": {"a line"},
    "always/medical": {"a line", "a professional"},  # the emergency number sends one
    "always/medical_for_another": {"a line", "a professional"},
}
"""What was shown on every path to those steps."""


@pytest.mark.parametrize("talk", sorted(DEEP))
def test_every_way_ends_at_people(talk: str, machines: Machines) -> None:
    """From a yes to an ending by tapping, every path meets a line, a professional and somebody trusted."""
    steps = machines.script.dialogues[talk].steps
    handed_on = {way.target for here in steps.values() for way in here.ways} & NO_DANGER
    met: dict[str, frozenset[str]] = {}
    waiting = [(start, frozenset(BEFORE.get(talk, set()))) for start in DEEP[talk]]
    while waiting:
        name, so_far = waiting.pop()
        here = steps[name]
        words = " ".join(w for bubble in here.bubbles for w in bubble.wordings)
        words += " ".join(way.takes.text for way in here.ways if isinstance(way.takes, Label))
        now = so_far | {who for who, pattern in PEOPLE.items() if pattern.search(words)}
        known = met.get(name)
        if known is not None and known <= now:
            continue
        met[name] = now if known is None else known & now
        waiting += [(way.target, met[name]) for way in here.ways if not isinstance(way.takes, Silence)]
    spoken = {name for name in met if not steps[name].ways and steps[name].bubbles} - handed_on - {"only_numbers"}
    for ending in spoken - {"let_go", "still_here"}:
        assert met[ending] == PEOPLE.keys(), f"{talk}#{ending} can be reached without {PEOPLE.keys() - met[ending]}"


# --- under 18 --------------------------------------------------------------------------------


def test_nothing_of_a_child_is_deleted_before_the_talk_is_over(machines: Machines) -> None:
    flow = Flow(machines, Progress(consent="1 2026-03-01", facts=KNOWN), EVENING)
    flow.open(UNDER_18, because="unsure")
    progress = flow.progress
    for words in ("No", "I think of dying, or of hurting myself", "Not now", "All right"):
        turn = step(machines, progress, Said(EVENING, words))
        assert not any(isinstance(effect, Erase) for effect in turn.effects)
        progress = turn.progress
    assert progress.runs[-1].dialogue == SOS
    progress = step(machines, progress, Said(EVENING, "No")).progress
    assert progress.runs[-1].dialogue == UNDER_18
    turn = step(machines, progress, Said(EVENING, "All right"))
    assert any(isinstance(effect, Erase) for effect in turn.effects)
    assert turn.progress.facts == {}


# --- who could hear it ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("talk", "here"),
    [(SOS, "somebody_to_tell"), (SOS, "who_first"), ("always/harm_to_others", "somebody_to_hear_it")],
)
def test_whoever_says_who_could_hear_it_gets_a_word_on_that_before_the_look_in(
    talk: str, here: str, machines: Machines, prompts: Prompts
) -> None:
    for life, facts in LIVES.items():
        entry = opened(machines, prompts, Opening(facts, talk, "explicit")).progress
        progress = replace(entry, runs=(replace(entry.runs[-1], step=here),))
        for label in labels_of(machines, progress)[:3]:
            first, *_ = words_of(prompts, step(machines, progress, Said(EVENING, label)), EVENING)
            assert "May I look in" not in first, f"{talk}#{here}, {life}: {label}"
            assert "Exercises rest" not in first, f"{talk}#{here}, {life}: {label}"


def test_who_hurt_themselves_not_to_die_is_given_a_sentence_that_says_that(
    machines: Machines, prompts: Prompts
) -> None:
    for label in ("The line", "A doctor or therapist"):
        progress = opened(machines, prompts, Opening(KNOWN, SOS, "explicit")).progress
        answers = ("I hurt myself, not to die", "It's small, or healed", "To punish myself", label)
        for words in answers:
            turn = step(machines, progress, Said(EVENING, words))
            progress = turn.progress
        said = "".join(words_of(prompts, turn, EVENING))
        assert "I've been hurting myself" in said
        assert "ending my life" not in said
