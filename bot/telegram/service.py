"""The whole Telegram service of one bot in one process: poll loop, courier, ticker, command menu, clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Iterator, Sequence

from telegram import BotCommand
from telegram.error import InvalidToken, TelegramError

from bot.app import App, now
from bot.courier import Courier, pause_after
from bot.desk import Desk
from bot.pace import Pace
from bot.telegram.library import PollingBot, make_bot
from bot.telegram.polling import TURNED_AWAY, Polling, TokenRefused
from bot.telegram.sender import Sender
from bot.ticker import Ticker
from bot.writer import Writer

log = logging.getLogger(__name__)

TALKATIVE = ("telegram", "httpx", "httpcore", "aiohttp", "hpack", "transitions")
"""Libraries that put addresses with the token, what clients wrote, or every step taken into their log lines."""


def main(app: App) -> None:
    """Serve until the process is asked to end. Ends with status 2 and a sentence if the token is refused."""
    logging.basicConfig(level=app.settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    quieten()
    try:
        asyncio.run(run(app))
    except TokenRefused as refusal:
        sys.stderr.write(f"{refusal}\n")
        sys.exit(2)


def quieten() -> None:
    """Let no library write a line of its own: some show the token, others what clients wrote."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


async def run(app: App, stop: asyncio.Event | None = None, pace: Pace | None = None) -> None:
    """Serve until `stop` is set or the process is asked to end. Raises TokenRefused."""
    quieten()
    stop = stop or asyncio.Event()
    token = app.settings.bot_token
    with _signals(stop):
        try:
            bot = make_bot(
                token.get_secret_value() if token else "", app.settings.bot_api_url, app.settings.http_client
            )
        except InvalidToken:
            raise TokenRefused(TURNED_AWAY) from None
        writer = Writer()
        try:
            if await _reached(bot, stop):
                await _serve(app, bot, Desk(app.store, writer, now), stop, pace)
        finally:
            await bot.shutdown()
            writer.close()


async def _serve(app: App, bot: PollingBot, desk: Desk, stop: asyncio.Event, pace: Pace | None) -> None:
    courier = Courier(desk, Sender(bot), app.export, pace)
    polling = Polling(bot, desk, app.conversation, courier)
    ticker = Ticker(desk, app.conversation, courier)
    await _offer(bot, menu(app))
    log.info("ready")
    stopped = asyncio.create_task(stop.wait())
    carrying = asyncio.create_task(courier.run())
    tasks = {asyncio.create_task(polling.run()), asyncio.create_task(ticker.run()), carrying, stopped}
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks - {carrying}:
        task.cancel()
    await courier.stop()
    await asyncio.gather(*tasks, return_exceptions=True)
    log.info("stopped; in: %s; out: %s", polling.counts, courier.counts)
    for task in done:
        task.result()


async def _reached(bot: PollingBot, stop: asyncio.Event) -> bool:
    """Whether Telegram knows us; waits for it as long as it is out of reach. False: asked to stop meanwhile."""
    tries = 0
    while not stop.is_set():
        try:
            await bot.initialize()
            await bot.delete_webhook(drop_pending_updates=False)
        except InvalidToken:
            raise TokenRefused(TURNED_AWAY) from None
        except (TelegramError, KeyError, TypeError) as error:
            tries += 1
            log.warning("Telegram can't be reached (%s); trying again.", type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), min(pause_after(tries), 30.0))
        else:
            return True
    return False


def menu(app: App) -> list[tuple[str, str]]:
    """The commands that dialogues offer, in the book's order, each with its line."""
    dialogues = app.book.script.dialogues.values()
    return [(d.opened_by.lstrip("/"), d.menu) for d in dialogues if d.opened_by and d.menu]


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
