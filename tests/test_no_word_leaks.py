"""Marked words, names and numbers are sent through every path, faults included, and searched for everywhere.

Nothing of them may stand in a log line, an output, an exception or a file, whatever disguise it wears.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sqlite3
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import settings
from bot.app import App
from bot.conversation import Conversation, Heard
from bot.settings import SettingsRefused
from dialogues.book import Book
from dialogues.lines import Lines
from dialogues.prompts import Prompts
from state_machine import occasions
from state_machine.chart import Charts
from state_machine.events import Edited, Said, Shared, Tapped
from state_machine.script import Bubble
from storage.codec import Malformed, read_entry, read_message, read_progress
from storage.errors import InvalidSealing
from tests.stand_in import TOKEN, Answer, StandIn, refused
from tests.storing import backup, change, disguises
from tests.talking import DAY_ONE, Client, app_on, label_to, walk

REPOSITORY = Path(__file__).parent.parent
WORDS = "Zwölfender Kennwort im Heidekraut"
NICKNAME = "Bertalein-Schnuffel"
NAME = "Marigold Quastenflosser"
CHAT = 778_899_001_133
MARKS = (WORDS, NICKNAME, NAME, NAME.split()[1], str(CHAT))
ANSWERS = {**DAY_ONE, "name": NAME, "moment_person": NICKNAME, "wish": WORDS, "felt": f"sad, {WORDS}"}


@pytest.fixture
def app(tmp_path: Path, book: Book, charts: Charts, prompts: Prompts) -> Iterator[App]:
    """Everything, on real files in a folder of its own."""
    made = app_on(tmp_path / "data", book, charts, prompts)
    yield made
    made.store.close()


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


def _nothing_in(content: bytes | str, where: object, marks: tuple[str, ...] = MARKS) -> None:
    found = content.encode() if isinstance(content, str) else content
    any_case = found.lower()
    for mark in marks:
        assert mark.lower().encode() not in any_case, f"{mark!r} stands in {where}"
        for disguise in disguises(mark):
            assert disguise not in found, f"{mark!r} as {disguise[:30]!r} stands in {where}"


def _nothing_in_files(folder: Path, marks: tuple[str, ...] = MARKS) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        _nothing_in(path.read_bytes(), path.name, marks)


def _every_event(client: Client) -> Iterator[Heard]:
    """One of everything that can happen, all of it marked."""
    at = client.now
    events: list[Said | Tapped | Shared | Edited] = [
        Said(at, WORDS),
        Said(at, f"/checkin {WORDS}"),
        Said(at, f"/{NICKNAME}"),
        Said(at, f"{WORDS} " * 300),
        Said(at, WORDS, crossed=True),
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
        yield Heard(key, client.address, event, last, WORDS if tapped else None, WORDS.encode(), WORDS)


# --- in our own hands --------------------------------------------------------------------


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    """Else all of this would prove nothing."""
    for number, mark in enumerate(MARKS):
        for disguise in disguises(mark):
            (tmp_path / f"{number}").write_bytes(b"\x00\xff" + disguise + b"\x00")
            with pytest.raises(AssertionError):
                _nothing_in_files(tmp_path)


def test_no_file_and_no_log_line_carries_a_word_whatever_is_sent(
    marked: Client, app: App, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for heard in _every_event(marked):
            assert app.conversation.hear(heard)
            _nothing_in_files(app.settings.data_dir)
            marked.carried()
        due = occasions.next_wake(app.charts.script, marked.progress)
        if due is not None:
            marked.wakes(due)
    _nothing_in(caplog.text, "the log")
    backup(app.settings.data_dir / "companion.sqlite", tmp_path / "backup.sqlite")
    _nothing_in((tmp_path / "backup.sqlite").read_bytes(), "a backup")
    app.store.close()
    _nothing_in_files(app.settings.data_dir)


def test_no_fault_of_a_turn_carries_a_word(marked: Client, app: App, caplog: pytest.LogCaptureFixture) -> None:
    broken = _with_every_step_broken(app)
    with caplog.at_level(logging.DEBUG):
        for heard in _every_event(marked):
            broken.hear(replace(heard, key=f"broken {heard.key}"))
        due = occasions.next_wake(app.charts.script, marked.progress)
        if due is not None:
            broken.wake(marked.chat.client, due, due)
        assert broken.faults
        change(app.settings.data_dir / "companion.sqlite", "UPDATE chats SET progress = x'0102'")
        for heard in _every_event(marked):
            app.conversation.hear(replace(heard, key=f"corrupt {heard.key}"))
    assert app.conversation.faults
    _nothing_in(caplog.text, "the log")
    _nothing_in(repr([record.__dict__ for record in caplog.records]), "the log records")
    _nothing_in_files(app.settings.data_dir)


def test_no_exception_of_the_database_carries_a_word(marked: Client, app: App) -> None:
    for table in ("outbox", "entries", "inbox", "chats"):
        change(app.settings.data_dir / "companion.sqlite", f"ALTER TABLE {table} RENAME TO {table}_away")
        with pytest.raises(Exception, match=table) as raised:
            app.conversation.hear(marked.heard(WORDS))
        _nothing_in("".join(traceback.format_exception(raised.value)), f"what was raised without {table}")
        change(app.settings.data_dir / "companion.sqlite", f"ALTER TABLE {table}_away RENAME TO {table}")


@pytest.mark.parametrize("read", [read_progress, read_entry, read_message], ids=lambda read: read.__name__)
def test_no_exception_of_reading_carries_a_word(read: Any) -> None:
    for content in (WORDS, json.dumps(WORDS), json.dumps({"phase": 3, "type": WORDS, "run": WORDS})):
        with pytest.raises(Malformed) as raised:
            read(content.encode())
        _nothing_in("".join(traceback.format_exception(raised.value)), "what was raised")


def test_no_exception_of_sealing_carries_a_word(marked: Client, app: App) -> None:
    client = marked.chat.client
    with app.store.begin() as work:
        sealed = work.vault.seal(client, "entries.body", WORDS.encode())
        _nothing_in(sealed, "what was sealed")
        with pytest.raises(InvalidSealing) as raised:
            work.vault.open(client, "chats.progress", sealed)
    _nothing_in("".join(traceback.format_exception(raised.value)), "what was raised")


def test_no_refusal_of_a_setting_carries_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPERATOR_KEY", WORDS)
    monkeypatch.setenv("LOG_LEVEL", NICKNAME)
    with pytest.raises(SettingsRefused) as raised:
        settings.read()
    _nothing_in("".join(traceback.format_exception(raised.value)), "what was raised", (WORDS,))
    monkeypatch.delenv("LOG_LEVEL")
    monkeypatch.delenv("OPERATOR_KEY")
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    _nothing_in(f"{settings.read()!r} {settings.read()}", "the settings as text", (TOKEN,))


def test_after_erasure_no_file_carries_a_word_and_nothing_leads_back(marked: Client, app: App) -> None:
    marked.says("/delete")
    app.conversation.hear(marked.heard(label_to(marked, "delete")))
    _nothing_in_files(app.settings.data_dir)
    with app.store.begin() as work:
        assert work.vault.find(marked.address) is None
        parting = work.partings.next(marked.now)
        assert parting is not None
        work.partings.done(parting.id)
    _nothing_in_files(app.settings.data_dir)


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
    prompts = Prompts(replace(app.book, script=script), Lines.read(), "Robin")
    return Conversation(app.store, replace(app.charts, script=script), prompts)


# --- as a process, with Telegram at the other end ------------------------------------------


UNREADABLE = 9
"""The place in the list of an update that no library can read."""


def _updates() -> list[dict[str, Any]]:
    """What Telegram may hand us, each from a chat of its own so that none waits for another."""
    bodies: list[dict[str, Any]] = [
        {"text": "/start"},
        {"text": WORDS},
        {"caption": WORDS, "photo": [_file(width=1, height=1)]},
        {"sticker": _file(width=1, height=1, is_animated=False, is_video=False, type="regular", emoji=WORDS)},
        {"voice": _file(duration=1)},
        {"contact": {"phone_number": str(CHAT), "first_name": NAME, "vcard": WORDS}},
        {"location": {"latitude": 1.0, "longitude": 1.0}},
        {"text": WORDS, "forward_origin": {"type": "hidden_user", "sender_user_name": NAME, "date": 1}},
        {"poll": WORDS},
        {"dice": {"emoji": WORDS, "value": WORDS}},
    ]
    found = [
        {"update_id": number, "message": {**_head(number), **body}} for number, body in enumerate(bodies, start=1)
    ]
    number = len(bodies)
    found.append({"update_id": number + 1, "edited_message": {**_head(1), "text": WORDS, "edit_date": 2}})
    query = {"id": WORDS, "from": _user(2), "chat_instance": "1", "data": f"1:{NICKNAME}:{WORDS}"}
    found.append({"update_id": number + 2, "callback_query": {**query, "message": {**_head(2), "text": WORDS}}})
    group = {"id": -CHAT, "type": "group", "title": WORDS}
    found.append({"update_id": number + 3, "message": {**_head(3), "chat": group, "text": f"@CompanionBot {WORDS}"}})
    member = {"user": _user(4), "status": "kicked", "until_date": 0}
    change_of = {"chat": _head(4)["chat"], "from": _user(4), "date": 1, "old_chat_member": member}
    found.append({"update_id": number + 4, "my_chat_member": {**change_of, "new_chat_member": member}})
    found.append({"update_id": number + 5, "my_chat_member": WORDS})
    found.append({"update_id": number + 6, "message": {"text": WORDS, "chat": NAME}})
    found.append({"update_id": number + 7, "something_new": {"text": WORDS}})
    return found


def _head(number: int) -> dict[str, Any]:
    chat = {"id": CHAT + number, "type": "private", "first_name": NAME, "username": NICKNAME}
    return {"message_id": 1, "date": 1, "chat": chat, "from": _user(number)}


def _user(number: int) -> dict[str, Any]:
    return {"id": CHAT + number, "is_bot": False, "first_name": NAME, "last_name": NAME, "username": NICKNAME}


def _file(**more: Any) -> dict[str, Any]:
    return {"file_id": WORDS, "file_unique_id": WORDS, "file_name": WORDS, **more}


def _trouble(method: str, fields: dict[str, str]) -> Answer | None:
    """A messenger that refuses in many ways, and repeats what it was told while it does."""
    echo = f"{WORDS} {fields.get('chat_id', '')} {fields.get('text', '')}"
    chat = int(fields.get("chat_id", "0")) - CHAT
    troubles: dict[int, Answer] = {
        1: refused(400, f"Bad Request: can't parse {echo}"),
        3: refused(403, f"Forbidden: {echo}"),
        4: refused(400, f"Bad Request: chat not found {echo}"),
        5: refused(429, f"Too Many Requests: {echo}", retry_after=1000),
        6: (500, {"ok": False, "description": echo}),
        7: (200, {"ok": True, "result": {"message_id": echo, "chat": echo}}),
        8: (200, {"nothing": echo}),
    }
    if method == "answerCallbackQuery":
        return refused(400, f"Bad Request: query is too old {echo}")
    return troubles.get(chat) if method.startswith("send") else None


async def test_no_output_of_the_running_bot_carries_a_word_whatever_telegram_says(tmp_path: Path) -> None:
    updates = _updates()
    telegram = StandIn(updates, _trouble)
    address = await telegram.start()
    environment = os.environ | {
        "BOT_TOKEN": TOKEN,
        "BOT_API_URL": address,
        "DATA_DIR": str(tmp_path / "data"),
        "LOG_LEVEL": "DEBUG",
        "PYTHONDEVMODE": "1",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run"),
        env=environment,
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        spoken = {CHAT + number for number in range(1, 11)} - {CHAT + UNREADABLE}

        def all_were_tried() -> bool:
            sent = {int(fields["chat_id"]) for method, fields in telegram.calls if method == "sendMessage"}
            return process.returncode is not None or spoken <= sent

        await telegram.until(all_were_tried, 20)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        out, err = await process.communicate()
        await telegram.stop()
    assert process.returncode == 0, err.decode()[-2000:]
    marks = (*MARKS, TOKEN, TOKEN.split(":")[1])
    _nothing_in(out, "standard output", marks)
    _nothing_in(err, "standard error", marks)
    assert b"client " in err, "something was logged"
    _nothing_in_files(tmp_path / "data", marks)
    with sqlite3.connect(tmp_path / "data" / "companion.sqlite") as data:
        assert data.execute("SELECT count(*) FROM chats").fetchone()[0] >= 9
    data.close()
