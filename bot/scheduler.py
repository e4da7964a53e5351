"""Lets the moments that clients asked to be woken at come, through the conversation's one door."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from functools import partial

from bot.conversation import Conversation
from bot.db_worker import DatabaseWorker
from bot.delivery.backoff import delay_after
from bot.delivery.courier import Courier
from state_machine.schedule import retention
from storage.errors import Unreadable
from storage.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

AT_ONCE = 300
"""Due clients read in one go; between any two of them a waiting message is taken."""
LOOK_EVERY = 1.0
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
        """Tick until cancelled."""
        failures = 0
        while True:
            pause = LOOK_EVERY
            try:
                if await self.tick() == AT_ONCE:
                    pause = 0.0
                failures = 0
            except Exception as fault:
                failures += 1
                self.faults += 1
                pause = min(delay_after(failures), 30.0)
                log.error("due wake-ups can't be read (%s)", type(fault).__name__)
            await asyncio.sleep(pause)

    async def tick(self) -> int:
        """Wake whoever is due once all is heard. Returns how many were."""
        await self._heard_all.wait()
        if self._forgot is None or self._database.now() - self._forgot >= FORGET_EVERY:
            await self._forget()
        due = await self._database.do(self._due)
        for client, at in due:
            try:
                if await self._database.run(self._conversation.wake, client, at, self._database.now()):
                    self.woken += 1
                    self._courier.nudge()
            except Exception as fault:
                self.faults += 1
                log.error("client %s: waking failed (%s)", client, type(fault).__name__)
        return len(due)

    def _due(self, work: UnitOfWork) -> list[tuple[str, datetime]]:
        return work.clients.due(self._courier.channel, self._database.now(), AT_ONCE)

    async def _forget(self) -> None:
        """What has been kept long enough goes, also of those who blocked us and hear nothing."""
        now = self._forgot = self._database.now()
        soon = now + FORGET_EVERY  # so that nothing is kept beyond its time until the next look
        while await self._database.do(lambda work: work.forget(now)):
            pass  # between two portions, whatever waits for the store has its turn
        found = await self._database.do(lambda work: work.clients.out_of_reach(soon, AT_ONCE))
        while found:
            for _, client in found:
                try:
                    await self._database.do(partial(_look_after, client=client, now=now, soon=soon))
                except Exception as fault:
                    self.faults += 1
                    log.error("client %s: forgetting failed (%s)", client, type(fault).__name__)
            found = await self._database.do(partial(_out_of_reach, soon=soon, after=found[-1]))


def _out_of_reach(work: UnitOfWork, soon: datetime, after: tuple[datetime, str]) -> list[tuple[datetime, str]]:
    return work.clients.out_of_reach(soon, AT_ONCE, after)


def _look_after(work: UnitOfWork, client: str, now: datetime, soon: datetime) -> None:
    """Forget or erase what need not be kept beyond `soon` of a client who blocked us, if they still do."""
    try:
        chat = work.clients.get(client)
    except Unreadable:
        work.clients.wake(client, None)
        raise
    if chat is None or not chat.blocked:
        return
    progress = retention.looked_after(chat.progress, soon)
    if progress is None:
        work.clients.erase(client, (), now)
    else:
        work.clients.keep(chat, progress, retention.next_look(progress), now)
