"""The terminal as a real process: `printf 'hello\\n…' | ipt-bot chat --client ana --at 2026-01-05T09:00`.

What to say is found by telling the same story in memory first, so that no wording stands here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.console import Console
from dialogues.book import Book
from dialogues.rendering.prompts import Prompts
from state_machine.model.progress import Progress
from state_machine.programme.tables import CHECK_IN, FIRST_PEOPLE, SUITABILITY
from state_machine.turn.machine import Machines
from state_machine.turn.options import FINISHED
from storage.store import Store
from tests.talking import DAY_ONE, NOTHING_WRONG, SAD_WEEKS, Story, app_on, reply

REPOSITORY = Path(__file__).parent.parent
FIRST_DAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
IN_JAPAN = {**DAY_ONE, "country": "Japan"}
BESIDE = "My sister rang at last, out of the blue"


class Terminal:
    """Calls of the command for one client, on one folder."""

    def __init__(self, folder: Path, client: str) -> None:
        self.folder = folder
        self.client = client

    def chat(self, lines: list[str], at: str) -> list[str]:
        """What one call prints for the lines piped into it."""
        ended = self.call(lines, at)
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr == ""
        return ended.stdout.splitlines()

    def call(self, lines: list[str], at: str) -> subprocess.CompletedProcess[str]:
        """One call and how it ended."""
        command = [sys.executable, "-m", "bot", "chat", "--client", self.client, "--at", at]
        return subprocess.run(
            command,
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            check=False,
            cwd=REPOSITORY,
            env=os.environ | {"DATA_DIR": str(self.folder), "OPERATOR": "Robin", "PYTHONUTF8": "1"},
            timeout=60,
        )

    @property
    def progress(self) -> Progress:
        store = Store.open(self.folder)
        try:
            with store.begin() as work:
                chat = work.clients.at(f"terminal:{self.client}")
            assert chat is not None
            return chat.progress
        finally:
            store.close()


def lines_of(story: Story, answers: Mapping[str, str], *, most: int = 60, numbered: bool = False) -> list[str]:
    """What the client says until nothing is open; with `numbered`, choices by their number where that can be."""
    said: list[str] = []
    while story.progress.runs and len(said) < most:
        line = reply(story, answers)
        labels = [offer.label for offer in story.offers if offer.key != FINISHED]
        picks = numbered and line in labels and not any(label.isdecimal() for label in labels)
        said.append(str(labels.index(line) + 1) if picks else line)
        story.says(line)
    return said


def given(progress: Progress) -> dict[str, str]:
    """Everything known, without its instants."""
    return {name: fact.value for name, fact in progress.facts.items()}


@pytest.fixture
def story(machines: Machines, prompts: Prompts) -> Story:
    """The same conversation in memory, at its first question."""
    return Story(machines, prompts, now=FIRST_DAY).says("hello")


def test_day_1_takes_fifteen_lines_at_most_and_gives_something_back_by_the_tenth(
    tmp_path: Path, story: Story
) -> None:
    lines = ["hello", *lines_of(story, IN_JAPAN, numbered=True)]
    assert len(lines) - 1 <= 15
    assert sum(line.isdecimal() for line in lines) >= 6, "choices are typed as numbers"
    terminal = Terminal(tmp_path, "bea")
    printed = terminal.chat(lines, "2026-01-05T09:00")
    assert given(terminal.progress) == given(story.progress)
    spoken = [line[6:] for line in printed if line.startswith("bea")]
    assert spoken == lines, "a pipe leaves a transcript"
    tenth = [number for number, line in enumerate(printed) if line.startswith("bea")][10]
    after = next(n for n, line in enumerate(printed) if n > tenth and line.startswith("bea"))
    so_far = " ".join(printed[:after]).lower()
    assert so_far.count(IN_JAPAN["moment_person"]) >= 2, "their own word comes back"
    assert "a mood of four" in so_far


def test_a_call_that_stops_in_the_middle_is_gone_on_with_by_the_next_and_later_days_come(
    tmp_path: Path, story: Story
) -> None:
    terminal = Terminal(tmp_path, "ana")
    lines = ["hello", *lines_of(story, IN_JAPAN)]
    terminal.chat(lines[:6], "2026-01-05T09:00")
    assert terminal.progress.runs
    terminal.chat(lines[6:], "2026-01-05T09:10")
    assert given(terminal.progress) == given(story.progress)

    # Day 2, at the hour they chose, on their own clock.
    story.passes(days=1)
    opening = " ".join(story.bubbles[0].split()[:4])
    first = reply(story, NOTHING_WRONG)
    printed = terminal.chat([BESIDE, first, "/export", "1"], "2026-01-06T09:00")
    assert printed[0].startswith("bot"), "what fell due is said before the line that comes after it"
    assert any(opening in line for line in printed)
    exported = tmp_path / "exports" / "ana" / "my-notebook.json"
    assert BESIDE in _words_in(json.loads(exported.read_text(encoding="utf-8")))
    assert any(line.endswith(str(exported)) for line in printed), "the path stands whole, to be copied"

    # The rest of day 2 in one pipe, and day 4 by letting three days pass.
    story.says(first)
    rest = lines_of(story, {**NOTHING_WRONG, **SAD_WEEKS})
    printed = terminal.chat([*rest, "-- 3 days --"], "2026-01-06T09:20")
    assert SUITABILITY in terminal.progress.done
    assert "phq9_total" in terminal.progress.facts
    first_people = terminal.progress.runs[0]
    assert first_people.dialogue == FIRST_PEOPLE
    assert first_people.opened == datetime(2026, 1, 8, 0, 0, tzinfo=UTC), "day 4, nine o'clock in Japan"
    assert printed[-1].startswith(" "), "the question stands at the end, with its choices"


def test_an_at_that_is_no_time_gives_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    ended = Terminal(tmp_path / "data", "ana").call(["hello"], "2026-13-41T09:00")
    assert ended.returncode == 2
    assert "--at" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    assert not (tmp_path / "data").exists(), "nothing was begun"


def test_time_that_passes_can_be_said_in_several_words(
    tmp_path: Path, story: Story, book: Book, machines: Machines, prompts: Prompts
) -> None:
    app = app_on(tmp_path, book, machines, prompts)
    shown: list[str] = []
    console = Console(app, "ana", shown.append, FIRST_DAY)
    lines = ["hello", *lines_of(story, DAY_ONE)]
    console.run([*lines, "/checkin", "-- 30 minutes --", "-- 9 hours --", "--1 hour--", "-- 1 week --"], echo=False)
    app.store.close()
    progress = Terminal(tmp_path, "ana").progress
    assert progress.done[CHECK_IN].outcome == "unanswered"
    (day_2,) = progress.runs
    assert day_2.dialogue == SUITABILITY
    assert FIRST_DAY < day_2.opened < FIRST_DAY + timedelta(days=2)
    assert not any(line.startswith("ana") for line in shown), "at a terminal their own line stands there already"


def _words_in(document: object) -> set[str]:
    if isinstance(document, dict):
        return set().union(*(_words_in(value) for value in document.values()))
    if isinstance(document, list):
        return set().union(*(_words_in(value) for value in document))
    return {document} if isinstance(document, str) else set()
