"""The poll loop when things go wrong: what is acknowledged, what is waited for, and what is said about it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.conversation import Conversation
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.telegram.client import PollingBot
from bot.telegram.payloads import read_again
from bot.telegram.polling import Polling, TokenRefused
from bot.telegram.sender import Sender
from bot.worker_thread import WorkerThread
from dialogues.helplines.tables import HelpLines
from dialogues.rendering.prompts import Prompts
from state_machine.model.events import Said
from state_machine.programme.tables import SOS, WELCOME
from storage.store import Store
from tests.cut_off import with_broken
from tests.talking import sent_now
from tests.telegram.book import BOOK, CHARTS, PROMPTS
from tests.telegram.stub import Answer, StubRequest, bad, good

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Office:
    """A poll loop over the real store and conversation; Telegram's answers to getUpdates are played in turn."""

    def __init__(self, folder: Path) -> None:
        self.answers: list[Answer] = []
        self.offsets: list[str | None] = []
        self.asked = asyncio.Event()
        self.store = Store.open(folder)
        self.worker = WorkerThread()
        request = StubRequest(self._answer)
        self.bot = PollingBot("7:token", request=request, get_updates_request=request)
        database = DatabaseWorker(self.store, self.worker, lambda: AT)
        self.courier = Courier(database, Sender(self.bot), lambda *_: ("", b""))
        self.conversation = Conversation(self.store, CHARTS, PROMPTS)
        self._database = database

    async def polling(self) -> Polling:
        await self.bot.initialize()
        return Polling(self.bot, self._database, self.conversation, self.courier)

    def _answer(self, method: str, fields: dict[str, str]) -> Answer:
        assert method == "getUpdates"
        self.offsets.append(fields.get("offset"))
        if not self.answers:
            raise asyncio.CancelledError
        return self.answers.pop(0)

    async def serve(self, *answers: Answer) -> Polling:
        """Poll until the answers are used up."""
        self.answers = list(answers)
        loop = await self.polling()
        with pytest.raises(asyncio.CancelledError):
            await loop.run()
        return loop

    def sends_all(self) -> int:
        """Mark all that waits as sent. How many messages it was."""
        with self.store.begin() as work:
            chat = work.chats.find("telegram:7:5")
            return 0 if chat is None else len(sent_now(work, chat.client, AT))

    def waiting(self, number: int = 5) -> int:
        with self.store.begin() as work:
            chat = work.chats.find(f"telegram:7:{number}")
        return 0 if chat is None else chat.waiting


@pytest.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    async def no_time(seconds: float) -> None:
        assert seconds >= 0

    monkeypatch.setattr("bot.telegram.polling.asyncio.sleep", no_time)
    made = Office(tmp_path)
    yield made
    made.worker.close()
    made.store.close()


def said(number: int, words: str = "/start", **more: Any) -> dict[str, Any]:
    chat = {"id": 5, "type": "private"}
    who = {"id": 5, "is_bot": False, "first_name": "Ana"}
    message = {"message_id": number, "date": 1, "chat": chat, "from": who}
    return {"update_id": number, "message": message | (more or {"text": words})}


async def test_updates_are_acknowledged_by_asking_for_the_next_after_the_commit(office: Office) -> None:
    await office.serve(good([said(11)]), good([]))
    assert office.offsets == [None, "12", "12"]
    assert office.waiting() == 2


async def test_an_update_whose_turn_failed_is_kept_without_a_name_and_can_be_taken_up_again(office: Office) -> None:
    whole, book = office.conversation, with_broken(BOOK, [WELCOME])
    office.conversation = Conversation(
        office.store, replace(CHARTS, script=book.script), Prompts(book, HelpLines.read(), "Robin")
    )
    await office.serve(good([said(11)]))
    with office.store.begin() as work:
        (event,) = work.inbox.all_failed()
    assert b"Ana" not in event.payload
    assert whole.replay(event, read_again(event.key, event.payload, AT)) is None
    await office.serve(good([said(11)]))
    assert office.waiting() == 3, "the kind word, and then what /start is answered with"


async def test_an_update_that_came_before_is_counted_and_does_nothing(office: Office) -> None:
    loop = await office.serve(good([said(11)]), good([said(11)]))
    assert loop.counts.again == 1
    assert office.waiting() == 2


