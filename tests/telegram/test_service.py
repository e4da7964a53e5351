"""The whole service with the real book, against the independent emulator behind a proxy that makes trouble."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import app as apps
from bot.conversation import Conversation
from bot.delivery.rate_limiter import RateLimiter
from bot.telegram import service
from bot.telegram.client import Http
from bot.telegram.polling import TokenRefused
from bot.telegram.service import Wiring
from bot.worker_thread import WorkerThread
from storage.repositories.chats import Chat
from storage.store import Store
from tests.telegram.book import CHARTS, PROMPTS
from tests.telegram.journey import DAY_ONE, walk
from tests.telegram.proxy import TOKEN, Actor, Call, Proxy, refusal

MENU = [("help", "What there is")]


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    async with Proxy() as running:
        yield running


@asynccontextmanager
async def serving(
    folder: Path, proxy: Proxy, http: Http = "aiohttp", now: Callable[[], datetime] = apps.now
) -> AsyncIterator[None]:
    """The service while it runs over what is kept in `folder`."""
    store, worker, stop = Store.open(folder), WorkerThread(), asyncio.Event()
    wiring = Wiring(TOKEN, proxy.origin, http, menu=MENU)
    quick = RateLimiter(a_second=1000, reminders=1000, burst=1000, refill=1000)
    conversation = Conversation(store, CHARTS, PROMPTS)
    task = asyncio.create_task(service.run(wiring, store, worker, conversation, no_export, now, stop, quick))
    try:
        yield
    finally:
        stop.set()
        await task
        worker.close()
        store.close()


def no_export(*_: object) -> tuple[str, bytes]:
    raise NotImplementedError


def chat_at(folder: Path, number: int) -> Chat:
    store = Store.open(folder)
    with store.begin() as work:
        chat = work.chats.find(f"telegram:7:{number}")
    store.close()
    assert chat is not None
    return chat


@pytest.mark.parametrize("http", ["aiohttp", "httpx"])
async def test_day_one_goes_through_telegram_to_the_first_line(tmp_path: Path, proxy: Proxy, http: Http) -> None:
    async with serving(tmp_path, proxy, http):
        await walk(proxy, Actor(proxy, 5), DAY_ONE)
    chat = chat_at(tmp_path, 5)
    assert chat.progress.phase == "assessment"
    assert chat.progress.facts["name"].value == DAY_ONE["What shall I call you"]
    assert chat.waiting == 0


async def test_each_update_delivered_twice_has_one_effect(tmp_path: Path, proxy: Proxy) -> None:
    proxy.deliver_twice = True
    async with serving(tmp_path, proxy):
        await walk(proxy, Actor(proxy, 5), DAY_ONE)
        await walk(proxy, Actor(proxy, 6), DAY_ONE)
    assert proxy.texts(5) == proxy.texts(6)
    assert chat_at(tmp_path, 5).progress.facts.keys() == chat_at(tmp_path, 6).progress.facts.keys()


async def test_lost_replies_and_floods_delay_but_lose_nothing(tmp_path: Path, proxy: Proxy) -> None:
    """Every seventh call is told to wait, every eleventh is refused a connection."""
    count = 0

    def trouble(call: Call) -> object:
        nonlocal count
        count += call.method == "sendMessage"
        if call.method != "sendMessage":
            return None
        if count % 7 == 0:
            return refusal(429, "Too Many Requests: retry after 1", retry_after=1)
        return "refuse" if count % 11 == 0 else None

    proxy.fault = trouble  # type: ignore[assignment]
    async with serving(tmp_path, proxy):
        await walk(proxy, Actor(proxy, 5), DAY_ONE, patience=8.0)
    assert len(proxy.texts(5)) == len(set(proxy.texts(5)))


async def test_a_client_who_blocks_us_and_comes_back_is_asked_again(tmp_path: Path, proxy: Proxy) -> None:
    ana = Actor(proxy, 5)
    async with serving(tmp_path, proxy):
        await ana.says("/start")
        await proxy.until(lambda: len(proxy.sent(5)) == 2)
        await ana.blocks()
        await proxy.until(lambda: chat_at(tmp_path, 5).blocked)
        await ana.says("hello again")
        await proxy.until(lambda: len(proxy.sent(5)) > 2)
    assert not chat_at(tmp_path, 5).blocked


async def test_who_has_blocked_us_is_sent_nothing_until_they_return(tmp_path: Path, proxy: Proxy) -> None:
    ana = Actor(proxy, 5)
    proxy.fault = lambda call: (
        refusal(403, "Forbidden: bot was blocked by the user") if call.method == "sendMessage" else None
    )
    async with serving(tmp_path, proxy):
        await ana.says("/start")
        await proxy.until(lambda: any(call.method == "sendMessage" for call in proxy.calls))
        await proxy.until(lambda: chat_at(tmp_path, 5).blocked)
        assert sum(call.method == "sendMessage" for call in proxy.calls) == 1
        proxy.fault = lambda _: None
        await ana.says("hello")
        await proxy.until(lambda: len(proxy.sent(5)) >= 2)


async def test_a_double_tap_counts_once_and_is_told_so(tmp_path: Path, proxy: Proxy) -> None:
    async with serving(tmp_path, proxy):
        await walk(proxy, Actor(proxy, 5), DAY_ONE, tapped_twice="How is it right now")
    assert chat_at(tmp_path, 5).progress.facts["mood"].value == "4"
    said = [call.fields.get("text", "") for call in proxy.calls if call.method == "answerCallbackQuery"]
    assert said[0] == ""
    assert said[1] != ""


async def test_every_kind_of_thing_is_answered(tmp_path: Path, proxy: Proxy) -> None:
    """Sticker, photo, voice, contact, place, forwarded words, an edit: each gets a word, none breaks anything."""
    ana = Actor(proxy, 5)
    file = {"file_id": "f", "file_unique_id": "u", "file_size": 1}
    picture = {**file, "width": 1, "height": 1}
    things: list[dict[str, object]] = [
        {"sticker": {**picture, "type": "regular", "is_animated": False, "is_video": False}},
        {"photo": [picture]},
        {"voice": {**file, "duration": 1}},
        {"video_note": {**file, "length": 1, "duration": 1}},
        {"document": file},
        {"contact": {"phone_number": "1", "first_name": "Ben"}},
        {"location": {"longitude": 1.0, "latitude": 1.0}},
        {"text": "read this", "forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "Ben"}},
    ]
    async with serving(tmp_path, proxy):
        first = await ana.says("/start")
        await proxy.until(lambda: len(proxy.sent(5)) == 2)
        for thing in things:
            before = len(proxy.sent(5))
            await ana.sends(**thing)
            await proxy.until(lambda before=before: len(proxy.sent(5)) > before)  # type: ignore[misc]
        before = len(proxy.sent(5))
        await ana.edits(first, "/start!")
        await proxy.until(lambda: len(proxy.sent(5)) > before)
    assert not any("broke" in text for text in proxy.texts(5))


async def test_a_group_is_declined_once_and_nothing_is_kept_of_it(tmp_path: Path, proxy: Proxy) -> None:
    group = Actor(proxy, -9)
    async with serving(tmp_path, proxy):
        for _ in range(3):
            await group.says("/start")
        await Actor(proxy, 5).says("/start")
        await proxy.until(lambda: len(proxy.sent(5)) == 2 and len(proxy.sent(-9)) > 0)
    assert len(proxy.texts(-9)) == 1
    store = Store.open(tmp_path)
    with store.begin() as work:
        assert work.clients.count() == 1
    store.close()


async def test_what_comes_due_is_said_unasked(tmp_path: Path, proxy: Proxy) -> None:
    morning = datetime(2026, 1, 5, 9, tzinfo=UTC)
    async with serving(tmp_path, proxy, now=lambda: morning):
        await walk(proxy, Actor(proxy, 5), DAY_ONE)
    before = len(proxy.texts(5))
    next_evening = datetime(2026, 1, 6, 17, 5, tzinfo=UTC)
    async with serving(tmp_path, proxy, now=lambda: next_evening):
        await proxy.until(lambda: len(proxy.texts(5)) > before)


async def test_the_command_menu_is_offered(tmp_path: Path, proxy: Proxy) -> None:
    async with serving(tmp_path, proxy):
        await proxy.until(lambda: any(call.method == "setMyCommands" for call in proxy.calls))
    call = next(call for call in proxy.calls if call.method == "setMyCommands")
    assert json.loads(call.fields["commands"]) == [{"command": "help", "description": "What there is"}]


async def test_a_refused_token_is_said_in_a_sentence(tmp_path: Path, proxy: Proxy) -> None:
    proxy.fault = lambda _: refusal(401, "Unauthorized")
    with pytest.raises(TokenRefused, match="BotFather"):
        async with serving(tmp_path, proxy):
            await proxy.until(lambda: len(proxy.calls) > 0)


async def test_an_update_nobody_can_read_does_not_hide_those_after_it(tmp_path: Path, proxy: Proxy) -> None:
    async with serving(tmp_path, proxy):
        await proxy.emulator.enqueue_update({"message": {"message_id": "odd"}}, token=TOKEN)
        await Actor(proxy, 5).says("/start")
        await proxy.until(lambda: len(proxy.sent(5)) == 2)


async def test_no_log_line_of_a_whole_day_shows_a_token_a_chat_or_a_word(
    tmp_path: Path, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(tmp_path, proxy):
        await walk(proxy, Actor(proxy, 987654321), DAY_ONE)
    assert caplog.text
    for secret in (TOKEN, "token-of", "987654321", *DAY_ONE.values()):
        if len(secret) > 3:
            assert secret not in caplog.text, secret
