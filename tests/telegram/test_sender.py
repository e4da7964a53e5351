"""What Telegram's answers mean, with the real Bot over a stubbed request; and what is asked of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from telegram import Bot
from telegram.error import NetworkError, TimedOut

from bot.delivery.messenger import ChatBlocked, NoAnswer, Rejected, SendFailed, TooManyRequests
from bot.telegram.sender import Sender
from bot.telegram.service import quieten
from state_machine.model.outgoing import Choice, Edit, ExportFile, Message, Outgoing, TapAnswer
from tests.telegram.stub import Answer, StubRequest, bad, good, message

CHAT = "telegram:7:5"
HELLO = Message("hello")
TOKEN = "7:secret"  # noqa: S105 - a token of nothing


def sender_over(answer: Callable[[str, dict[str, str]], Answer], **more: Any) -> tuple[Sender, StubRequest]:
    request = StubRequest(answer)
    return Sender(Bot(TOKEN, request=request, get_updates_request=request), **more), request


async def failure(answer: Answer, what: Outgoing = HELLO) -> SendFailed | None:
    sender, _ = sender_over(lambda *_: answer)
    try:
        await sender.send(CHAT, what, ("a.json", b"{}"))
    except SendFailed as caught:
        return caught
    return None


async def markup_of(what: Message) -> dict[str, Any] | None:
    sender, request = sender_over(lambda *_: good(message(1)))
    await sender.send(CHAT, what, None)
    sent = request.calls[-1][1].get("reply_markup")
    return None if sent is None else json.loads(sent)


async def test_a_message_is_plain_text_and_its_id_comes_back() -> None:
    sender, request = sender_over(lambda *_: good(message(41)))
    assert await sender.send(CHAT, Message("1 < 2 & *3*"), None) == 41
    method, fields = request.calls[-1]
    assert method == "sendMessage"
    assert fields["text"] == "1 < 2 & *3*"
    assert fields["chat_id"] == "5"
    assert "parse_mode" not in fields
    assert json.loads(fields["link_preview_options"]) == {"is_disabled": True}


async def test_a_server_that_knows_no_previews_is_not_asked_about_them() -> None:
    sender, request = sender_over(lambda *_: good(message(41)), previews_off=False)
    await sender.send(CHAT, Message("hello"), None)
    assert "link_preview_options" not in request.calls[-1][1]


async def test_too_fast_waits_as_long_as_it_says() -> None:
    caught = await failure(bad(429, "Too Many Requests: retry after 17", retry_after=17))
    assert isinstance(caught, TooManyRequests)
    assert caught.retry_after == 17
    assert not caught.for_all


async def test_two_chats_told_to_wait_at_once_means_all_wait() -> None:
    sender, _ = sender_over(lambda *_: bad(429, "Too Many Requests: retry after 3", retry_after=3))
    for address, for_all in ((CHAT, False), (CHAT, False), ("telegram:7:6", True)):
        with pytest.raises(TooManyRequests) as caught:
            await sender.send(address, Message("hello"), None)
        assert caught.value.for_all is for_all


@pytest.mark.parametrize(
    "answer",
    [
        bad(403, "Forbidden: bot was blocked by the user"),
        bad(403, "Forbidden: user is deactivated"),
        bad(400, "Bad Request: chat not found"),
        bad(400, "Bad Request: PEER_ID_INVALID"),
    ],
)
async def test_a_client_who_blocked_us_or_is_gone_is_left_alone(answer: Answer) -> None:
    assert isinstance(await failure(answer), ChatBlocked)


async def test_what_telegram_will_never_take_is_refused_with_its_reason() -> None:
    caught = await failure(bad(400, "Bad Request: message is too long"))
    assert isinstance(caught, Rejected)
    assert "too long" in caught.reason
    assert isinstance(await failure(bad(413, "Request Entity Too Large")), Rejected)


@pytest.mark.parametrize(
    "answer",
    [
        TimedOut(),
        NetworkError("connection reset"),
        RuntimeError("something in the HTTP library"),
        bad(500, "Internal Server Error"),
        bad(502, "Bad Gateway"),
        (502, b"<html>Bad Gateway</html>"),
        (200, b"{broken"),
        (200, b""),
        (200, {"ok": False}),
        (200, {"ok": True, "result": {}}),
        (200, {"ok": True, "result": "odd"}),
        (200, []),
    ],
)
async def test_no_answer_or_one_that_cannot_be_read_is_unclear(answer: Answer) -> None:
    assert isinstance(await failure(answer), NoAnswer)


@pytest.mark.parametrize("answer", [bad(401, "Unauthorized"), bad(404, "Not Found"), bad(409, "Conflict")])
async def test_a_token_turned_away_is_nobodys_fault_and_holds_all(answer: Answer) -> None:
    caught = await failure(answer)
    assert isinstance(caught, TooManyRequests)
    assert caught.for_all


async def test_an_edit_that_changes_nothing_is_a_success() -> None:
    unchanged = bad(400, "Bad Request: message is not modified: specified new message content is the same")
    assert await failure(unchanged, Edit(3, "same")) is None
    gone = bad(400, "Bad Request: message to edit not found")
    assert isinstance(await failure(gone, Edit(3, "same")), Rejected)


async def test_plain_choices_are_a_keyboard_of_sentences() -> None:
    rows = ((Choice("Yes"), Choice("No")), (Choice("Something else"),))
    markup = await markup_of(Message("Well?", rows, placeholder="p" * 70))
    assert markup == {
        "keyboard": [[{"text": "Yes"}, {"text": "No"}], [{"text": "Something else"}]],
        "resize_keyboard": True,
        "one_time_keyboard": True,
        "input_field_placeholder": "p" * 64,
    }


async def test_choices_with_tokens_stand_under_the_message() -> None:
    rows = ((Choice("0", "r1.s.0"), Choice("1", "r1.s.1", picked=True)),)
    assert await markup_of(Message("Well?", rows)) == {
        "inline_keyboard": [[{"text": "0", "callback_data": "r1.s.0"}, {"text": "✓ 1", "callback_data": "r1.s.1"}]]
    }


async def test_without_choices_the_old_keyboard_goes_unless_kept() -> None:
    assert await markup_of(Message("Hm.")) == {"remove_keyboard": True}
    assert await markup_of(Message("Hm.", keeps_keyboard=True)) is None


@pytest.mark.parametrize(
    ("edit", "method", "text", "markup"),
    [
        (Edit(3, "How bad?", settled="Several days"), "editMessageText", "How bad?\n\n— Several days", None),
        (Edit(3, None, settled="Several days"), "editMessageReplyMarkup", None, None),
        (Edit(3, "Which?", ((Choice("sad", "t", picked=True),),)), "editMessageText", "Which?", "✓ sad"),
        (Edit(3, None, ((Choice("sad", "t"),),)), "editMessageReplyMarkup", None, "sad"),
    ],
)
async def test_an_edit_settles_or_redraws(edit: Edit, method: str, text: str | None, markup: str | None) -> None:
    sender, request = sender_over(lambda *_: good(message(3)))
    assert await sender.send(CHAT, edit, None) is None
    called, fields = request.calls[-1]
    assert called == method
    assert fields["message_id"] == "3"
    assert fields.get("text") == text
    shown = json.loads(fields["reply_markup"])["inline_keyboard"][0][0]["text"] if "reply_markup" in fields else None
    assert shown == markup


async def test_a_tap_is_answered_with_words_or_none() -> None:
    sender, request = sender_over(lambda *_: good(True))
    await sender.send(CHAT, TapAnswer("q1"), None)
    await sender.send(CHAT, TapAnswer("q2", "Already noted."), None)
    assert [fields.get("text") for _, fields in request.calls] == [None, "Already noted."]


async def test_an_export_is_a_file_with_a_caption() -> None:
    sender, request = sender_over(lambda *_: good(message(9)))
    assert await sender.send(CHAT, ExportFile("All of it."), ("mine.json", b"{}")) == 9
    method, fields = request.calls[-1]
    assert (method, fields["caption"]) == ("sendDocument", "All of it.")


async def test_messages_are_deleted_in_hundreds() -> None:
    sender, request = sender_over(lambda *_: good(True))
    await sender.delete(CHAT, list(range(1, 151)))
    assert [len(json.loads(fields["message_ids"])) for _, fields in request.calls] == [100, 50]


async def test_where_hundreds_are_refused_they_are_deleted_singly() -> None:
    def answer(method: str, fields: dict[str, str]) -> Answer:
        if method == "deleteMessages":
            return bad(404, "Not Found: method not found")
        return bad(400, "Bad Request: message can't be deleted") if fields["message_id"] == "2" else good(True)

    sender, request = sender_over(answer)
    await sender.delete(CHAT, [1, 2, 3])
    assert [fields.get("message_id") for _, fields in request.calls] == [None, "1", "2", "3"]


async def test_no_log_line_shows_the_token_a_chat_or_what_was_said(caplog: pytest.LogCaptureFixture) -> None:
    quieten()
    caplog.set_level(logging.DEBUG)
    for answer in (good(message(1)), (200, b'{"text": "my secret'), bad(403, "Forbidden"), TimedOut()):
        await failure(answer, Message("my secret"))
    assert "secret" not in caplog.text
    assert "telegram:7" not in caplog.text
