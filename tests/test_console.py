"""The terminal as a real process: `printf 'hello\\n…' | ipt-bot chat --client ana --at 2026-01-05T09:00`.

What to say is found by telling the same story in memory first, so that no wording stands here.
"""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import App
from bot.console import Console, meant
from bot.conversation import InboundEvent
from bot.delivery.messenger import traits_of
from dialogues.book import Book
from dialogues.rendering.prompts import Prompts
from dialogues.templates import TRAITS
from state_machine.model.events import Said
from state_machine.model.outgoing import Message
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
                chat = work.chats.find(f"terminal:{self.client}")
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


ONE_OF_THREE = (
    "1",
    "1.",
    "1)",
    "(1)",
    "[1]",
    "#1",
    "no 1",
    "No. 1",
    "nr 1",
    "number 1",
    " 1 ",
    "1:",
    "№ 1",
    "\uff11",
)
SEVERAL = ("1 and 3", "1,3", "1, 3", "1 3", "1 & 3", "#1 #3", "(1) and (3)", "1., 3.", "[1] [3]", "1, and 3", "1+3")


@pytest.mark.parametrize("typed", [*ONE_OF_THREE, "1 Talk", "[1 talk]", "1. Talk"])
def test_the_number_of_a_choice_counts_however_it_is_written(typed: str) -> None:
    assert meant(typed, ("Talk", "Walk", "Rest"), several=False) == "Talk"


@pytest.mark.parametrize("typed", SEVERAL)
def test_several_numbers_are_taken_where_several_may_be_picked_and_only_there(typed: str) -> None:
    assert meant(typed, ("sad", "numb", "calm"), several=True) == "sad, calm"
    assert meant(typed, ("sad", "numb", "calm"), several=False) == typed


@pytest.mark.parametrize(
    "typed",
    ["0", "4", "no", "No 1 cares", "1 Walk", "1.5", "24.3.2026", "19:30", "-1", "1 or 2 times", "", "()", "1-3"],
)
def test_what_is_no_number_of_a_choice_stays_as_it_was_typed(typed: str) -> None:
    assert meant(typed, ("Talk", "Walk", "Rest"), several=False) == typed


@pytest.mark.parametrize("typed", [*ONE_OF_THREE, *SEVERAL])
def test_where_a_step_asks_for_a_number_a_number_is_the_answer(typed: str) -> None:
    assert meant(typed, ("0", "1", "2", "3", "Not now"), several=False) == typed


def test_an_empty_line_shows_the_choices_again_and_answers_nothing(
    tmp_path: Path, book: Book, machines: Machines, prompts: Prompts
) -> None:
    app = app_on(tmp_path, book, machines, prompts)
    shown: list[str] = []
    console = Console(app, "ana", shown.append, FIRST_DAY)
    console.run([""], echo=False)
    assert shown == [], "nobody is there yet"
    console.run(["hello"], echo=False)
    choices = [line for line in shown if line.lstrip().startswith("[1 ")]
    before = _progress(app)
    shown.clear()
    for empty in ("", "   ", "\t"):
        console.say(empty)
    assert shown == 3 * choices
    assert _progress(app) == before
    app.store.close()


def test_lines_fit_a_narrow_screen_and_no_choice_is_broken_that_fits(
    tmp_path: Path, book: Book, machines: Machines, prompts: Prompts, story: Story
) -> None:
    app = app_on(tmp_path, book, machines, prompts)
    shown: list[str] = []
    Console(app, "ana", shown.append, FIRST_DAY, width=60).run(["hello", *lines_of(story, DAY_ONE)], echo=False)
    app.store.close()
    lines = [line for printed in shown for line in printed.split("\n")]
    assert max(map(len, lines)) <= 60
    listed = [line for line in lines if line.startswith("      [")]
    assert listed
    assert all(line.count("[") == line.count("]") for line in listed)


def test_bytes_that_are_no_text_end_nothing(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "chat", "--at", "2026-01-05T09:00"],
        input=b"hello\ncaf\xe9 \xf0\x9f\n",
        capture_output=True,
        check=False,
        cwd=REPOSITORY,
        env=os.environ | {"DATA_DIR": str(tmp_path), "PYTHONUTF8": "1"},
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count(b"\nbot   ") > 2


