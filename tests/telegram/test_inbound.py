"""What each kind of update means to us, read from the JSON that Telegram sends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telegram import Update

from bot.conversation import InboundEvent
from bot.telegram.updates import ClientLeft, GroupMention, UpdateReader
from state_machine.model.events import Edited, Said, Shared, Tapped

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
ANA = {"id": 5, "is_bot": False, "first_name": "Ana"}
US = {"id": 7, "is_bot": True, "first_name": "Companion", "username": "CompanionBot"}
PRIVATE = {"id": 5, "type": "private", "first_name": "Ana"}
GROUP = {"id": -9, "type": "group", "title": "Friends"}
FILE = {"file_id": "f", "file_unique_id": "u", "file_size": 1}
PICTURE = {**FILE, "width": 1, "height": 1}
STICKER = {**PICTURE, "type": "regular", "is_animated": False, "is_video": False}
ORIGIN = {"type": "hidden_user", "date": 1, "sender_user_name": "Ben"}


def read(
    update: dict[str, Any], username: str | None = "CompanionBot"
) -> InboundEvent | ClientLeft | GroupMention | None:
    parsed = Update.de_json({"update_id": 12, **update}, None)
    return UpdateReader(7, username).read(parsed, AT, b"raw")


def message(chat: dict[str, Any] = PRIVATE, **content: Any) -> dict[str, Any]:
    return {"message_id": 3, "date": int(AT.timestamp()), "chat": chat, "from": ANA, **content}


def event_of(kind: str = "message", **content: Any) -> Any:
    heard = read({kind: message(**content)})
    assert heard is None or isinstance(heard, InboundEvent)
    return heard and heard.event


def test_words_come_with_where_and_when_they_were_said() -> None:
    assert read({"message": message(text="hello")}) == InboundEvent(
        key="telegram:7:12",
        address="telegram:7:5",
        event=Said(AT, "hello"),
        message_id=3,
        tap_id=None,
        payload=b"raw",
    )


@pytest.mark.parametrize(("seconds", "waited"), [(-30, False), (0, False), (60, False), (61, True), (3 * 3600, True)])
def test_what_waited_for_us_says_when_it_was_sent(seconds: int, waited: bool) -> None:
    sent = AT - timedelta(seconds=seconds)
    said = event_of(text="hello", date=int(sent.timestamp()))
    assert said == Said(AT, "hello", sent=sent if waited else None)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("/help@CompanionBot", "/help"),
        ("/help@companionbot now", "/help now"),
        ("/start ref_1", "/start ref_1"),
        ("/help@OtherBot", "/help@OtherBot"),
        ("write to /help@CompanionBot", "write to /help@CompanionBot"),
        ("/", "/"),
    ],
)
def test_our_name_after_a_command_is_left_out(text: str, heard: str) -> None:
    assert event_of(text=text) == Said(AT, heard)


def test_where_our_name_is_unknown_any_name_after_a_command_is_ours() -> None:
    heard = read({"message": message(text="/help@CompanionBot")}, username=None)
    assert isinstance(heard, InboundEvent)
    assert heard.event == Said(AT, "/help")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"sticker": STICKER}, "sticker"),
        ({"photo": [PICTURE]}, "photo"),
        ({"video": {**PICTURE, "duration": 1}}, "video"),
        ({"video_note": {**FILE, "length": 1, "duration": 1}}, "video"),
        ({"animation": {**PICTURE, "duration": 1}, "document": FILE}, "video"),
        ({"voice": {**FILE, "duration": 1}}, "voice"),
        ({"audio": {**FILE, "duration": 1}}, "voice"),
        ({"document": FILE}, "document"),
        ({"contact": {"phone_number": "1", "first_name": "Ben"}}, "contact"),
        ({"location": {"longitude": 1.0, "latitude": 1.0}}, "place"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "other"),
    ],
)
def test_what_is_not_text_is_named_and_its_caption_kept(content: dict[str, Any], what: str) -> None:
    assert event_of(**content) == Shared(AT, what, "")
    assert event_of(**content, caption="look") == Shared(AT, what, "look")


def test_forwarded_words_are_not_the_clients_own() -> None:
    assert event_of(text="you should", forward_origin=ORIGIN) == Shared(AT, "other", "you should")


def test_a_changed_message_is_an_edit() -> None:
    assert event_of("edited_message", text="better", edit_date=2) == Edited(AT, "better")
    assert event_of("edited_message", caption="better", photo=[PICTURE], edit_date=2) == Edited(AT, "better")
    assert event_of("edited_message", location={"longitude": 1.0, "latitude": 1.0}, edit_date=2) is None


def test_what_the_messenger_says_itself_is_nothing() -> None:
    assert event_of(message_auto_delete_timer_changed={"message_auto_delete_time": 9}) is None
    assert event_of(delete_chat_photo=True) is None


def query(**more: Any) -> dict[str, Any]:
    return {"callback_query": {"id": "q", "from": ANA, "chat_instance": "1", "data": "r1.s.0", **more}}


def test_a_tap_names_its_button_its_message_and_what_that_showed() -> None:
    heard = read(query(message={"message_id": 3, "date": 1, "chat": PRIVATE, "from": US, "text": "How bad?"}))
    assert heard == InboundEvent("telegram:7:12", "telegram:7:5", Tapped(AT, "r1.s.0"), 3, "q", b"raw", "How bad?")


def test_a_tap_on_a_message_too_old_to_be_shown_is_still_a_tap() -> None:
    heard = read(query(message={"message_id": 3, "date": 0, "chat": PRIVATE}))
    assert heard == InboundEvent("telegram:7:12", "telegram:7:5", Tapped(AT, "r1.s.0"), 3, "q", b"raw", None)
    heard = read(query())
    assert heard == InboundEvent("telegram:7:12", "telegram:7:5", Tapped(AT, "r1.s.0"), None, "q", b"raw", None)


def membership(chat: dict[str, Any], old: str, new: str) -> Any:
    member = {"user": US, "until_date": 0}
    change = {
        "chat": chat,
        "from": ANA,
        "date": 1,
        "old_chat_member": {**member, "status": old},
        "new_chat_member": {**member, "status": new},
    }
    return read({"my_chat_member": change})


def test_blocking_us_is_leaving_and_coming_back_is_told_by_their_words() -> None:
    assert membership(PRIVATE, "member", "kicked") == ClientLeft("telegram:7:12", "telegram:7:5")
    assert membership(PRIVATE, "kicked", "member") is None


def test_in_a_group_only_what_is_said_to_us_counts() -> None:
    in_group = GroupMention("telegram:7:-9")
    assert membership(GROUP, "left", "member") == in_group
    assert membership(GROUP, "member", "kicked") is None
    assert read({"message": message(GROUP, text="/start")}) == in_group
    assert read({"message": message(GROUP, text="/start@CompanionBot")}) == in_group
    assert read({"message": message(GROUP, text="/start@OtherBot")}) is None
    assert read({"message": message(GROUP, text="hello all")}) is None
    assert read({"edited_message": message(GROUP, text="/start", edit_date=2)}) is None
    reply = {"message_id": 2, "date": 1, "chat": GROUP, "from": US, "text": "Hello."}
    assert read({"message": message(GROUP, text="thanks", reply_to_message=reply)}) == in_group
    assert read(query(message={"message_id": 3, "date": 1, "chat": GROUP, "from": US})) == in_group


def test_a_kind_of_update_nobody_knows_yet_is_nothing() -> None:
    assert read({"brain_wave": {"strength": 3}}) is None
