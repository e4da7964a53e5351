"""Both request classes against the independent emulator: texts, files, long polls, hang-ups and lateness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from telegram.error import NetworkError, TimedOut

from bot.delivery.messenger import NoAnswer, TooManyRequests
from bot.telegram.aiohttp_request import AiohttpRequest
from bot.telegram.client import Http, PollingBot, make_bot
from bot.telegram.sender import Sender
from state_machine.model.outgoing import Choice, Edit, ExportFile, Message, TapAnswer
from tests.telegram.proxy import TOKEN, USERNAME, Actor, Proxy, refusal

CHAT = "telegram:7:5"
BOTH: tuple[Http, ...] = ("aiohttp", "httpx")


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    async with Proxy() as running:
        yield running


@pytest.fixture(params=BOTH)
async def bot(request: pytest.FixtureRequest, proxy: Proxy) -> AsyncIterator[PollingBot]:
    made = make_bot(TOKEN, proxy.origin, request.param)
    async with made:
        yield made


async def test_the_bot_knows_itself(bot: PollingBot) -> None:
    assert (bot.id, bot.bot.username) == (7, USERNAME)


async def test_every_kind_of_thing_is_carried(bot: PollingBot, proxy: Proxy) -> None:
    sender = Sender(bot)
    first = await sender.send(CHAT, Message("Äpfel & <b>", ((Choice("Yes"),),)), None)
    second = await sender.send(CHAT, Message("How bad?", ((Choice("0", "a"), Choice("1", "b")),)), None)
    assert first is not None
    assert second is not None
    await sender.send(CHAT, Edit(second, "How bad?", settled="1"), None)
    await sender.send(CHAT, TapAnswer("q"), None)
    await sender.send(CHAT, ExportFile("All of it."), ("mine.json", b'{"a": 1}'))
    await sender.typing(CHAT)
    await sender.delete(CHAT, [first, second])
    assert proxy.texts(5) == ["Äpfel & <b>", "How bad?"]
    assert proxy.sent(5, "sendDocument")[0].files == {"document": b'{"a": 1}'}
    assert proxy.sent(5, "editMessageText")[0].fields["text"] == "How bad?\n\n— 1"
    assert [call.fields["message_id"] for call in proxy.sent(5, "deleteMessage")] == [str(first), str(second)]


async def test_a_long_poll_waits_for_what_comes(bot: PollingBot, proxy: Proxy) -> None:
    poll = asyncio.create_task(bot.raw_updates(None, 20, ["message"]))
    await asyncio.sleep(0)
    await Actor(proxy, 5).says("hello")
    updates = await asyncio.wait_for(poll, 5)
    assert updates[0]["message"]["text"] == "hello"


async def test_a_lost_answer_is_unclear_and_a_flood_says_how_long(bot: PollingBot, proxy: Proxy) -> None:
    sender = Sender(bot)
    proxy.fault = lambda _: "drop"
    with pytest.raises(NoAnswer):
        await sender.send(CHAT, Message("hello"), None)
    assert proxy.texts(5) == ["hello"]
    proxy.fault = lambda _: refusal(429, "Too Many Requests: retry after 4", retry_after=4)
    with pytest.raises(TooManyRequests) as caught:
        await sender.send(CHAT, Message("hello"), None)
    assert caught.value.retry_after == 4


async def test_a_server_that_is_not_there_is_a_network_error() -> None:
    async with Proxy() as gone:
        origin = gone.origin
    for http in BOTH:
        bot = make_bot(TOKEN, origin, http)
        with pytest.raises(NetworkError):
            await bot.initialize()
        await bot.shutdown()


async def test_a_late_answer_is_a_time_out() -> None:
    async def answer_never(_reader: asyncio.StreamReader, _worker: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    server = await asyncio.start_server(answer_never, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    request = AiohttpRequest(read_timeout=0.05)
    async with request:
        with pytest.raises(TimedOut):
            await request.do_request(f"http://127.0.0.1:{port}/", "POST")
    server.close()
