"""What `docs/safety.md` says is so: its figures, its walk through the rubric, and its log of hazards."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from bot.measurement.screen_metrics import measure
from bot.measurement.screen_metrics_table import BEGIN, END, block, write
from dialogues.reading import signals
from dialogues.rendering.prompts import Prompts
from state_machine.turn.machine import Machines
from tests.talking import DAY_ONE, Story
from tests.test_documents import ROOT, read, rows

DOCUMENT = "docs/safety.md"
CORPUS = ROOT / "tests" / "safety" / "corpus_en.jsonl"
CHATS = ROOT / "tests" / "transcripts" / "safety"
RED = {
    "vague", "slang", "third_person", "retracted", "nothing_asked", "leading_question", "no_free_contact",
    "professional_and_trusted", "ending_the_chat", "blame", "number_first", "hopelessness", "promise_contract",
    "acting_human", "diagnosing", "methods",
}  # fmt: skip
"""The red items of the rubric, by the names of the chats that show them."""
HOW_BAD = ("life", "harm", "distress", "trust")


def missing(shown_by: str) -> list[str]:
    """What a cell names in code font that is not there: `test_file.py::test_name`, or a transcript."""
    lost = []
    for named in re.findall(r"`([^`]+)`", shown_by):
        file, _, test = named.partition("::")
        path = ROOT / "tests" / file
        if not path.is_file() or (test and f"def {test}(" not in path.read_text(encoding="utf-8")):
            lost.append(named)
    return lost


def test_the_measured_tables_are_those_of_today() -> None:
    written = block(measure(signals.screen(), [CORPUS]))
    assert written in read(DOCUMENT), "`make docs` writes the tables anew"


def test_the_tables_are_written_between_their_marks_and_nowhere_else(tmp_path: Path) -> None:
    corpus, document = tmp_path / "corpus.jsonl", tmp_path / "page.md"
    corpus.write_text('{"text": "I want to die", "tier": "explicit", "kind": "self"}\nnice day\n', encoding="utf-8")
    document.write_text(f"Before.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n", encoding="utf-8")
    report = measure(signals.screen(), [corpus])
    write(report, document)
    text = document.read_text(encoding="utf-8")
    assert text == f"Before.\n\n{block(report)}\n\nAfter.\n"
    assert "| explicit | tier 1 | 1 | 1 | 100.0 % | 20.7 % to 100.0 % |" in text
    assert "| ordinary | tier 1 or 2 | 1 | 0 | 0.0 % | 0.0 % to 79.3 % |" in text
    assert "| self | just that | 1 | 1 |" in text
    assert "I want to die" not in text
    document.write_text("No marks.\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no lines"):
        write(report, document)


def test_every_red_item_of_the_rubric_is_walked_with_a_chat() -> None:
    walked = [
        name
        for cells in rows(read(DOCUMENT), "A walk through VERA-MH")
        for name in re.findall(r"\[red_(\w+)\]", cells[2])
    ]
    assert sorted(walked) == sorted(RED)
    assert {path.stem.removeprefix("red_") for path in CHATS.glob("red_*.chat")} == RED


def test_every_chat_that_the_walk_names_is_there() -> None:
    named = re.findall(r"\]\((\.\./tests/transcripts/[^)]+)\)", read(DOCUMENT))
    assert len(named) > len(RED)
    assert [path for path in named if not (ROOT / "docs" / path).is_file()] == []


def test_every_hazard_says_how_bad_it_is_and_names_a_test_that_exists() -> None:
    hazards = rows(read(DOCUMENT), "Hazard log")
    assert len(hazards) >= 30
    for hazard, how_bad, done, shown_by in hazards:
        assert how_bad in HOW_BAD, hazard
        assert done, hazard
        assert re.search(r"`[^`]+`", shown_by), hazard
        assert missing(shown_by) == [], hazard


def test_a_test_that_does_not_exist_is_noticed() -> None:
    assert missing("`test_alarm.py::test_nothing` `test_nowhere.py::test_x` `transcripts/safety/no.chat`") == [
        "test_alarm.py::test_nothing",
        "test_nowhere.py::test_x",
        "transcripts/safety/no.chat",
    ]


def test_the_worst_comes_first() -> None:
    order = [HOW_BAD.index(cells[1]) for cells in rows(read(DOCUMENT), "Hazard log")]
    assert order == sorted(order)


def test_it_says_what_it_misses_and_claims_nothing_that_only_a_study_can() -> None:
    text = read(DOCUMENT)
    assert "Nothing may rest on its silence." in text
    assert re.findall(r"\b(keeps you safe|prevents|reliably|guarantees?)\b", text, re.IGNORECASE) == []


@pytest.mark.parametrize("words", ["my neighbour's cat again", "everyone would be better off without me"])
def test_the_words_that_were_read_for_danger_are_kept_a_day_and_no_longer(
    words: str, machines: Machines, prompts: Prompts
) -> None:
    """As `docs/privacy.md` promises: “24 hours, encrypted”."""
    story = Story(machines, prompts)
    story.says("/start").answers(DAY_ONE).says(words).passes(days=2)
    progress = story.progress
    kept = [*progress.recent, *(heard for heard in (progress.alarmed, progress.misread) if heard is not None)]
    assert [heard for heard in kept if story.now - heard.at > timedelta(days=1)] == []
