"""How a gate stands: never asked, open for sixty days, closed by a single yes; and whom words name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from state_machine.model.progress import Fact, Person
from state_machine.rules import person_gates
from state_machine.rules.person_gates import GOOD_FOR, THEIRS, Gate
from tests.gating import ALL_FOUR, NO
from tests.talking import START


def test_nobody_was_asked_about_so_the_gate_is_unasked() -> None:
    assert person_gates.gate(Person(1, "Rob"), START) is Gate.UNASKED


@pytest.mark.parametrize("missing", ALL_FOUR)
def test_one_question_left_out_leaves_the_gate_unasked(missing: str) -> None:
    rob = Person(1, "Rob", {name: fact for name, fact in NO.items() if name != missing})
    assert person_gates.gate(rob, START) is Gate.UNASKED


@pytest.mark.parametrize("yes", ALL_FOUR)
def test_a_single_yes_closes_the_gate_and_time_does_not_open_it(yes: str) -> None:
    rob = Person(1, "Rob", {**NO, yes: Fact("Yes", START, "yes")})
    for years in (0, 1, 5):
        assert person_gates.gate(rob, START + timedelta(days=365 * years)) is Gate.CLOSED
    assert person_gates.kept_out(rob) is (yes in THEIRS)


def test_four_noes_are_good_for_sixty_days_from_the_oldest() -> None:
    later = {**NO, "gate_fear": Fact("No", START + timedelta(days=40), "no")}
    rob = Person(1, "Rob", later)
    assert person_gates.gate(rob, START + GOOD_FOR) is Gate.OPEN
    assert person_gates.gate(rob, START + GOOD_FOR + timedelta(seconds=1)) is Gate.LAPSED


def test_what_is_left_unsaid_takes_back_a_no_and_never_a_yes() -> None:
    unsaid = {"gate_unsaid": Fact("I'd rather not say", START + timedelta(days=1), "yes")}
    assert person_gates.gate(Person(1, "Rob", {**NO, **unsaid}), START + timedelta(days=2)) is Gate.UNASKED
    yes = {**NO, "gate_hurt": Fact("Yes", START, "yes"), **unsaid}
    assert person_gates.gate(Person(1, "Rob", yes), START + timedelta(days=2)) is Gate.CLOSED
    answered_since = {name: replace(fact, at=START + timedelta(days=3)) for name, fact in NO.items()}
    assert person_gates.gate(Person(1, "Rob", {**answered_since, **unsaid}), START + timedelta(days=4)) is Gate.OPEN


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("Rob", True),
        ("Ana, rob", True),
        ("We quarrelled, Rob's voice was in it", True),
        ("the robin came back", False),
        ("Ana", False),
        ("", False),
    ],
)
def test_words_name_somebody_only_by_the_whole_name(words: str, *, named: bool) -> None:
    assert person_gates.names(words, [Person(1, "Rob")]) is named


def test_a_letter_for_a_name_counts_only_where_it_stands_by_itself() -> None:
    assert person_gates.names("Ana, A", [Person(1, "A")])
    assert not person_gates.names("a long day", [Person(1, "A")])
