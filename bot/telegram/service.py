"""The whole Telegram service of one bot in one process: poll loop, courier, ticker, command menu, clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from telegram import BotCommand
from telegram.error import InvalidToken, TelegramError

from bot.conversation import Conversation
from bot.db_worker import DatabaseWorker
from bot.delivery.backoff import delay_after
from bot.delivery.courier import Courier
from bot.delivery.rate_limiter import RateLimiter
from bot.scheduler import Scheduler
from bot.telegram.client import Http, PollingBot, make_bot
from bot.telegram.polling import TURNED_AWAY, Polling, TokenRefused
from bot.telegram.sender import Sender
from bot.worker_thread import WorkerThread
from storage.store import Store, UnitOfWork

log = logging.getLogger(__name__)

HANDS_OVER_EVERY = 0.0005
"""Seconds after which the writer's thread lets the loop's note an answer, in the middle of a turn. Python's: 5 ms."""
TALKATIVE = ("telegram", "httpx", "httpcore", "aiohttp", "hpack", "transitions")
"""Libraries that put addresses with the token, what clients wrote, or every step taken into their log lines."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """How to reach Telegram.

    `api_url`: another Bot API server, with or without `/bot` at its end; None for Telegram itself.
    `previews_off`: ask that links show no preview; servers that don't know the wish refuse it.
    `menu`: commands (without slash) with the line shown beside each.
    `proxy`: the address of an HTTP proxy that all requests go through.
    """

    token: str
    api_url: str | None = None
    http: Http = "aiohttp"
    previews_off: bool = True
    menu: Sequence[tuple[str, str]] = ()
    proxy: str | None = None


def quieten() -> None:
    """Let no library write a line of its own: some show the token, others what clients wrote."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


async def run(  # noqa: PLR0913, PLR0917 - each part of the house, handed over by who built it
    wiring: Wiring,
    store: Store,
    worker: WorkerThread,
    conversation: Conversation,
    export: Callable[[UnitOfWork, str], tuple[str, bytes]],
    now: Callable[[], datetime],
    stop: asyncio.Event | None = None,
    limiter: RateLimiter | None = None,
) -> None:
    """Serve until `stop` is set or the process is asked to end. Raises TokenRefused."""
    quieten()
    sys.setswitchinterval(HANDS_OVER_EVERY)
    stop = stop or asyncio.Event()
    with _signals(stop):
        try:
            bot = make_bot(wiring.token, wiring.api_url, wiring.http, wiring.proxy)
        except InvalidToken:
            raise TokenRefused(TURNED_AWAY) from None
        try:
            if await _reached(bot, stop):
                await _offer(bot, wiring.menu)
                database = DatabaseWorker(store, worker, now)
                courier = Courier(database, Sender(bot, previews_off=wiring.previews_off), export, limiter)
                polling = Polling(bot, database, conversation, courier)
                scheduler = Scheduler(database, conversation, courier, polling.backlog.taken)
                await _serve(polling, courier, scheduler, stop)
        finally:
            await bot.shutdown()


async def _serve(polling: Polling, courier: Courier, scheduler: Scheduler, stop: asyncio.Event) -> None:
    """Run the three until `stop`. However this ends, none of them and no send is left behind.

    Raises TokenRefused.
    """
    log.info("ready")
    refusals: list[TokenRefused] = []

    async def poll() -> None:
        try:
            await polling.run()
        except TokenRefused as refusal:
            refusals.append(refusal)
            stop.set()

    async with asyncio.TaskGroup() as tasks:
        intake = [tasks.create_task(poll()), tasks.create_task(scheduler.run())]
        tasks.create_task(courier.run())
        await stop.wait()
        for task in intake:
            task.cancel()
        courier.stop()
    log.info("stopped; in: %s; out: %s", polling.counts, courier.counts)
    if refusals:
        raise refusals[0]


async def _reached(bot: PollingBot, stop: asyncio.Event) -> bool:
    """Whether Telegram knows us; waits for it as long as it is out of reach. False: asked to stop meanwhile."""
    tries = 0
    while not stop.is_set():
        try:
            await bot.initialize()
            await bot.delete_webhook(drop_pending_updates=False)
        except InvalidToken:
            raise TokenRefused(TURNED_AWAY) from None
        except Exception as error:  # whatever Telegram's answer holds
            tries += 1
            log.warning("Telegram can't be reached (%s); trying again.", type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), min(delay_after(tries), 30.0))
        else:
            return True
    return False


async def _offer(bot: PollingBot, commands: Sequence[tuple[str, str]]) -> None:
    """The list of commands beside the input line. A convenience: without it everything still works."""
    if not commands:
        return
    try:
        await bot.set_my_commands([BotCommand(command, line) for command, line in commands])
    except (TelegramError, KeyError, ValueError) as error:
        log.warning("the command menu could not be set (%s)", type(error).__name__)


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    caught: list[signal.Signals] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not on every system and thread
            loop.add_signal_handler(number, stop.set)
            caught.append(number)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
