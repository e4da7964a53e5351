"""Help comes in one turn with the network cut and every other dialogue broken, and fixed words if even that fails."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dialogues import book as books
from dialogues.book import Book
from dialogues.helplines.tables import HelpLines
from state_machine.programme.rows import PHASES
from state_machine.programme.tables import SOS
from storage.store import Store
from tests import cut_off as alone
from tests.talking import Client

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "dialogues" / "en"
PLAN = ("always/plan", "always/plan_making")
WHOLE = (SOS, *PLAN)
"""What is left whole: the talk that /sos opens, and the plan for hard moments with what is kept in it."""
DAMAGES: tuple[Callable[[str], str], ...] = (
    lambda text: text.replace("](#", "](#no_such_step_", 1) if "](#" in text else "",
    lambda text: text[:30],
    lambda text: text.replace("outcomes:", "outcomes", 1),
    lambda _: "",
)
COMMANDS = ("/sos", "help me", "emergency")
EXPLICIT = "I am going to kill myself tonight"


@dataclass
class CutOff:
    """The process without a network."""

    process: subprocess.Popen[str]

    def answers(self, *says: str, phase: str | None, breaks: tuple[str, ...] = ()) -> list[list[str]]:
        """What a new client in a phase (None: before consent) is answered, for each thing they say."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"says": says, "phase": phase, "break": breaks}) + "\n")
        self.process.stdin.flush()
        answered: list[list[str]] = json.loads(self.process.stdout.readline())
        return answered


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped book with every other dialogue damaged, one way or another."""
    folder = tmp_path_factory.mktemp("damaged") / "en"
    shutil.copytree(SHIPPED, folder)
    others = [path for path in sorted(folder.glob("*/**/*.md")) if _name(path, folder) not in WHOLE]
    for number, path in enumerate(others):
        path.write_text(DAMAGES[number % len(DAMAGES)](path.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def cut_off(damaged: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CutOff]:
    arguments = [sys.executable, "-m", "tests.cut_off", str(damaged), str(tmp_path_factory.mktemp("data") / "data")]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT
    ) as process:
        yield CutOff(process)
        assert process.stdin
        process.stdin.close()


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix().removesuffix(".md")


def test_every_other_dialogue_really_is_broken(damaged: Path) -> None:
    read = books.read(damaged)
    assert sorted(read.script.dialogues) == sorted(WHOLE)
    assert {fault.file for fault in read.faults} >= {"always/go_on.md", "welcome/first_words.md"}


def test_the_process_has_no_network() -> None:
    code = "import socket, tests.cut_off as c; c.socket.socket = c.refuse; socket.create_connection(('127.0.0.1', 1))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert "the network is cut" in ended.stderr


@pytest.mark.parametrize("phase", [None, *PHASES])
@pytest.mark.parametrize("words", [*COMMANDS, EXPLICIT])
def test_help_comes_in_one_turn_with_the_book_half_broken(words: str, phase: str | None, cut_off: CutOff) -> None:
    [answer] = cut_off.answers(words, phase=phase)
    said = "\n".join(answer)
    if phase is None:
        assert "112 in the EU and on many mobiles" in said
        assert "findahelpline.com" in said
    else:
        assert "Emergency (Ireland): 112" in said
        assert all(row.name in said for row in HelpLines.read().by_country["IE"] if row.kind == "crisis")


@pytest.mark.parametrize("phase", [None, *PHASES])
def test_the_plan_opens_alone_too(phase: str | None, cut_off: CutOff) -> None:
    [answer] = cut_off.answers("/plan", phase=phase)
    assert answer


def test_the_talk_goes_on_alone(cut_off: CutOff) -> None:
    first, then, typed = cut_off.answers("/sos", "I might act soon", "something typed", phase="assessment")
    assert first
    assert then not in ([], first)
    assert typed


@pytest.mark.parametrize("phase", [None, *PHASES])
@pytest.mark.parametrize("words", [EXPLICIT, *COMMANDS])
def test_fixed_words_come_when_a_template_of_the_talk_fails(
    words: str, phase: str | None, cut_off: CutOff, book: Book
) -> None:
    [answer] = cut_off.answers(words, phase=phase, breaks=(SOS,))
    assert answer == [book.refrains["help_if_all_fails"][0]]


@pytest.mark.parametrize("phase", [None, *PHASES])
def test_fixed_words_come_when_the_talk_breaks_in_its_middle(phase: str | None, tmp_path: Path, book: Book) -> None:
    """A tap inside the talk has no words of danger in it, and must not get the small apology of other faults."""
    store = Store.open(tmp_path / "data")
    try:
        client = Client(alone.app_on_this(store, tmp_path / "data", book), "ana")
        if phase is not None:
            alone.known_in(client, phase)
        assert client.says("/sos")
        run = client.progress.runs[-1]
        label = client.app.prompts.offers_of(run, client.progress, client.now)[0].label
        client.app = alone.app_on_this(store, tmp_path / "data", alone.with_broken(book, [SOS]))
        assert client.says(label) == [book.refrains["help_if_all_fails"][0]]
    finally:
        store.close()


def test_the_fixed_words_need_nothing_and_name_numbers(book: Book) -> None:
    [words] = book.refrains["help_if_all_fails"]
    assert "{" not in words
    assert "112" in words
    assert "findahelpline.com" in words
    assert len(words.split()) <= 40
