"""An update whose turn may fail: how it is written to be kept, without names, and read again after a fix."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from telegram import Update

from bot.conversation import InboundEvent
from bot.telegram.updates import UpdateReader

NAMES = frozenset(
    {
        "first_name",
        "last_name",
        "username",
        "phone_number",
        "vcard",
        "title",
        "sender_user_name",
        "author_signature",
    }
)
"""What an update says of who wrote, or of whom they pass on."""


class NotAnEvent(Exception):
    """What was kept means nothing to this release."""


def written(raw: dict[str, Any]) -> bytes:
    """An update as it is kept if its turn fails."""
    return json.dumps(without_names(raw), separators=(",", ":")).encode()


def without_names(raw: Any) -> Any:
    """An update, or a part of it, with every name in it emptied: left out, the library could not read it again."""
    if isinstance(raw, dict):
        return {key: "" if key in NAMES else without_names(value) for key, value in raw.items()}
    if isinstance(raw, list):
        return [without_names(value) for value in raw]
    return raw


def read_again(key: str, payload: bytes, at: datetime) -> InboundEvent:
    """The event that was kept under `key`, as if it were heard at `at`. Raises whatever the reading of it raises."""
    bot = int(key.split(":")[1])
    update = Update.de_json(json.loads(payload), None)
    heard = UpdateReader(bot, None).read(update, at, payload)
    if not isinstance(heard, InboundEvent) or heard.key != key:
        raise NotAnEvent
    return heard
