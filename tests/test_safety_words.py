"""What no talk about danger ever says, in a bubble or in quotation marks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from state_machine.turn.machine import Machines
from tests.endangered import SAFETY

NEVER = {
    "methods": r"\b(pills?|tablets?|rope|noose|hang(ing)?|bridge|train|gun|knife|blades?|razors?|overdose|jump)\b",
    "promises": r"\bpromis|\bswear\b|\bcontract\b",
    "a label of risk": r"\b(low|high|at|your) risk\b|\brisk (level|of suicide)\b",
    "blame and pressure": r"\byou (must|have to|should|ought)\b|\bselfish\b|\bhow could you\b",
    "minimising": r"\b(at least|only a phase|calm down|cheer up|don't worry|everything will|it will pass)\b",
    "acting human": r"\bI (care|feel|understand|worry|love)\b|\bI'm (so )?sorry\b|\bI'm (here for you|glad|proud)\b",
    "a diagnosis": r"\b(depression|depressed|disorder|bipolar|psychosis|borderline)\b",
    "secrets": r"\bstays between us\b|\bsecret is safe\b|\bnobody will (ever )?know\b",
    "old words": r"\bcommit(ted)? suicide\b|\b(failed|successful) attempt\b",
    "agreeing with hopelessness": r"\b(no way out|hopeless|you're right|no point)\b",
    "verdicts about others": r"\b(leave|forgive|confront) (him|her|them)\b",
    "weight and food": r"\bweight\b|\bcalori|\bkilo|\beat (more|less)\b|\bdiet\b",
}


def _without_quotes(text: str) -> str:
    return re.sub(r"“[^”]*”", "…", text)


def _everything_said(machines: Machines) -> Iterator[str]:
    for talk in SAFETY:
        for here in machines.script.dialogues[talk].steps.values():
            yield from (wording for bubble in here.bubbles for wording in bubble.wordings)


@pytest.mark.parametrize("kind", NEVER)
def test_no_talk_about_danger_ever_says(kind: str, machines: Machines) -> None:
    pattern = re.compile(NEVER[kind], re.I)
    for text in _everything_said(machines):
        found = pattern.search(_without_quotes(text))
        assert not found, f"{kind}: {found and found[0]!r} in {text!r}"


def test_no_methods_stand_in_quotation_marks_either(machines: Machines) -> None:
    for text in _everything_said(machines):
        assert not re.search(NEVER["methods"], text, re.I), text


def test_nothing_is_said_to_be_kept(machines: Machines) -> None:
    """Before consent nothing is, and the talks are the same then."""
    for text in _everything_said(machines):
        assert not re.search(r"\b(I('ve| have) kept|is kept|kept (it|that|with))\b", text), text


def test_no_question_is_a_leading_one(machines: Machines) -> None:
    leading = re.compile(
        r"(aren't|don't|won't|wouldn't|isn't) you\b|, (are|do|will|would) you\?|you're not (going|thinking|planning)",
        re.I,
    )
    for text in _everything_said(machines):
        assert not leading.search(_without_quotes(text)), text
