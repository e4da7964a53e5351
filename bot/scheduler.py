"""Lets the moments that clients asked to be woken at come, through the conversation's one door."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from functools import partial

from bot.conversation import Conversation, wake_key
from bot.db_worker import DatabaseWorker
from bot.delivery.backoff import delay_after
from bot.delivery.courier import Courier
from state_machine.schedule import retention
from storage.errors import DatabaseFault, is_store_failure
from storage.store import UnitOfWork

log = logging.getLogger(__name__)

AT_ONCE = 300
"""Due clients read in one go; between any two of them a waiting message is taken."""
LOOK_EVERY = 1.0
LONGEST_PAUSE = 30.0
"""Seconds between two looks at most, while they fail."""
FORGET_EVERY = timedelta(hours=1)


class Scheduler:
    """Looks for due wake-ups, every second at most, while `heard_all` is set.

    While an answer may wait unread, it rests: a silence would come before the answer that ended it.
    """

    def __init__(
        self, database: DatabaseWorker, conversation: Conversation, courier: Courier, heard_all: asyncio.Event
    ) -> None:
        self.woken = 0
        self.faults = 0
        self._database = database
        self._conversation = conversation
        self._courier = courier
        self._heard_all = heard_all
        self._forgot: datetime | None = None

    async def run(self) -> None:
        """Tick until cancelled. A fault of the store ends a look; the next comes after 1, 2, 4 … seconds."""
        failures = 0
        while True:
            pause = LOOK_EVERY
            faults = self.faults
            try:
                if await self.tick() == AT_ONCE and self.faults == faults:
                    pause = 0.0
                failures = 0
            except Exception as fault:
                failures += 1
                self.faults += 1
                pause = min(delay_after(failures), LONGEST_PAUSE)
                if is_store_failure(fault):
                    self._database.store_failed(fault)
                else:
                    self._say("due wake-ups can't be read", fault)
            await asyncio.sleep(pause)

    async def tick(self) -> int:
        """Wake whoever is due once all is heard. Returns how many were. Raises DatabaseFault, and stops there."""
        await self._heard_all.wait()
        await self._forget()
        due = await self._database.do(self._due)
        before = self.woken
        for client, at in due:
            try:
                if await self._database.run(self._conversation.wake, client, at, self._database.now()):
                    self.woken += 1
                    self._courier.nudge()
            except DatabaseFault:
                raise
            except Exception as fault:
                await self._put_off(client, fault, "waking failed")
        if self.woken > before:
            self._database.store_works()
        return len(due)

    def _due(self, work: UnitOfWork) -> list[tuple[str, datetime]]:
        return work.clients.due(self._courier.channel, self._database.now(), AT_ONCE)

    async def _forget(self) -> None:
        """Once an hour: what has been kept long enough goes, also of those who blocked us and hear nothing."""
        now = self._database.now()
        if self._forgot is not None and now - self._forgot < FORGET_EVERY:
            return
        soon = now + FORGET_EVERY  # so that nothing is kept beyond its time until the next look
        try:
            while await self._database.do(lambda work: work.delete_expired(now)):
                pass  # between two portions, whatever waits for the store has its turn
            found = await self._database.do(lambda work: work.clients.blocked_due(soon, AT_ONCE))
            while found:
                for _, client in found:
                    await self._clean_up(client, now, soon)
                found = await self._database.do(partial(_out_of_reach, soon=soon, after=found[-1]))
        except DatabaseFault:
            raise  # all of it is looked at again as soon as the store can be written
        except Exception as fault:
            self.faults += 1
            self._say("forgetting failed", fault)
        self._forgot = now

    async def _clean_up(self, client: str, now: datetime, soon: datetime) -> None:
        try:
            await self._database.do(partial(_look_after, client=client, now=now, soon=soon))
        except DatabaseFault:
            raise
        except Exception as fault:
            await self._put_off(client, fault, "forgetting failed")

    async def _put_off(self, client: str, fault: Exception, what: str) -> None:
        """One client's fault is theirs alone: it becomes a dead letter, and is tried later. Raises DatabaseFault."""
        self.faults += 1
        self._say(what, fault, f"client {client}: ")
        try:
            await self._database.run(self._conversation.put_off, client, fault, self._database.now())
        except DatabaseFault:
            raise
        except Exception as second:
            self._say("putting off failed", second, f"client {client}: ")

    def _say(self, what: str, fault: Exception, who: str = "") -> None:
        name = type(fault).__name__
        self._database.faults.say(f"{what} {name}", f"{who}{what} ({name})")


def _out_of_reach(work: UnitOfWork, soon: datetime, after: tuple[datetime, str]) -> list[tuple[datetime, str]]:
    return work.clients.blocked_due(soon, AT_ONCE, after)


def _look_after(work: UnitOfWork, client: str, now: datetime, soon: datetime) -> None:
    """Forget or erase what need not be kept beyond `soon` of a client who blocked us, if they still do.

    Raises Unreadable if their row can't be opened or parsed.
    """
    chat = work.chats.get(client)
    if chat is None or not chat.blocked:
        return
    progress = retention.looked_after(chat.progress, soon)
    if progress is None:
        work.clients.erase(client, (), now)
    else:
        work.chats.save(chat, progress, retention.next_look(progress))
    work.inbox.delete(wake_key(client))