def test_the_screen_says_how_to_type_before_anything_heavy_is_loaded(tmp_path: Path) -> None:
    """At a real terminal: the hint is the first line, then the greeting; /quit ends and is no answer."""
    loaded = "import sys, bot.cli; sys.exit(bool({'bot.app', 'sqlalchemy', 'jinja2', 'storage'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", loaded], cwd=REPOSITORY, check=False).returncode == 0
    ours, theirs = pty.openpty()
    chat = subprocess.Popen(
        [sys.executable, "-m", "bot", "chat"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=REPOSITORY,
        env=os.environ | {"DATA_DIR": str(tmp_path), "PYTHONUTF8": "1", "TERM": "dumb"},
    )
    os.close(theirs)
    os.write(ours, b"/quit\n")
    printed = b""
    with suppress(OSError), os.fdopen(ours, "rb", buffering=0) as screen:  # Linux: an error at the end
        while piece := screen.read(4096):
            printed += piece
    assert chat.wait(timeout=60) == 0
    text = printed.decode()
    assert text.index("Type an answer") < text.index("bot   Hello")
    assert Terminal(tmp_path, "me").progress.heard is not None
    assert text.count("bot   Hello") == 1


GESTURES = re.compile(
    r"\bpin(ned)?\b|\bhold (it|the chat|this chat|your finger)|\bbuttons?\b|\bout of (this|the) chat\b|"
    r"Telegram (carries|has)|at Telegram|^tap | tap (the|one|what)\b",
    re.IGNORECASE,
)
TAPPED_ONLY = {"old_button"}
"""Refrains that answer what can only be done by a tap."""


def test_nothing_is_said_in_a_terminal_that_only_a_messenger_can_do(book: Book) -> None:
    assert traits_of("terminal:me") == frozenset()
    assert traits_of("telegram:7:1") == TRAITS
    bubbles = [
        (f"{dialogue.name}#{step.name}", wording)
        for dialogue in book.script.dialogues.values()
        for step in dialogue.steps.values()
        for bubble in step.bubbles
        for wording in bubble.wordings
    ]
    refrains = [(name, w) for name, those in book.refrains.items() if name not in TAPPED_ONLY for w in those]
    said = {f"{place}: {wording}" for place, wording in bubbles + refrains if GESTURES.search(_in_terminal(wording))}
    assert said == set()
    guarded = [wording for _, wording in bubbles + refrains if "{% if can_" in wording]
    assert any(GESTURES.search(wording) for wording in guarded), "in a messenger it is said"


def test_the_same_question_is_answered_by_what_is_true_where_the_client_is(
    tmp_path: Path, book: Book, machines: Machines, prompts: Prompts, story: Story
) -> None:
    app = app_on(tmp_path, book, machines, prompts)
    how_kept = story.offers[1].label
    said: dict[str, str] = {}
    for address in ("terminal:ana", "telegram:7:1"):
        for line in ("hello", how_kept):
            app.conversation.receive(InboundEvent(f"{address}{line}", address, Said(FIRST_DAY, line)))
        with app.store.begin() as work:
            chat = work.chats.find(address)
            assert chat is not None
            messages = [waiting.content for waiting in work.outbox.all_for(chat.client)]
            said[address] = " ".join(message.text for message in messages if isinstance(message, Message))
    app.store.close()
    assert GESTURES.search(said["telegram:7:1"])
    assert not GESTURES.search(said["terminal:ana"])


def _in_terminal(wording: str) -> str:
    """The wording without what stands under a trait that a terminal has not."""
    traits = "|".join(TRAITS)
    return re.sub(rf"{{% if ({traits}) %}}.*?{{% (else|endif) %}}", "", wording, flags=re.DOTALL)


def _progress(app: App) -> Progress:
    with app.store.begin() as work:
        chat = work.chats.find("terminal:ana")
    assert chat is not None
    return chat.progress


def _words_in(document: object) -> set[str]:
    if isinstance(document, dict):
        return set().union(*(_words_in(value) for value in document.values()))
    if isinstance(document, list):
        return set().union(*(_words_in(value) for value in document))
    return {document} if isinstance(document, str) else set()
