"""`ipt-bot rotate-key` replaces the operator's key."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.app import App
from bot.cli import cli
from storage.errors import StoreRefused
from storage.store import Store
from tests.stores import backup
from tests.talking import DAY_ONE, Client, reply

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(app: App, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a running app that has one client."""
    Client(app).says("/start")
    monkeypatch.setenv("DATA_DIR", str(app.settings.data_dir))
    monkeypatch.delenv("OPERATOR_KEY", raising=False)
    return app.settings.data_dir


def test_the_new_key_opens_everything_and_the_old_one_nothing(app: App, folder: Path) -> None:
    ana = Client(app)
    old = (folder / "operator.key").read_bytes()
    before = ana.progress
    ended = CliRunner().invoke(cli, ["rotate-key"])
    assert ended.exit_code == 0, ended.output
    new = (folder / "operator.key").read_bytes()
    assert new != old
    for word in ("operator.key", "keys.sqlite", "The old key no longer opens the key store."):
        assert word in ended.stdout
    for key in (old, new):
        assert key.decode().strip() not in ended.output
    ana.app.conversation.receive(ana.heard(reply(ana, DAY_ONE), key="the next", message_id=99))
    assert ana.progress != before, "the running bot is not affected"
    app.store.close()
    (folder / "operator.key").write_bytes(old)
    with pytest.raises(StoreRefused, match="does not open"):
        Store.open(folder)
    (folder / "operator.key").write_bytes(new)
    again = Store.open(folder)
    with again.begin() as work:
        assert work.chats.find(ana.address) is not None
    again.close()


def test_an_older_copy_of_the_key_store_opens_with_the_old_key_as_the_command_warns(
    folder: Path, tmp_path: Path
) -> None:
    old = base64.b64decode((folder / "operator.key").read_bytes())
    copies = tmp_path / "copies"
    copies.mkdir()
    for name in ("companion.sqlite", "keys.sqlite"):
        backup(folder / name, copies / name)
    ended = CliRunner().invoke(cli, ["rotate-key"])
    assert (
        "3. Destroy every copy of the old key and of the older keys.sqlite: together they still decrypt the data."
        in (ended.stdout)
    )
    Store.open(copies, old).close()


def test_a_key_in_the_environment_is_not_rotated_and_a_sentence_says_what_to_do(folder: Path) -> None:
    kept = {path.name: path.read_bytes() for path in folder.glob("*.key*")}
    keys = (folder / "keys.sqlite").read_bytes()
    given = (folder / "operator.key").read_text(encoding="utf-8").strip()
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "rotate-key"],
        env=os.environ | {"OPERATOR_KEY": given},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("OPERATOR_KEY is set, but rotation needs the key in a file: stop the bot, write")
    assert len(ended.stderr.splitlines()) == 1
    assert given not in ended.stderr + ended.stdout
    assert {path.name: path.read_bytes() for path in folder.glob("*.key*")} == kept
    assert (folder / "keys.sqlite").read_bytes() == keys


def test_a_key_from_the_environment_can_be_rotated_as_the_sentence_says(app: App, folder: Path) -> None:
    given = (folder / "operator.key").read_bytes()
    app.store.close()
    (folder / "operator.key").unlink()
    Store.open(folder, base64.b64decode(given)).close()
    (folder / "operator.key").write_bytes(given)
    assert CliRunner().invoke(cli, ["rotate-key"]).exit_code == 0
    new = base64.b64decode((folder / "operator.key").read_bytes())
    (folder / "operator.key").unlink()
    Store.open(folder, new).close()
    with pytest.raises(StoreRefused, match="does not open"):
        Store.open(folder, base64.b64decode(given))
