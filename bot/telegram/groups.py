"""Tells groups that we talk with one person at a time, beside the poll loop: nobody's words wait for a group."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from bot.conversation import Conversation
from bot.db_worker import DatabaseWorker
from bot.delivery.courier import Courier
from bot.delivery.messenger import SendFailed
from state_machine.model.outgoing import Message

log = logging.getLogger(__name__)

DECLINE_EVERY = timedelta(hours=1)
AT_ONCE = 5
"""Groups told at one time. A further one is told when it speaks to us again."""


class Groups:
    """The groups we have been put into. Nothing about them is kept."""

    def __init__(self, database: DatabaseWorker, conversation: Conversation, courier: Courier) -> None:
        self._database = database
        self._conversation = conversation
        self._courier = courier
        self._declined: dict[str, datetime] = {}
        self._declining: set[asyncio.Task[None]] = set()

    def decline(self, address: str) -> bool:
        """Begin to say no, once an hour. False if it was said lately, or too many are being told just now."""
        now = self._database.now()
        self._declined = {a: at for a, at in self._declined.items() if now - at < DECLINE_EVERY}
        if address in self._declined or len(self._declining) >= AT_ONCE:
            return False
        self._declined[address] = now
        task = asyncio.create_task(self._say_no(address))
        self._declining.add(task)
        task.add_done_callback(self._declining.discard)
        return True

    async def stop(self) -> None:
        """Let whoever has not been told yet go without it."""
        under_way = tuple(self._declining)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _say_no(self, address: str) -> None:
        try:
            words = await self._database.run(self._conversation.in_group)
            await self._courier.say(address, Message(words, keeps_keyboard=True))
        except SendFailed as failure:
            log.info("a group could not be answered (%s)", type(failure).__name__)
        except Exception as fault:
            log.error("a group could not be answered (%s)", type(fault).__name__)
