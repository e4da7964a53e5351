"""The poll loop when things go wrong: what is acknowledged, what is waited for, and what is said about it."""

from __future__ import annotations

import asyncio
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
from state_machine.programme.tables import WELCOME
from storage.store import Store
from tests.cut_off import with_broken
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

    def waiting(self, number: int = 5) -> int:
        with self.store.begin() as work:
            chat = work.clients.at(f"telegram:7:{number}")
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
        (event,) = work.inbox.failed()
    assert b"Ana" not in event.payload
    assert whole.replay(event, read_again(event.key, event.payload, AT)) is None
    await office.serve(good([said(11)]))
    assert office.waiting() == 3, "the kind word, and then what /start is answered with"


async def test_an_update_that_came_before_is_counted_and_does_nothing(office: Office) -> None:
    loop = await office.serve(good([said(11)]), good([said(11)]))
    assert loop.counts.again == 1
    assert office.waiting() == 2


async def test_while_the_store_takes_nothing_nothing_is_acknowledged(office: Office) -> None:
    tries = 0
    real = office.store.begin

    def broken(*_: Any, **__: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries < 20:
            raise OSError("no space left on device")
        return real()

    office.store.begin = broken  # type: ignore[method-assign]
    loop = await office.serve(good([said(11)]))
    assert office.offsets == [None, "12"]
    assert loop.counts.passed_over == 0
    assert office.waiting() == 2


async def test_an_update_that_breaks_everything_is_passed_over_and_the_next_one_taken(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[[Any], bool] = office.conversation.receive

    def picky(heard: Any) -> bool:
        if heard.key.endswith(":11"):
            raise ValueError("a fault of ours")
        return real(heard)

    monkeypatch.setattr(office.conversation, "receive", picky)
    loop = await office.serve(good([said(11), said(12)]))
    assert loop.counts.passed_over == 1
    assert office.offsets[-1] == "13"
    assert office.waiting() == 2


async def test_an_album_is_answered_once(office: Office) -> None:
    picture = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    await office.serve(good([said(11)]))
    before = office.waiting()
    album = [said(number, photo=picture, media_group_id="a") for number in (12, 13, 14)]
    single = await office.serve(good([album[0]]))
    once = office.waiting() - before
    assert single.counts.updates == 1
    await office.serve(good(album[1:]))
    await office.serve(
        good([said(20, photo=picture, media_group_id="b"), said(21, photo=picture, media_group_id="b")])
    )
    assert once > 0
    assert office.waiting() - before == 3 * once


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
