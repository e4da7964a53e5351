"""Asks Telegram for updates and hands them on, chat by chat in order; acknowledges after the commit.

The library's own Updater acknowledges first, and loses what it held when the process is killed.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
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
from bot.telegram.client import PollingBot, UnreadableBatch, number_of
from bot.telegram.flood import in_transactions, joined
from bot.telegram.groups import Groups
from bot.telegram.payloads import written
from bot.telegram.updates import ALLOWED_UPDATES, ClientLeft, GroupMention, UpdateReader
from state_machine.model.events import Shared
from storage.errors import is_store_failure

WAIT = 30
"""Seconds Telegram keeps a request open while there is nothing new."""
MOST_UPDATES = 100
"""Updates that Telegram hands out at once. So many mean that more may wait."""
LONGEST_PAUSE = 30.0
TRIES = 4
"""How often an update is tried that fails for a reason of its own. Then it is set aside."""
ALBUMS_REMEMBERED = 1000
PENDING_DELAY = 0.1
"""Seconds between two polls while all that Telegram hands out is being processed already."""
_LINE = "line "
"""How the kinds of fault begin that are over as soon as Telegram hands out updates."""


class TokenRefused(Exception):
    """Telegram does not know the token."""


class NothingToAcknowledge(Exception):
    """No update of a batch has a number, so that Telegram would hand it out again at once."""


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
        self._chats: dict[str, asyncio.Task[None]] = {}
        """By address, the task that processes what came last from there, while it is not done."""
        self._pending: set[int] = set()
        """Updates that are being processed. None from the first of them on is acknowledged."""
        self._done: set[int] = set()
        """Updates that are processed, but not acknowledged yet."""
        self._tasks: asyncio.TaskGroup | None = None
        self._unreadable: tuple[int | None, int] = (None, 0)
        """The update that no answer of Telegram could be read for, and how often."""

    async def run(self) -> None:
        """Poll until cancelled. Raises TokenRefused."""
        refused: list[BaseException] = []
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await self._poll()
        except* TokenRefused as refusals:
            refused += refusals.exceptions  # raised here, it would be put into a group again by some Pythons
        finally:
            await self._groups.stop()
        if refused:
            raise refused[0]

    async def _poll(self) -> None:
        failures = 0
        while True:
            # Whether anything waits has to be known at once; only then is there time to wait for something new.
            wait = self._wait if self.backlog.taken.is_set() else 0
            try:
                updates = await self._bot.raw_updates(self._offset, wait, ALLOWED_UPDATES)
                more = len(updates) >= MOST_UPDATES
                if more:
                    self.backlog.is_kept_back()
                await self.take(updates)
                if updates and not any(number_of(raw) is not None for raw in updates):
                    raise NothingToAcknowledge
            except Exception as error:  # whatever it is, the clients behind it must not wait for ever
                failures += 1
                if _is_an_answer(error):
                    self.backlog.is_kept_back()
                else:
                    self.backlog.out_of_reach()
                if isinstance(error, UnreadableBatch):
                    self._pass_unreadable(error.number)
                await asyncio.sleep(self._pause(error, failures))
                continue
            failures = 0
            self._database.faults.over(_LINE)
            if updates:
                self._database.store_works()
            if not more and not self._pending:
                self.backlog.is_taken()

    def _pass_unreadable(self, number: int | None) -> None:
        """An answer can't be read. After some tries in vain, the update at its beginning is passed."""
        before, tries = self._unreadable
        self._unreadable = (number, tries + 1 if number == before else 1)
        if number is not None and self._unreadable[1] >= TRIES:
            self._offset = number + 1
            self._set_aside(number, "UnreadableBatch")

    def _pause(self, error: Exception, failures: int) -> float:
        """Say what is wrong, once, and how many seconds to wait."""
        match error:
            case InvalidToken():
                raise TokenRefused(TURNED_AWAY) from None
            case RetryAfter():
                wait = error.retry_after
                return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
            case Conflict():
                line = (
                    "Another program is asking Telegram for this bot's updates. "
                    "Stop it, or give this one a token of its own; waiting until then."
                )
            case TelegramError():
                line = f"Telegram can't be reached ({type(error).__name__}); trying again."
            case _:
                line = f"Telegram's answer can't be taken ({type(error).__name__}); trying again."
        self._database.faults.say(f"{_LINE}{type(error).__name__}", line)
        return min(delay_after(failures), LONGEST_PAUSE)

    async def take(self, updates: list[Any]) -> None:
        """Process a batch: the updates of one chat in order, those of different chats side by side.

        Returns when all are processed but those of chats whose last message has no answer from Telegram yet: they go
        on by themselves, and are acknowledged later.
        """
        chats: dict[str, list[tuple[int, InboundEvent | ClientLeft]]] = {}
        numbers = [number for raw in updates if (number := number_of(raw)) is not None]
        for raw in updates:
            number = number_of(raw)
            if number is not None and (number in self._pending or number in self._done):
                continue
            what = self._read(raw)
            if isinstance(what, GroupMention):
                self.counts.declined += self._groups.decline(what.address)
            elif what is not None and number is not None:
                chats.setdefault(what.address, []).append((number, what))
        await asyncio.gather(*(self._begin(address, items) for address, items in chats.items()))
        if numbers:
            self._done.update(number for number in numbers if number not in self._pending)
            self._offset = min(self._pending, default=max(self._done, default=-1) + 1)
            self._done = {number for number in self._done if number >= self._offset}
            if self._pending and not chats:
                await asyncio.sleep(PENDING_DELAY)  # Telegram hands out the same updates again at once

    async def _begin(self, address: str, items: list[tuple[int, InboundEvent | ClientLeft]]) -> None:
        """Process what came from one chat. Returns when it is done, or can't go on yet."""
        numbers = {number for number, _ in items}
        self._pending |= numbers
        may_leave = asyncio.Event()
        before = self._chats.get(address)

        async def process() -> None:
            if before is not None:
                may_leave.set()
                await before
            await self._hand_on([what for _, what in items], may_leave)
            self._pending -= numbers
            self._done |= numbers

        task = (self._tasks or asyncio).create_task(process())
        self._chats[address] = task
        task.add_done_callback(lambda done: self._ended(address, done))
        left = asyncio.ensure_future(may_leave.wait())
        await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
        left.cancel()
        if task.done():
            task.result()

    def _ended(self, address: str, task: asyncio.Task[None]) -> None:
        if self._chats.get(address) is task:
            del self._chats[address]

    def _read(self, raw: Any) -> InboundEvent | ClientLeft | GroupMention | None:
        """What an update means. One that can't be read is set aside by its number, or read by its plain fields."""
        self.counts.updates += 1
        number = number_of(raw)
        if number is None or not isinstance(raw, dict):
            self._set_aside(number, "not an update")
            return None
        try:
            payload = written(raw)
            update = Update.de_json(raw, None)
            what = self._reader.read(update, self._database.now(), payload)
        except Exception as fault:  # an update in a shape nobody knows yet must not hide those after it
            plain = self._reader.read_plainly(raw, self._database.now())
            self._set_aside(number, type(fault).__name__, "it is passed" if plain is None else "its words are taken")
            return plain
        if isinstance(what, InboundEvent) and self._same_album(update, what):
            return None
        return what

    def _set_aside(self, number: int | None, why: str, what_then: str = "it is passed") -> None:
        self.counts.unread += 1
        which = "without a number" if number is None else number
        self._database.faults.say(f"unread {why}", f"Update {which} can't be read ({why}); {what_then}.")

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

    async def _hand_on(self, chat: list[InboundEvent | ClientLeft], may_leave: asyncio.Event) -> None:
        first = next((what for what in chat if isinstance(what, InboundEvent)), None)
        if first is not None and not self._courier.is_settled(first.address):
            # Once: what is sent after this answers the batch, so the rest of the batch is early in any case.
            may_leave.set()
            await self._courier.settled(first.address)
        for several in in_transactions(joined(chat)):
            if len(several) > 1 and await self._taken_together(several):
                continue
            for what in several:
                tries = 0
                while not await self._taken(what, tries):
                    tries += 1
                    await asyncio.sleep(min(delay_after(tries) / 4, LONGEST_PAUSE))

    async def _taken_together(self, several: list[InboundEvent | ClientLeft]) -> bool:
        """Process events of one chat in one transaction. False if that failed; then each is tried by itself."""
        events = [what for what in several if isinstance(what, InboundEvent)]
        try:
            new = await self._database.run(self._conversation.receive_all, events)
        except Exception:
            return False
        self.counts.again += len(events) - new
        self._courier.nudge()
        return True

    async def _taken(self, what: InboundEvent | ClientLeft, tries: int) -> bool:
        """Whether this update needs no further try: it was handed on, or set aside after some tries in vain.

        A fault of the store is no update's own: then nothing is acknowledged until the store can be written again,
        and nobody is woken, because a silence would come before the answer that ended it.
        """
        try:
            await self._tell(what)
        except Exception as fault:
            if is_store_failure(fault):
                return self._store_failed(fault)
            name = type(fault).__name__
            self._database.faults.say(f"not taken {name}", f"An update could not be taken ({name}), try {tries + 1}.")
            return tries + 1 >= TRIES and await self._given_up(what, name)
        return True

    async def _given_up(self, what: InboundEvent | ClientLeft, reason: str) -> bool:
        """Set an update aside that nothing can be done with. False if the store can't be written."""
        payload = what.payload if isinstance(what, InboundEvent) else b""
        now = self._database.now()
        try:
            await self._database.run(self._conversation.set_aside, what.key, what.address, payload, reason, now)
        except Exception as fault:
            if is_store_failure(fault):
                return self._store_failed(fault)
            name = type(fault).__name__
            self._database.faults.say(
                f"not kept {name}", f"An update could not even be parked ({name}); it is passed."
            )
        self.counts.passed_over += 1
        return True

    def _store_failed(self, fault: Exception) -> bool:
        self.backlog.out_of_reach()
        self._database.store_failed(fault)
        return False

    async def _tell(self, what: InboundEvent | ClientLeft) -> None:
        if isinstance(what, ClientLeft):
            await self._database.run(self._conversation.blocked, what.key, what.address, self._database.now())
            return
        if not await self._database.run(self._conversation.receive, what):
            self.counts.again += 1
        self._courier.nudge()


def _is_an_answer(error: Exception) -> bool:
    """Whether Telegram answered, if only with what can't be used, and is not out of reach."""
    if isinstance(error, UnreadableBatch):
        return error.number is not None
    lost = isinstance(error, NetworkError) and not isinstance(error, BadRequest)
    return isinstance(error, TelegramError | NothingToAcknowledge) and not lost


TURNED_AWAY = (
    "Telegram does not know this bot token. "
    "Ask @BotFather for the present one (/mybots, API Token) and put it into .env as BOT_TOKEN."
)
