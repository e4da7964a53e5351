"""Lets the moments that clients asked to be woken at come, through the conversation's one door."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from bot.conversation import Conversation
from bot.courier import Courier
from bot.desk import Desk
from bot.pauses import pause_after
from storage.work import Work

log = logging.getLogger(__name__)

AT_ONCE = 300
"""Due clients read in one go; between any two of them a waiting message is taken."""
LOOK_EVERY = 1.0
FORGET_EVERY = timedelta(hours=1)


class Ticker:
    """Looks for due wake-ups, every second at most, while `heard_all` is set.

    While an answer may wait unread, it rests: a silence would come before the answer that ended it.
    """

    def __init__(self, desk: Desk, conversation: Conversation, courier: Courier, heard_all: asyncio.Event) -> None:
        self.woken = 0
        self.faults = 0
        self._desk = desk
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
                pause = min(pause_after(failures), 30.0)
                log.error("due wake-ups can't be read (%s)", type(fault).__name__)
            await asyncio.sleep(pause)

    async def tick(self) -> int:
        """Wake whoever is due once all is heard. Returns how many were."""
        await self._heard_all.wait()
        due = await self._desk.do(self._due)
        for client, at in due:
            try:
                if await self._desk.run(self._conversation.wake, client, at, self._desk.now()):
                    self.woken += 1
                    self._courier.nudge()
            except Exception as fault:
                self.faults += 1
                log.error("client %s: waking failed (%s)", client, type(fault).__name__)
        return len(due)

    def _due(self, work: Work) -> list[tuple[str, datetime]]:
        now = self._desk.now()
        if self._forgot is None or now - self._forgot >= FORGET_EVERY:
            self._forgot = now
            work.outbox.forget(now)
            work.inbox.forget(now)
            work.partings.forget(now)
        return work.clients.due(now, AT_ONCE)
