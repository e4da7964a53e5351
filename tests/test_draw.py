"""Diagrams agree with the book, and documents contain the current diagrams."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogues import book
from dialogues.checks.tables import Tables
from dialogues.documents import diagrams, printed
from tests.books import SOUND, Hears

SCRIPT = book.read(SOUND).script


def test_a_dialogue_is_drawn_with_every_step_and_every_way_on() -> None:
    assert diagrams.dialogue(SCRIPT.dialogues["welcome/hello"]) == (
        "stateDiagram-v2\n"
        '    state "name" as name\n'
        '    state "phone" as phone\n'
        '    state "done" as done\n'
        "    [*] --> name\n"
        "    name --> phone: (In your own words) / (Skip)\n"
        "    phone --> done: Yes / No\n"
        "    done --> [*]\n"
    )


def test_phases_are_drawn_with_the_outcomes_that_move_on() -> None:
    tables = Tables(
        phases=("welcome", "not_now"),
        departures=[
            Hears("welcome/hello", "done", ("welcome",), "not_now"),
            Hears("welcome/hello", "left", ("welcome", "not_now")),
        ],
    )
    assert diagrams.phases(tables) == (
        "stateDiagram-v2\n"
        '    state "welcome" as welcome\n'
        '    state "not now" as not_now\n'
        "    [*] --> welcome\n"
        "    welcome --> not_now: hello, done\n"
    )


def test_the_phases_of_the_programme_can_be_drawn() -> None:
    assert "assessment --> treatment" in diagrams.phases()


def test_a_drawn_block_is_stale_until_it_is_written_and_then_is_not(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before.\n\n<!-- drawn: welcome/hello -->\nold\n<!-- end -->\n\nAfter.\n")
    assert diagrams.stale_blocks([page], SCRIPT) == [page]
    assert diagrams.write_blocks([page], SCRIPT) == [page]
    assert diagrams.stale_blocks([page], SCRIPT) == []
    assert diagrams.write_blocks([page], SCRIPT) == []
    text = page.read_text()
    assert text.startswith("Before.\n\n<!-- drawn: welcome/hello -->\n\n```mermaid\nstateDiagram-v2\n")
    assert text.endswith("```\n\n<!-- end -->\n\nAfter.\n")


def test_a_block_that_names_nothing_says_so(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- drawn: welcome/nobody -->\n<!-- end -->\n")
    with pytest.raises(LookupError, match="welcome/nobody"):
        diagrams.stale_blocks([page], SCRIPT)


def test_the_printed_book_shows_what_is_said_and_where_each_answer_leads() -> None:
    page = printed.document(book.read(SOUND))
    assert "- day 1: [Hello](#welcome-hello)" in page
    assert "- week 2: More to come (still to be written)" in page
    assert "# Getting to know\n" in page
    assert "> The shortest way to begin." in page
    assert "- (In your own words) → [phone](#welcome-hello-phone), kept as `name`" in page
    assert '<a id="welcome-hello-phone"></a>' in page
    assert "*Ends as “done”.*" in page


def test_every_link_of_the_printed_book_leads_somewhere() -> None:
    page = printed.document(book.read())
    targets = {part.split(")")[0] for part in page.split("](#")[1:]}
    anchors = {part.split('"')[0] for part in page.split('<a id="')[1:]}
    assert targets <= anchors
