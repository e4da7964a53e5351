"""What `/export` writes in a terminal is not sealed, and nobody but its owner can read it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.app import App
from bot.console import Console
from tests.talking import Client


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    """The rights most systems give: all may read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize("there_before", [False, True])
def test_only_its_owner_can_read_what_was_exported_in_a_terminal(app: App, there_before: bool) -> None:
    exports = app.settings.data_dir / "exports"
    notebook = exports / "me" / "my-notebook.json"
    app.settings.data_dir.chmod(0o755)
    if there_before:
        notebook.parent.mkdir(parents=True)
        notebook.write_text("from an earlier release")
    me = Client(app, "me")
    me.address = "terminal:me"
    me.day_one()
    terminal = Console(app, "me", lambda _: None, me.now)
    terminal.say("/export")
    terminal.say("1")
    assert "quarrelled" in notebook.read_text(encoding="utf-8")
    assert [_rights(path) for path in (exports, notebook.parent, notebook)] == [0o700, 0o700, 0o600]


def _rights(path: Path) -> int:
    return path.stat().st_mode & 0o777
