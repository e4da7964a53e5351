"""What every test may ask for: the real book, its machines, its words, a store, and a whole app on a fresh folder."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from bot.app import App
from bot.conversation import Conversation
from bot.settings import Settings
from dialogues import book as books
from dialogues.book import Book
from dialogues.helplines.tables import HelpLines
from dialogues.reading import signals
from dialogues.rendering.prompts import Prompts
from state_machine.turn import machine
from state_machine.turn.machine import Machines
from storage.store import Store
from tests.planning import at_rest, with_a_plan
from tests.post_office import Post
from tests.talking import DAY_ONE, Client, Story

SLOW = {
    "test_a_widower.py",
    "test_alarm.py",
    "test_plan_within_reach.py",
    "test_screen.py",
    "test_gazetteer.py",
    "test_aimed_at_somebody.py",
    "test_bench.py",
    "test_broken.py",
    "test_clock_told.py",
    "test_closed_gate.py",
    "test_console.py",
    "test_conversation_killed.py",
    "test_courier.py",
    "test_cost_of_a_turn.py",
    "test_covered_talk.py",
    "test_db_worker.py",
    "test_dead_letters.py",
    "test_earlier_data.py",
    "test_every_step.py",
    "test_facts.py",
    "test_holds.py",
    "test_late_taps.py",
    "test_many_facts.py",
    "test_migrations.py",
    "test_moved_on.py",
    "test_names.py",
    "test_no_output_leaks.py",
    "test_no_word_leaks.py",
    "test_old_buttons.py",
    "test_own_lines.py",
    "test_person_gate.py",
    "test_person_release.py",
    "test_plan_in_danger.py",
    "test_promises.py",
    "test_rotation.py",
    "test_safety_commands.py",
    "test_simulation.py",
    "test_sos_alone.py",
    "test_storage_crash.py",
    "test_storage_erasure.py",
    "test_storage_json.py",
    "test_storage_plans.py",
    "test_stories.py",
    "test_taken_out_of_the_chat.py",
    "test_transcripts.py",
    "test_unsealed_export.py",
    "test_what_was_announced.py",
    "test_wheel.py",
    "test_year_of_silence.py",
}
"""Files whose tests walk the whole book, kill processes or let days pass; those of `tests/telegram` are slow, too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in SLOW or item.path.parent.name == "telegram":
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def book() -> Book:
    return books.read()


@pytest.fixture(scope="session")
def machines(book: Book) -> Machines:
    return machine.build(book.script, signals.screen())


@pytest.fixture(scope="session")
def prompts(book: Book) -> Prompts:
    return Prompts(book, HelpLines.read(), "Robin")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store, its files beside whatever else a test puts into its folder."""
    opened = Store.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def app(tmp_path: Path, book: Book, machines: Machines, prompts: Prompts) -> Iterator[App]:
    """Everything, on real files in a folder of its own."""
    settings = Settings(data_dir=tmp_path / "data", operator="Robin", _env_file=None)  # type: ignore[call-arg]
    store = Store.open(settings.data_dir)
    yield App(settings, book, machines, prompts, store, Conversation(store, machines, prompts))
    store.close()


@pytest.fixture
def newcomer(app: App) -> Client:
    """Somebody whom the whole app has asked its first question."""
    client = Client(app)
    client.says("/start")
    return client


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """A courier between a store and a messenger that can be told to fail."""
    made = Post(tmp_path)
    yield made
    made.worker.close()
    made.store.close()


@pytest.fixture
def stranger(machines: Machines, prompts: Prompts) -> Story:
    """Somebody who has just been asked their first question."""
    return Story(machines, prompts).says("/start")


@pytest.fixture
def ana(stranger: Story) -> Story:
    """Ana, in Ireland, in the evening of her first day."""
    return stranger.answers(DAY_ONE)


@pytest.fixture
def resting(machines: Machines, prompts: Prompts) -> Story:
    """Ana, who has said yes and has nothing open."""
    return at_rest(machines, prompts)


@pytest.fixture
def planned(resting: Story) -> Story:
    """Ana, who reads her plan for hard moments."""
    return with_a_plan(resting)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was tested against."""
    parts = ("python-telegram-bot", "lo-bot-api-emulator", "SQLAlchemy", "transitions", "Jinja2")
    named = ", ".join(f"{part} {version(part)}" for part in parts)
    terminalreporter.write_line(
        f"Tested against Python {platform.python_version()}, SQLite {sqlite3.sqlite_version} (real files), {named}."
    )
