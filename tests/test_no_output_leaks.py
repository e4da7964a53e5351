"""The running bot, with marked updates and a Telegram that repeats what it was told: nothing of it in any output."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

from tests.marked import CHAT, MARKS, NAME, NICKNAME, WORDS, nothing_in, nothing_in_files
from tests.stand_in import TOKEN, Answer, StandIn, refused

REPOSITORY = Path(__file__).parent.parent
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
    nothing_in(out, "standard output", marks)
    nothing_in(err, "standard error", marks)
    assert b"client " in err, "something was logged"
    nothing_in_files(tmp_path / "data", marks)
    with sqlite3.connect(tmp_path / "data" / "companion.sqlite") as data:
        assert data.execute("SELECT count(*) FROM chats").fetchone()[0] >= 9
    data.close()