async def test_an_update_that_breaks_everything_is_passed_over_and_the_next_one_taken(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[[Any], int] = office.conversation.receive_all

    def picky(several: Any) -> int:
        if any(heard.key.endswith(":11") for heard in several):
            raise ValueError("a fault of ours")
        return real(several)

    monkeypatch.setattr(office.conversation, "receive_all", picky)
    loop = await office.serve(good([said(11), said(12)]))
    assert loop.counts.passed_over == 1
    assert office.offsets[-1] == "13"
    assert office.waiting() == 2


async def test_an_update_that_breaks_whatever_is_done_with_it_is_parked_with_its_client(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.serve(good([said(11)]))
    whole = office.conversation.receive

    def picky(heard: Any) -> bool:
        return whole(replace(heard, event=None))

    monkeypatch.setattr(office.conversation, "receive", picky)
    loop = await office.serve(good([said(12)]))
    assert (loop.counts.passed_over, office.offsets[-1]) == (1, "13")
    with office.store.begin() as work:
        (event,) = work.inbox.all_failed()
    assert event.key == "telegram:7:12"
    assert read_again(event.key, event.payload, AT).event == Said(
        AT, "/start", sent=datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    )


# --- what can't be read ------------------------------------------------------------------


def body(*updates: str) -> tuple[int, bytes]:
    """An answer to getUpdates, made of updates as they stand on the line."""
    return 200, ('{"ok":true,"result":[' + ",".join(updates) + "]}").encode()


def written_out(update: dict[str, Any]) -> str:
    return json.dumps(update)


def nested(number: int, levels: int) -> str:
    """An update in which a message answers a message that answers a message …"""
    inner = said(number)["message"]
    before, after = written_out(inner | {"reply_to_message": 0}).split("0}", 1)[0], "}"
    return f'{{"update_id":{number},"message":' + before * levels + written_out(inner) + after * (levels + 1)


def with_odd(**fields: Any) -> str:
    """An update in which these fields of the message are odd."""
    update = said(11)
    return written_out(update | {"message": update["message"] | fields})


UNREADABLE = {
    "nested three thousand deep": nested(11, 3000),
    "nested a hundred thousand deep": '{"update_id":11,"message":' + "[" * 100_000 + "]" * 100_000 + "}",
    "no JSON within": '{"update_id":11,"message":{oops}}',
    "a number of five thousand digits": '{"update_id":11,"message":' + "9" * 5000 + "}",
    "a list for a message": '{"update_id":11,"message":[]}',
    "a text for a message": '{"update_id":11,"message":"hello"}',
    "a list for a chat": '{"update_id":11,"message":{"message_id":1,"date":1,"chat":[]}}',
    "a chat beyond 64 bits": written_out(
        said(11) | {"message": said(11)["message"] | {"chat": {"id": 2**70, "type": "private"}}}
    ),
    "a message beyond 64 bits": with_odd(message_id=2**70),
    "a message before all 64 bits": written_out(
        said(11) | {"message": said(11)["message"] | {"message_id": -(2**70)}}
    ),
    "a day that no calendar has": with_odd(date=10**18),
    "a tap of nobody": '{"update_id":11,"callback_query":{"id":"1"}}',
    "nothing": '{"update_id":11}',
}


@pytest.mark.parametrize("update", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
async def test_an_update_that_can_not_be_read_is_passed_and_all_others_of_its_batch_are_taken(
    office: Office, update: str, first: bool
) -> None:
    other = said(12 if first else 10)
    other["message"] |= {"chat": {"id": 6, "type": "private"}, "from": {"id": 6, "is_bot": False, "first_name": "B"}}
    pair = [update, written_out(other)] if first else [written_out(other), update]
    loop = await office.serve(body(*pair))
    assert office.waiting(6) == 2
    assert office.offsets == [None, "13" if first else "12"]
    assert loop.backlog.taken.is_set()


@pytest.mark.parametrize("update", [*UNREADABLE.values()][:4], ids=[*UNREADABLE][:4])
async def test_an_update_that_can_not_be_read_and_waits_alone_is_passed(office: Office, update: str) -> None:
    loop = await office.serve(body(update), good([]))
    assert office.offsets == [None, "12", "12"]
    assert loop.counts.unread == 1


async def test_words_of_danger_in_an_update_of_a_shape_nobody_knows_are_read_all_the_same(office: Office) -> None:
    await office.serve(good([said(10)]))
    odd = said(11, text="I want to kill myself", date=10**18)
    odd["message"]["date"] = 10**18
    await office.serve(good([odd]))
    with office.store.begin() as work:
        chat = work.chats.find("telegram:7:5")
        assert chat is not None
        assert chat.progress.runs[-1].dialogue == SOS
        assert work.inbox.all_failed() == []


@pytest.mark.parametrize("number", [None, "12", True, -1, 2**70, 1.5, []])
async def test_an_update_without_a_number_goes_with_those_that_have_one_and_alone_makes_no_busy_loop(
    office: Office, number: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def noted(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("bot.telegram.polling.asyncio.sleep", noted)
    odd = said(1) | {"update_id": number}
    await office.serve(good([odd]), good([odd]), good([odd]), good([odd, said(11)]), good([]))
    assert pauses == [1.0, 2.0, 4.0]
    assert office.offsets == [None, None, None, None, "12", "12"]
    assert office.waiting() == 2


@pytest.mark.parametrize("odd", ['"hello"', "5", "null", "[]", '[{"update_id":3}]', "true"])
async def test_what_is_no_update_goes_with_its_batch(office: Office, odd: str) -> None:
    await office.serve(body(odd, written_out(said(11))))
    assert office.offsets == [None, "12"]
    assert office.waiting() == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"[" * 5000,
        b'{"ok":true,"result":{"update_id":11}}',
        b'{"ok":true,"result":null}',
        b'{"ok":true,"result":"11"}',
        b"[]",
        b"",
        b"\xff\xfe",
        b"<html>Welcome to the hotel</html>",
    ],
)
async def test_an_answer_that_holds_no_updates_is_waited_out(office: Office, answer: bytes) -> None:
    loop = await office.serve(*[(200, answer)] * 6, good([said(11)]))
    assert office.offsets == [None] * 7 + ["12"]
    assert office.waiting() == 2
    assert loop.counts.unread == 0


async def test_an_update_that_is_cut_off_is_asked_for_again_and_passed_if_it_stays_so(office: Office) -> None:
    cut = 200, body(written_out(said(11)))[1][:-20]
    await office.serve(cut, cut, good([said(11)]))
    assert office.offsets == [None, None, None, "12"]
    assert office.waiting() == 2
    cut = 200, body(written_out(said(20)), written_out(said(21)))[1][:-20]
    office.offsets.clear()
    alone = 200, body(written_out(said(21)))[1][:-20]
    loop = await office.serve(cut, *[alone] * 4, good([said(22)]))
    assert office.offsets == [None, *["21"] * 4, "22", "23"]
    assert loop.counts.unread == 1


async def test_an_error_of_telegram_s_that_can_not_be_read_is_waited_out(office: Office) -> None:
    await office.serve((400, b"[" * 5000), (502, b'{"ok":' * 3000), good([said(11)]))
    assert office.waiting() == 2


async def test_the_same_trouble_on_the_line_is_said_once(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    await office.serve(*[OSError("connection reset")] * 20, good([]), OSError("connection reset"))
    assert len([line for line in caplog.messages if "Telegram can't be reached" in line]) == 2


async def test_an_album_is_answered_once(office: Office) -> None:
    picture = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    await office.serve(good([said(11)]))
    office.sends_all()
    album = [said(number, photo=picture, media_group_id="a") for number in (12, 13, 14)]
    other = [said(number, photo=picture, media_group_id="b") for number in (20, 21)]
    loop = await office.serve(good([album[0]]))
    assert loop.counts.updates == 1
    once = office.sends_all()
    assert once > 0
    # Each serving is a new loop, which remembers no album: the rest of one is answered once more, and only once.
    for rest in (album[1:], other):
        await office.serve(good(rest))
        assert office.sends_all() == once


@pytest.mark.parametrize(
    "answer",
    [
        bad(409, "Conflict: terminated by other getUpdates request"),
        bad(502, "Bad Gateway"),
        bad(429, "Too Many Requests: retry after 5", retry_after=5),
        (200, b"{broken"),
        good("odd"),
        OSError("connection reset"),
    ],
)
async def test_trouble_on_the_line_is_waited_out(office: Office, answer: Answer) -> None:
    await office.serve(answer, answer, good([said(11)]))
    assert office.waiting() == 2


async def test_another_poller_is_named_in_a_sentence(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    await office.serve(bad(409, "Conflict"))
    assert "Another program is asking Telegram for this bot's updates." in caplog.text


async def test_a_token_revoked_meanwhile_ends_the_loop_with_a_sentence(office: Office) -> None:
    office.answers = [bad(401, "Unauthorized")]
    loop = await office.polling()
    with pytest.raises(TokenRefused, match="BotFather"):
        await loop.run()
