"""The operator's report on safety talks: months, kinds and bands from five up, without text or clients."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.app import App
from bot.cli import cli
from bot.operator.counters import report
from tests.talking import Client

EXPLICIT = "I am going to kill myself tonight"


def report_lines(app: App) -> list[str]:
    return list(report(app.settings))


def count(app: App, name: str, times: int, month: date = date(2026, 11, 1)) -> None:
    with app.store.begin() as work:
        for _ in range(times):
            work.counters.increment(month, name)


def test_counts_are_listed_by_month_and_kind_in_bands(app: App) -> None:
    count(app, "self 1", 5)
    count(app, "self 2", 23)
    count(app, "someone_else 3", 140, date(2026, 12, 24))
    assert report_lines(app) == [
        "2026-11  self, explicit: 5-9",
        "2026-11  self, asked about: 20-49",
        "2026-12  someone else, about somebody else: 100-199",
        "Counts below 5 are not shown, because a small count could identify a client.",
    ]


def test_fewer_than_five_are_not_told(app: App) -> None:
    count(app, "self 1", 4)
    assert len(report_lines(app)) == 1


def test_what_was_said_is_counted_and_no_word_of_it_is_told(app: App) -> None:
    for number in range(6):
        Client(app, f"client {number}").says(EXPLICIT)
    first, last = report_lines(app)
    assert re.fullmatch(r"\d{4}-\d\d  self, explicit: 5-9", first)
    assert "kill" not in first + last


def test_the_command_creates_nothing_where_there_is_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "nothing here"
    monkeypatch.setenv("DATA_DIR", str(folder))
    ended = CliRunner().invoke(cli, ["counters"])
    assert ended.exit_code == 0
    assert ended.stdout == f"There is no data in {folder} yet.\n"
    assert not folder.exists()


def test_the_guide_says_that_small_counts_are_hidden() -> None:
    guide = (Path(__file__).parent.parent / "docs" / "running.md").read_text(encoding="utf-8")
    assert "nothing below five is told" in guide
