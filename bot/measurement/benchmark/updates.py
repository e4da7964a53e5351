"""Makes updates as Telegram delivers them: a text of a client, or a tap on a button."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def text_update(number: int, chat: int, message_id: int, at: datetime, text: str) -> dict[str, Any]:
    """An update in which a client writes `text`. `number` is the update's own id."""
    return {"update_id": number, "message": _message(chat, message_id, at, text)}


def tap_update(number: int, chat: int, message_id: int, at: datetime, button: str) -> dict[str, Any]:
    """An update in which a client taps a button of message `message_id`; `button` is its callback data."""
    query = {"id": "1", "from": _user(chat), "chat_instance": "1", "data": button}
    return {"update_id": number, "callback_query": {**query, "message": _message(chat, message_id, at, "How is it?")}}


def _message(chat: int, message_id: int, at: datetime, text: str) -> dict[str, Any]:
    where = {"id": chat, "type": "private", "first_name": "Ana"}
    command = [{"offset": 0, "length": len(text), "type": "bot_command"}] if text.startswith("/") else None
    message = {
        "message_id": message_id,
        "date": int(at.timestamp()),
        "chat": where,
        "from": _user(chat),
        "text": text,
    }
    return message | ({"entities": command} if command else {})


def _user(chat: int) -> dict[str, Any]:
    return {"id": chat, "is_bot": False, "first_name": "Ana", "language_code": "en"}
