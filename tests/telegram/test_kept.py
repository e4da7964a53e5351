"""An update that is kept because its turn failed: no name in it, and yet it means the same when it is read again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telegram import Update

from bot.conversation import InboundEvent
from bot.telegram.payloads import NotAnEvent, read_again, written
from bot.telegram.updates import UpdateReader

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
NAME = "Marigold Quastenflosser"
WHO = {"id": 5, "is_bot": False, "first_name": NAME, "last_name": NAME, "username": NAME}
CHAT = {"id": 5, "type": "private", "first_name": NAME, "username": NAME}
FILE = {"file_id": "f", "file_unique_id": "u", "file_name": "a.pdf"}
PLACE = {"latitude": 1.0, "longitude": 1.0}


def message(**content: Any) -> dict[str, Any]:
    return {"message_id": 3, "date": 1, "chat": CHAT, "from": WHO, **content}


UPDATES: dict[str, dict[str, Any]] = {
    "words": {"message": message(text="she never calls")},
    "half a sign": {"message": message(text="she never \ud83d calls")},
    "words passed on": {
        "message": message(text="a line", forward_origin={"type": "hidden_user", "date": 1, "sender_user_name": NAME})
    },
    "words passed on from a channel": {
        "message": message(
            text="a line",
            forward_origin={
                "type": "channel",
                "date": 1,
                "message_id": 1,
                "author_signature": NAME,
                "chat": {"id": -1, "type": "channel", "title": NAME},
            },
        )
    },
    "a document": {"message": message(document=FILE, caption="for you")},
    "a song": {"message": message(audio={**FILE, "duration": 1, "title": NAME})},
    "a contact": {"message": message(contact={"phone_number": NAME, "first_name": NAME, "vcard": NAME})},
    "a place": {"message": message(venue={"location": PLACE, "title": NAME, "address": "a street"})},
    "a game": {"message": message(game={"title": NAME, "description": "", "photo": []})},
    "an edit": {"edited_message": {**message(text="she calls"), "edit_date": 2}},
    "a tap": {
        "callback_query": {
            "id": "9",
            "from": WHO,
            "chat_instance": "1",
            "data": "1:step:0",
            "message": message(text="?"),
        }
    },
}


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES)
def test_every_kind_is_kept_without_names_and_means_the_same_afterwards(update: dict[str, Any]) -> None:
    raw = {"update_id": 12, **update}
    payload = written(raw)
    heard = UpdateReader(7, "CompanionBot").read(Update.de_json(json.loads(json.dumps(raw)), None), AT, payload)
    assert isinstance(heard, InboundEvent)
    assert NAME not in str(json.loads(payload))
    assert read_again(heard.key, payload, AT) == heard
    later = read_again(heard.key, payload, AT + timedelta(days=1))
    assert later.event.at == AT + timedelta(days=1)


def test_what_is_no_event_or_stands_under_another_key_is_not_taken_for_one() -> None:
    payload = written({"update_id": 12, "message": message(text="hello")})
    for key, kept in (
        ("telegram:7:13", payload),
        ("telegram:7:12", written({"update_id": 12, "message": message(pinned_message=None)})),
        ("telegram:7:12", written({"update_id": 12})),
    ):
        with pytest.raises(NotAnEvent):
            read_again(key, kept, AT)
