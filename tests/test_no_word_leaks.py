"""Marked words, names and numbers are sent through every path, faults included, and searched for everywhere.

Nothing of them may stand in a log line, an output, an exception or a file, whatever disguise it wears.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import settings
from bot.app import App
from bot.conversation import Conversation, InboundEvent
from bot.settings import SettingsRefused
from dialogues.helplines.tables import HelpLines
from dialogues.rendering.prompts import Prompts
from state_machine.model.events import Edited, Said, Shared, Tapped
from state_machine.model.script import Bubble
from state_machine.schedule import triggers
from storage.errors import DecryptionError, Malformed
from storage.repositories.chats import read_progress
from storage.repositories.entries import read_entry
from storage.repositories.outbox import read_message
from tests.marked import ANSWERS, CHAT, MARKS, NICKNAME, WORDS, nothing_in, nothing_in_files
from tests.stand_in import TOKEN
from tests.stores import backup, change, disguises
from tests.talking import Client, label_to, walk


@pytest.fixture
def marked(app: App) -> Client:
    """Somebody whose every answer is marked."""
    client = Client(app, str(CHAT))
    client.says("/start")
    walk(client, ANSWERS)
    client.says("/people")
    client.says(label_to(client, "add"))
    client.says(NICKNAME)
    client.says("later")
    return client


def _every_event(client: Client) -> Iterator[InboundEvent]:
    """One of everything that can happen, all of it marked."""
    at = client.now
    events: list[Said | Tapped | Shared | Edited] = [
        Said(at, WORDS),
        Said(at, f"/checkin {WORDS}"),
        Said(at, f"/{NICKNAME}"),
        Said(at, f"{WORDS} " * 300),
        Said(at, WORDS, early=True),
        Tapped(at, f"1:{NICKNAME}:{WORDS}"),
        Tapped(at, WORDS),
        Shared(at, "photo", WORDS),
        Shared(at, NICKNAME, WORDS),
        Edited(at, WORDS),
    ]
    for number, event in enumerate(events):
        tapped = isinstance(event, Tapped)
        key = f"{client.address}:{number}:{WORDS}"
        last = client.last_message
        yield InboundEvent(key, client.address, event, last, WORDS if tapped else None, WORDS.encode(), WORDS)


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    """Else all of this would prove nothing."""
    for number, mark in enumerate(MARKS):
        for disguise in disguises(mark):
            (tmp_path / f"{number}").write_bytes(b"\x00\xff" + disguise + b"\x00")
            with pytest.raises(AssertionError):
                nothing_in_files(tmp_path)


def test_no_file_and_no_log_line_carries_a_word_whatever_is_sent(
    marked: Client, app: App, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for heard in _every_event(marked):
            assert app.conversation.receive(heard)
            nothing_in_files(app.settings.data_dir)
            marked.carried()
        due = triggers.next_wake(app.machines.script, marked.progress)
        if due is not None:
            marked.wakes(due)
    nothing_in(caplog.text, "the log")
    backup(app.settings.data_dir / "companion.sqlite", tmp_path / "backup.sqlite")
    nothing_in((tmp_path / "backup.sqlite").read_bytes(), "a backup")
    app.store.close()
    nothing_in_files(app.settings.data_dir)


def test_no_fault_of_a_turn_carries_a_word(marked: Client, app: App, caplog: pytest.LogCaptureFixture) -> None:
    broken = _with_every_step_broken(app)
    with caplog.at_level(logging.DEBUG):
        for heard in _every_event(marked):
            broken.receive(replace(heard, key=f"broken {heard.key}"))
        due = triggers.next_wake(app.machines.script, marked.progress)
        if due is not None:
            broken.wake(marked.chat.client, due, due)
        assert broken.faults
        change(app.settings.data_dir / "companion.sqlite", "UPDATE chats SET progress = x'0102'")
        for heard in _every_event(marked):
            app.conversation.receive(replace(heard, key=f"corrupt {heard.key}"))
    assert app.conversation.faults
    nothing_in(caplog.text, "the log")
    nothing_in(repr([record.__dict__ for record in caplog.records]), "the log records")
    nothing_in_files(app.settings.data_dir)


def test_no_exception_of_the_database_carries_a_word(marked: Client, app: App) -> None:
    for table in ("outbox", "entries", "inbox", "chats"):
        change(app.settings.data_dir / "companion.sqlite", f"ALTER TABLE {table} RENAME TO {table}_away")
        with pytest.raises(Exception, match=table) as raised:
            app.conversation.receive(marked.heard(WORDS))
        nothing_in("".join(traceback.format_exception(raised.value)), f"what was raised without {table}")
        change(app.settings.data_dir / "companion.sqlite", f"ALTER TABLE {table}_away RENAME TO {table}")


@pytest.mark.parametrize("read", [read_progress, read_entry, read_message], ids=lambda read: read.__name__)
def test_no_exception_of_reading_carries_a_word(read: Any) -> None:
    for content in (WORDS, json.dumps(WORDS), json.dumps({"phase": 3, "type": WORDS, "run": WORDS})):
        with pytest.raises(Malformed) as raised:
            read(content.encode())
        nothing_in("".join(traceback.format_exception(raised.value)), "what was raised")


def test_no_exception_of_sealing_carries_a_word(marked: Client, app: App) -> None:
    client = marked.chat.client
    with app.store.begin() as work:
        encrypted = work.vault.encrypt(client, "entries.body", WORDS.encode())
        nothing_in(encrypted, "what was sealed")
        with pytest.raises(DecryptionError) as raised:
            work.vault.decrypt(client, "chats.progress", encrypted)
    nothing_in("".join(traceback.format_exception(raised.value)), "what was raised")


def test_no_refusal_of_a_setting_carries_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPERATOR_KEY", WORDS)
    monkeypatch.setenv("LOG_LEVEL", NICKNAME)
    with pytest.raises(SettingsRefused) as raised:
        settings.read()
    nothing_in("".join(traceback.format_exception(raised.value)), "what was raised", (WORDS,))
    monkeypatch.delenv("LOG_LEVEL")
    monkeypatch.delenv("OPERATOR_KEY")
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    nothing_in(f"{settings.read()!r} {settings.read()}", "the settings as text", (TOKEN,))


def test_after_erasure_no_file_carries_a_word_and_nothing_leads_back(marked: Client, app: App) -> None:
    marked.says("/delete")
    app.conversation.receive(marked.heard(label_to(marked, "delete")))
    nothing_in_files(app.settings.data_dir)
    with app.store.begin() as work:
        assert work.vault.find_client(marked.address) is None
        parting = next(iter(work.erasure_notices.due("telegram:7", marked.now)), None)
        assert parting is not None
        work.erasure_notices.delete(parting.id)
    nothing_in_files(app.settings.data_dir)


def _with_every_step_broken(app: App) -> Conversation:
    """A conversation with a book that breaks on the client's own words, wherever they are said."""
    bubble = Bubble(("{{ wish }}{{ nobody_knows_this }}",))
    dialogues = {
        name: replace(
            found,
            steps={
                step: replace(here, bubbles=(bubble,)) if here.bubbles else here for step, here in found.steps.items()
            },
        )
        for name, found in app.book.script.dialogues.items()
    }
    script = replace(app.book.script, dialogues=dialogues)
    prompts = Prompts(replace(app.book, script=script), HelpLines.read(), "Robin")
    return Conversation(app.store, replace(app.machines, script=script), prompts)
