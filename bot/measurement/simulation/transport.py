"""The line between one process of the bot and Telegram, with the library's own Bot at our end of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from random import Random
from typing import Any

from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.measurement.simulation.fake_telegram import Answer, FakeTelegram, bad
from bot.measurement.simulation.faults import Faults
from bot.measurement.simulation.limits import Limits
from bot.measurement.simulation.recorder import Arrived

GIVEN_UP_AFTER = 20.0
"""Seconds after which a call without an answer is given up."""
SENDS = frozenset({"sendMessage", "sendDocument"})


class FakeTransport(BaseRequest):
    """Carries calls, slowly, and loses some. Once `cut`, nothing comes back any more."""

    def __init__(
        self, telegram_side: FakeTelegram, faults: Faults, dice: Random, limits: Limits, counts: Counter[str]
    ) -> None:
        self.cut = False
        self.down_until = 0.0
        """Telegram is out of reach until that second of the loop's clock."""
        self._telegram_side = telegram_side
        self._faults = faults
        self._dice = dice
        self._limits = limits
        self._counts = counts

    @property
    def read_timeout(self) -> float | None:
        """As the library asks."""
        return GIVEN_UP_AFTER

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(
        self,
        url: str,
        method: str,  # noqa: ARG002 - the library names it
        request_data: RequestData | None = None,
        *_: Any,
        **__: Any,
    ) -> tuple[int, bytes]:
        """Status and content of the answer. Raises what the library raises where none comes."""
        called = url.rsplit("/", 1)[1]
        fields = request_data.json_parameters if request_data else {}
        if called == "getUpdates":
            return await self._poll(fields)
        self._limits.leaves(called, fields.get("chat_id", ""), asyncio.get_running_loop().time())
        there, back = (self._dice.uniform(*self._faults.slow) / 2 for _ in range(2))
        await asyncio.sleep(there)
        answer, arrived = self._at_the_other_end(called, fields)
        if arrived is not None and self._happens(self._faults.answer_lost):
            self._counts["answers lost"] += 1
            answer = None
        if answer is None:
            await asyncio.sleep(GIVEN_UP_AFTER)
            raise TimedOut
        await asyncio.sleep(back)
        if self.cut:
            await asyncio.Event().wait()
        if arrived is not None:
            arrived.told = True
        return answer[0], json.dumps(answer[1]).encode()

    def _at_the_other_end(self, called: str, fields: dict[str, str]) -> tuple[Answer | None, Arrived | None]:
        now = asyncio.get_running_loop().time()
        if now < self.down_until:
            raise NetworkError("unreachable")
        if called in SENDS:
            trouble, answer = self._trouble(int(fields["chat_id"]), now)
            if trouble:
                return answer, None
        return self._telegram_side.call(called, fields)

    def _trouble(self, chat: int, now: float) -> tuple[bool, Answer | None]:
        faults, room = self._faults, self._telegram_side.room(chat)
        if now < room.flooded_until or self._happens(faults.too_fast):
            self._counts["told to wait"] += 1
            wait = self._dice.randint(*faults.retry_after)
            room.flooded_until = max(room.flooded_until, now + wait)
            return True, bad(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        if self._happens(faults.call_lost):
            self._counts["calls lost"] += 1
            return True, None
        if self._happens(faults.server_error):
            return True, bad(502, "Bad Gateway")
        if self._happens(faults.refused):
            return True, bad(400, "Bad Request: for a reason of its own")
        return False, None

    async def _poll(self, fields: dict[str, str]) -> tuple[int, bytes]:
        if self._happens(self._faults.poll_lost) or asyncio.get_running_loop().time() < self.down_until:
            await asyncio.sleep(1.0)
            raise NetworkError("unreachable")
        await asyncio.sleep(self._dice.uniform(*self._faults.slow))
        updates = await self._telegram_side.poll(int(fields.get("offset", "0")), float(fields.get("timeout", "0")))
        if self.cut:
            await asyncio.Event().wait()
        return 200, json.dumps({"ok": True, "result": updates}).encode()

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self._dice.random() < chance
