"""What is aimed at somebody: their gate comes first, and a closed one ends it without a reason."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import dialogues
from dialogues import book as books
from dialogues.helplines.tables import HelpLines
from dialogues.reading import signals
from dialogues.rendering.prompts import Prompts
from state_machine.model.progress import Fact
from state_machine.programme.tables import PERSON_GATE
from state_machine.rules.person_gates import GOOD_FOR
from state_machine.turn import machine
from state_machine.turn.machine import Machines
from tests.gating import ALL_FOUR, NO, asked_about, knowing_two, tell, through
from tests.talking import START, Story, label_to

AIMED, ASKS_WHOM = "skills/saying_it", "skills/saying_it_to_whom"
AIMED_WORDS = """---
about: a person
aimed: at the person
outcomes: said, fell_quiet
quiet: said, fell_quiet
opened_by: /sayingit
reviewed: not yet
---

# Saying it

Only for tests.

## line

What would you say to {{ person.name }}?

- [*In your own words*](#said "line_for_them")
- [`after 2 hours`](#fell_quiet)

## said

Kept.

## fell_quiet
"""
ASKING_WORDS = (
    AIMED_WORDS.replace("/sayingit", "/towhom")
    .replace("## line", '## whom\n\nTo whom?\n\n- [*One of your people*](#line "person")\n\n## line', 1)
    .replace("line_for_them", "line_for_somebody")
)


@pytest.fixture(scope="module")
def aimed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Machines, Prompts]:
    """The real book, and in it two dialogues that are aimed at a person."""
    folder = tmp_path_factory.mktemp("book") / "en"
    shutil.copytree(Path(dialogues.__file__).parent / "en", folder)
    (folder / "skills").mkdir(exist_ok=True)
    (folder / f"{AIMED}.md").write_text(AIMED_WORDS, encoding="utf-8")
    (folder / f"{ASKS_WHOM}.md").write_text(ASKING_WORDS, encoding="utf-8")
    made = books.read(folder)
    assert {AIMED, ASKS_WHOM} <= made.script.dialogues.keys()
    return machine.build(made.script, signals.screen()), Prompts(made, HelpLines.read(), "Robin")


@pytest.fixture
def ana_aiming(aimed: tuple[Machines, Prompts]) -> Story:
    return knowing_two(*aimed)


def aims(story: Story, name: str = "Rob") -> Story:
    return story.says("/towhom").says(name)


def test_what_is_aimed_at_somebody_asks_their_gate_first_and_goes_on_when_it_is_open(ana_aiming: Story) -> None:
    aims(ana_aiming)
    assert ana_aiming.place == f"{PERSON_GATE}#before"
    assert f"{ASKS_WHOM}#line" not in ana_aiming.steps_said
    through(ana_aiming)
    assert ana_aiming.place == f"{ASKS_WHOM}#line"
    assert ana_aiming.says("please call first").progress.done[ASKS_WHOM].outcome == "said"


def test_an_open_gate_is_not_asked_again(ana_aiming: Story) -> None:
    tell(ana_aiming, NO)
    assert aims(ana_aiming).place == f"{ASKS_WHOM}#line"


def test_an_open_gate_lapses_after_sixty_days_and_is_asked_again(ana_aiming: Story) -> None:
    tell(ana_aiming, {name: replace(fact, at=START - GOOD_FOR) for name, fact in NO.items()})
    assert aims(ana_aiming).place == f"{PERSON_GATE}#before"


@pytest.mark.parametrize("yes", ALL_FOUR)
def test_what_is_aimed_at_somebody_whose_gate_is_closed_ends_without_a_reason(yes: str, ana_aiming: Story) -> None:
    tell(ana_aiming, {**NO, yes: Fact("Yes", START, "yes")})
    aims(ana_aiming)
    assert ana_aiming.remarks == ["gate_closed"]
    assert not ana_aiming.progress.runs
    assert ASKS_WHOM not in ana_aiming.progress.done


@pytest.mark.parametrize(("answer", "leaves"), [("yes", "closed"), ("unsaid", "")])
def test_a_gate_that_does_not_open_ends_what_asked_for_it(answer: str, leaves: str, ana_aiming: Story) -> None:
    through(aims(ana_aiming), fear=answer)
    if leaves:
        ana_aiming.taps(label_to(ana_aiming, leaves))
    assert "gate_closed" in ana_aiming.remarks
    assert not ana_aiming.progress.runs


def test_not_now_and_later_and_silence_end_it_too_and_ask_nothing_twice(ana_aiming: Story) -> None:
    aims(ana_aiming).taps(label_to(ana_aiming, "unsaid"))
    assert not ana_aiming.progress.runs
    aims(ana_aiming).says("/later")
    assert not ana_aiming.progress.runs
    aims(ana_aiming)
    ana_aiming.passes(hours=3)
    assert ASKS_WHOM not in {run.dialogue for run in ana_aiming.progress.runs}


def test_a_gate_half_answered_about_one_is_not_gone_on_with_about_another(ana_aiming: Story) -> None:
    asked_about(ana_aiming, "Rob").taps(label_to(ana_aiming, "fear"))
    asked_about(ana_aiming, "Cy")
    assert ana_aiming.place == f"{PERSON_GATE}#before"
    assert "Cy" in ana_aiming.bubbles[-1]


def test_what_is_aimed_at_somebody_who_is_taken_off_asks_whom_else_and_ends_where_nobody_is_left(
    ana_aiming: Story,
) -> None:
    tell(ana_aiming, NO)
    aims(ana_aiming)
    for name, place in (("Rob", f"{ASKS_WHOM}#whom"), ("Cy", None)):
        ana_aiming.says("/people")
        ana_aiming.says(label_to(ana_aiming, "who_goes")).says(name)
        ana_aiming.says(label_to(ana_aiming, "removed"))
        assert ana_aiming.place == place
        if place is not None:
            assert [offer.label for offer in ana_aiming.offers] == ["Cy"]
            tell(ana_aiming, NO, "Cy").says("Cy")
            assert ana_aiming.place == f"{ASKS_WHOM}#line"
    assert ana_aiming.says("hello").bubbles
