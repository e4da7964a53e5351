"""Asks Telegram for updates and hands them on, chat by chat in order; acknowledges after the commit.

The library's own Updater acknowledges first, and loses what it held when the process is killed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from telegram import Update
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.conversation import Conversation, InboundEvent
from bot.db_worker import DatabaseWorker
from bot.delivery.backoff import delay_after
from bot.delivery.courier import Courier
from bot.telegram.backlog import Backlog
from bot.telegram.client import PollingBot
from bot.telegram.groups import Groups
from bot.telegram.payloads import written
from bot.telegram.updates import ALLOWED_UPDATES, ClientLeft, GroupMention, UpdateReader
from state_machine.model.events import Shared
from storage.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

WAIT = 30
"""Seconds Telegram keeps a request open while there is nothing new."""
MOST_UPDATES = 100
"""Updates that Telegram hands out at once. So many mean that more may wait."""
LONGEST_PAUSE = 30.0
TRIES = 4
"""How often an update is handed on before it may be passed over."""
ALBUMS_REMEMBERED = 1000


class TokenRefused(Exception):
    """Telegram does not know the token."""


@dataclass
class IntakeCounts:
    """What came in. Numbers only."""

    updates: int = 0
    again: int = 0
    unread: int = 0
    passed_over: int = 0
    declined: int = 0


class Polling:
    """The poll loop of one bot. `backlog` says whether what waited at Telegram has been taken."""

    def __init__(
        self,
        bot: PollingBot,
        database: DatabaseWorker,
        conversation: Conversation,
        courier: Courier,
        wait: int = WAIT,
    ) -> None:
        self.counts = IntakeCounts()
        self.backlog = Backlog()
        self._bot = bot
        self._database = database
        self._conversation = conversation
        self._courier = courier
        self._wait = wait
        self._reader = UpdateReader(bot.id, bot.bot.username)
        self._offset: int | None = None
        self._groups = Groups(database, conversation, courier)
        self._albums: OrderedDict[str, str] = OrderedDict()

    async def run(self) -> None:
        """Poll until cancelled. Raises TokenRefused."""
        try:
            await self._poll()
        finally:
            await self._groups.stop()

    async def _poll(self) -> None:
        failures = 0
        while True:
            # Whether anything waits has to be known at once; only then is there time to wait for something new.
            wait = self._wait if self.backlog.taken.is_set() else 0
            try:
                updates = await self._bot.raw_updates(self._offset, wait, ALLOWED_UPDATES)
            except (TelegramError, KeyError, TypeError, ValueError, AttributeError) as error:
                failures += 1
                if _is_an_answer(error):
                    self.backlog.is_kept_back()
                else:
                    self.backlog.out_of_reach()
                await asyncio.sleep(self._pause(error, failures))
                continue
            failures = 0
            more = len(updates) >= MOST_UPDATES
            if more:
                self.backlog.is_kept_back()
            await self.take(updates)
            if not more:
                self.backlog.is_taken()

    def _pause(self, error: Exception, failures: int) -> float:
        """Say what is wrong, and how many seconds to wait."""
        match error:
            case InvalidToken():
                raise TokenRefused(TURNED_AWAY) from None
            case RetryAfter():
                wait = error.retry_after
                return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
            case Conflict():
                log.warning(
                    "Another program is asking Telegram for this bot's updates. "
                    "Stop it, or give this one a token of its own; waiting until then."
                )
            case _:
                log.warning("Telegram can't be reached (%s); trying again.", type(error).__name__)
        return min(delay_after(failures), LONGEST_PAUSE)

    async def take(self, updates: list[dict[str, Any]]) -> None:
        """Hand on a batch: the updates of one chat in order, those of different chats side by side."""
        chats: dict[str, list[InboundEvent | ClientLeft]] = {}
        for raw in updates:
            what = self._read(raw)
            if isinstance(what, GroupMention):
                self.counts.declined += self._groups.decline(what.address)
            elif what is not None:
                chats.setdefault(what.address, []).append(what)
        await asyncio.gather(*(self._hand_on(what) for what in chats.values()))
        numbers = [raw["update_id"] for raw in updates if isinstance(raw.get("update_id"), int)]
        if numbers:
            self._offset = max(numbers) + 1

    def _read(self, raw: dict[str, Any]) -> InboundEvent | ClientLeft | GroupMention | None:
        self.counts.updates += 1
        try:
            payload = written(raw)
            update = Update.de_json(raw, None)
            what = self._reader.read(update, self._database.now(), payload)
        except Exception as fault:  # an update in a shape nobody knows yet must not hide those after it
            self.counts.unread += 1
            log.error("an update can't be read (%s); passed over", type(fault).__name__)
            return None
        if isinstance(what, InboundEvent) and self._same_album(update, what):
            return None
        return what

    def _same_album(self, update: Update, heard: InboundEvent) -> bool:
        """Whether this is a further picture of an album already answered: one gesture, one answer."""
        album = update.message.media_group_id if update.message is not None else None
        if album is None or not isinstance(heard.event, Shared):
            return False
        same = self._albums.get(heard.address) == album
        self._albums[heard.address] = album
        self._albums.move_to_end(heard.address)
        if len(self._albums) > ALBUMS_REMEMBERED:
            self._albums.popitem(last=False)
        return same and not heard.event.caption

    async def _hand_on(self, chat: Iterable[InboundEvent | ClientLeft]) -> None:
        settled = False
        for what in chat:
            if isinstance(what, InboundEvent) and not settled:
                # Once: what is on the wire later answers this batch, and crosses the rest of it in any case.
                await self._courier.settled(what.address)
                settled = True
            tries = 0
            while not await self._taken(what, tries):
                tries += 1
                await asyncio.sleep(min(delay_after(tries) / 4, LONGEST_PAUSE))

    async def _taken(self, what: InboundEvent | ClientLeft, tries: int) -> bool:
        """Whether this update needs no further try: it was handed on, or passed over after some tries in vain."""
        try:
            await self._tell(what)
        except Exception as fault:
            log.error("an update could not be taken (%s), try %d", type(fault).__name__, tries + 1)
        else:
            return True
        if tries + 1 < TRIES:
            return False
        # The conversation parks what breaks in a turn, so the store itself may be at fault. If it takes the key
        # of this update, it is not; if it takes nothing, nothing is acknowledged until it does.
        try:
            await self._database.do(lambda work: self._take_key(work, what))
        except Exception as fault:
            log.error("the store takes nothing (%s); updates wait at Telegram", type(fault).__name__)
            return False
        self.counts.passed_over += 1
        return True

    def _take_key(self, work: UnitOfWork, what: InboundEvent | ClientLeft) -> None:
        work.inbox.is_new(what.key, self._database.now())

    async def _tell(self, what: InboundEvent | ClientLeft) -> None:
        if isinstance(what, ClientLeft):
            await self._database.run(self._conversation.blocked, what.key, what.address, self._database.now())
            return
        if not await self._database.run(self._conversation.receive, what):
            self.counts.again += 1
        self._courier.nudge()


def _is_an_answer(error: Exception) -> bool:
    """Whether Telegram said no, rather than nothing that can be made out."""
    lost = isinstance(error, NetworkError) and not isinstance(error, BadRequest)
    return isinstance(error, TelegramError) and not lost


TURNED_AWAY = (
    "Telegram does not know this bot token. "
    "Ask @BotFather for the present one (/mybots, API Token) and put it into .env as BOT_TOKEN."
)
