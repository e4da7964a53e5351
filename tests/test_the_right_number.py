"""The numbers shown fit what was told: poison advice for what was taken, and those of the client's country."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialogues.helplines.tables import HelpLines
from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.events import Said
from state_machine.model.progress import Fact, Progress
from state_machine.programme.tables import SIGNS_OF_TAKING, SOS
from state_machine.turn.machine import Machines
from tests.endangered import EVENING, KNOWN, Opening, labels_of, opened, words_of


def test_the_poison_line_stands_only_where_something_was_taken(machines: Machines, prompts: Prompts) -> None:
    facts = {**KNOWN, "country": Fact("Germany", EVENING, "DE")}
    poison = HelpLines.read().card("DE", EVENING.date()).poison[0].name
    progress = Progress(phase="assessment", consent="1 2026-03-01", facts=facts)
    for words, taken in (("I have chest pain and can't breathe", False), ("I took an overdose", True)):
        turn = step(machines, progress, Said(EVENING, words))
        said = [*words_of(prompts, turn, EVENING)]
        for label in ("I don't want to call", "No"):
            turn = step(machines, turn.progress, Said(EVENING, label))
            said += words_of(prompts, turn, EVENING)
        assert sum(poison in text for text in said) == (2 if taken else 0), words


def test_the_poison_line_is_two_taps_from_anything_swallowed_by_anybody(machines: Machines, prompts: Prompts) -> None:
    facts = {**KNOWN, "country": Fact("Germany", EVENING, "DE")}
    poison = HelpLines.read().card("DE", EVENING.date()).poison[0].name
    progress = Progress(phase="assessment", consent="1 2026-03-01", facts=facts)
    for words, *labels in (
        ("I drank the bleach by mistake",),
        ("my daughter swallowed bleach",),
        ("I have chest pain and can't breathe", "I took or swallowed something"),
        ("I have chest pain and can't breathe", "It's about somebody else", "They swallowed something"),
        ("I took an overdose", "It's about somebody else"),
    ):
        turn = step(machines, progress, Said(EVENING, words))
        for label in labels:
            turn = step(machines, turn.progress, Said(EVENING, label))
        assert poison in "".join(words_of(prompts, turn, EVENING))


def test_the_signs_of_taking_are_sections_of_the_first_reader(machines: Machines) -> None:
    said = ("I took an overdose", "I took the wrong pills by accident", "my daughter swallowed bleach")
    assert {machines.screen.read(words, []).signal for words in said} == SIGNS_OF_TAKING


@pytest.mark.parametrize(
    "path",
    [
        (SOS, "who_first", "The line", "the_line"),
        (SOS, "somebody_to_tell", "The line", "the_line"),
        ("always/harm_to_others", "somebody_to_hear_it", "A line", "the_line"),
        ("always/someone_else", "and_you", "It's a lot", "it_is_a_lot"),
    ],
)
def test_whoever_picks_the_line_can_name_the_country(
    path: tuple[str, ...], machines: Machines, prompts: Prompts
) -> None:
    talk, here, label, there = path
    for facts, asked in ((KNOWN, False), ({}, True)):
        entry = opened(machines, prompts, Opening(facts, talk, "explicit")).progress
        progress = replace(entry, runs=(replace(entry.runs[-1], step=here),))
        turn = step(machines, progress, Said(EVENING, label))
        assert ("Numbers for the country I'm in" in labels_of(machines, turn.progress)) == asked
        if not asked:
            continue
        named = step(machines, turn.progress, Said(EVENING, "Numbers for the country I'm in"))
        shown = step(machines, named.progress, Said(EVENING, "Ireland"))
        assert shown.progress.runs[-1].step == there
        assert "Samaritans" in "".join(words_of(prompts, shown, EVENING))
