"""What clients said while the bot was away is taken before anybody is woken, and nobody sleeps longer for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from telegram.error import NetworkError

from bot.app import App
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.scheduler import Scheduler
from bot.telegram import backlog
from bot.telegram.client import PollingBot
from bot.telegram.polling import MOST_UPDATES, Polling
from bot.telegram.sender import Sender
from bot.telegram.service import _serve
from bot.worker_thread import WorkerThread
from state_machine.turn.options import token
from tests.talking import Client
from tests.telegram.stub import Answer, StubRequest, bad, good, message

ANA = 5
ROUND_TRIP = 0.05
Updates = list[dict[str, Any]]


class Telegram(StubRequest):
    """Telegram with what waits there. `trouble`: what a poll is answered with instead, if anything."""

    def __init__(self, number: int) -> None:
        super().__init__(self._answered)
        self.waiting: Updates = []
        self.trouble: Callable[[], Answer | None] = lambda: None
        self.polls: list[int] = []
        """Seconds that each poll was ready to wait for news."""
        self._number = number

    async def do_request(self, url: str, *rest: Any, **more: Any) -> tuple[int, bytes]:
        if url.endswith("getUpdates"):
            await asyncio.sleep(ROUND_TRIP)
        return await super().do_request(url, *rest, **more)

    def _answered(self, method: str, fields: dict[str, str]) -> Answer:
        if method == "getUpdates":
            self.polls.append(int(fields["timeout"]))
            self.waiting = [one for one in self.waiting if one["update_id"] >= int(fields.get("offset", 0))]
            return self.trouble() or good(self.waiting[:MOST_UPDATES])
        self._number += 1
        return good(message(self._number) if method == "sendMessage" else True)

    @property
    def said(self) -> list[str]:
        """What the client saw, toasts included."""
        shown = ("sendMessage", "answerCallbackQuery")
        return [fields["text"] for method, fields in self.calls if method in shown and fields.get("text")]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def at_work(app: App, telegram: Telegram, now: Callable[[], datetime]) -> AsyncIterator[Polling]:
    """The bot's own parts, begun as the service begins them."""
    worker, stop = WorkerThread(), asyncio.Event()
    bot = PollingBot("7:token", request=telegram, get_updates_request=telegram)
    await bot.initialize()
    database = DatabaseWorker(app.store, worker, now)
    courier = Courier(database, Sender(bot), app.export)
    polling = Polling(bot, database, app.conversation, courier)
    scheduler = Scheduler(database, app.conversation, courier, polling.backlog.taken)
    serving = asyncio.create_task(_serve(polling, courier, scheduler, stop))
    try:
        yield polling
    finally:
        stop.set()
        await serving
        worker.close()


@pytest.fixture
def endangered(app: App) -> Client:
    """Ana, who has said that she might act soon, and is asked who could be with her."""
    ana = Client(app, str(ANA)).day_one()
    ana.says("I want to kill myself")
    ana.says("I might act soon")
    return ana


def taps(ana: Client, label: str) -> dict[str, Any]:
    """A tap on a button of the open question, as Telegram keeps it."""
    run = ana.progress.runs[-1]
    key = next(o.key for o in ana.app.prompts.offers_of(run, ana.progress, ana.now) if o.label == label)
    query = {"id": "q", "from": {"id": ANA, "is_bot": False, "first_name": "A"}, "chat_instance": "1"}
    question = message(ana.chat.question_id or 0, ANA)
    return {"update_id": 900, "callback_query": query | {"data": token(run, key), "message": question}}


def in_minutes(ana: Client, minutes: float) -> Callable[[], datetime]:
    at = ana.now + timedelta(minutes=minutes)
    return lambda: at


async def test_an_answer_that_waited_for_the_bot_is_not_overtaken_by_the_silence_it_ended(endangered: Client) -> None:
    telegram = Telegram(endangered.last_message)
    telegram.waiting = [taps(endangered, "Somebody is here")]
    asked = endangered.place
    async with at_work(endangered.app, telegram, in_minutes(endangered, 40)):
        await telegram.until(lambda: len(telegram.said) > 0)
        await asyncio.sleep(3 * ROUND_TRIP)
    assert not any("Still here" in words or "noted" in words for words in telegram.said)
    assert endangered.place not in {asked, "always/sos#one_line"}


async def test_where_nothing_waited_the_silence_is_heard_at_once(endangered: Client) -> None:
    telegram = Telegram(endangered.last_message)
    async with at_work(endangered.app, telegram, in_minutes(endangered, 40)):
        await telegram.until(lambda: len(telegram.said) > 0)
    assert telegram.polls[0] == 0, "the first poll asks what waits, and waits for nothing new"
    assert endangered.place == "always/sos#one_line"


async def test_while_telegram_is_out_of_reach_nobody_is_woken_and_the_answer_comes_first(endangered: Client) -> None:
    telegram = Telegram(endangered.last_message)
    telegram.trouble = lambda: NetworkError("unreachable")
    asked = endangered.place
    async with at_work(endangered.app, telegram, in_minutes(endangered, 40)) as polling:
        await telegram.until(lambda: len(telegram.polls) > 1)
        assert (polling.backlog.taken.is_set(), endangered.place) == (False, asked)
        telegram.waiting = [taps(endangered, "Somebody is here")]
        telegram.trouble = lambda: None
        await telegram.until(lambda: len(telegram.said) > 0)
        await telegram.until(polling.backlog.taken.is_set)
    assert endangered.place not in {asked, "always/sos#one_line"}


async def test_a_line_that_breaks_later_lets_the_ticker_rest_until_it_holds_again(endangered: Client) -> None:
    telegram = Telegram(endangered.last_message)
    async with at_work(endangered.app, telegram, in_minutes(endangered, 1)) as polling:
        await telegram.until(polling.backlog.taken.is_set)
        telegram.trouble = lambda: NetworkError("unreachable")
        await telegram.until(lambda: not polling.backlog.taken.is_set())
        telegram.trouble = lambda: None
        await telegram.until(polling.backlog.taken.is_set)


@pytest.mark.parametrize("flood", [True, False], ids=["a flood of updates", "another program that polls"])
async def test_nothing_keeps_the_ticker_asleep_for_long_while_telegram_answers(
    endangered: Client, monkeypatch: pytest.MonkeyPatch, flood: bool
) -> None:
    monkeypatch.setattr(backlog, "REST_AT_MOST", 0.5)
    telegram = Telegram(endangered.last_message)
    strange = [{"update_id": 1, "brain_wave": {}} for _ in range(MOST_UPDATES)]
    telegram.trouble = lambda: good(strange) if flood else bad(409, "Conflict")
    asked = endangered.place
    async with at_work(endangered.app, telegram, in_minutes(endangered, 40)):
        await telegram.until(lambda: len(telegram.polls) > 0)
        assert endangered.place == asked
        await telegram.until(lambda: len(telegram.said) > 0)
    assert endangered.place == "always/sos#one_line"
