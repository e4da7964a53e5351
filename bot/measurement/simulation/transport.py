"""The fake network between one process of the bot, which uses the real Bot of the library, and the fake Telegram."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from random import Random
from typing import Any

from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.measurement.simulation.fake_telegram import FakeTelegram, Response, bad
from bot.measurement.simulation.faults import Faults
from bot.measurement.simulation.limits import Limits
from bot.measurement.simulation.recorder import ArrivedMessage

CALL_TIMEOUT = 20.0
"""Seconds after which a call without a response raises TimedOut."""
SENDS = frozenset({"sendMessage", "sendDocument"})


class FakeTransport(BaseRequest):
    """Passes calls on with a delay, and loses some. Once `disconnected`, no call ever returns."""

    def __init__(
        self, telegram: FakeTelegram, faults: Faults, rng: Random, limits: Limits, counts: Counter[str]
    ) -> None:
        self.disconnected = False
        self.outage_until = 0.0
        """Telegram can't be reached until this second of the loop's clock."""
        self._telegram = telegram
        self._faults = faults
        self._rng = rng
        self._limits = limits
        self._counts = counts

    @property
    def read_timeout(self) -> float | None:
        """The property the library asks for."""
        return CALL_TIMEOUT

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(
        self,
        url: str,
        method: str,  # noqa: ARG002 - the name is the library's
        request_data: RequestData | None = None,
        *_: Any,
        **__: Any,
    ) -> tuple[int, bytes]:
        """Status and content of the response. Raises what the library raises if there is none."""
        called = url.rsplit("/", 1)[1]
        fields = request_data.json_parameters if request_data else {}
        if called == "getUpdates":
            return await self._poll(fields)
        self._limits.count_call(called, fields.get("chat_id", ""), asyncio.get_running_loop().time())
        outward, back = (self._rng.uniform(*self._faults.latency) / 2 for _ in range(2))
        await asyncio.sleep(outward)
        response, arrived = self._call(called, fields)
        if arrived is not None and self._occurs(self._faults.response_lost):
            self._counts["responses lost"] += 1
            response = None
        if response is None:
            await asyncio.sleep(CALL_TIMEOUT)
            raise TimedOut
        await asyncio.sleep(back)
        if self.disconnected:
            await asyncio.Event().wait()
        if arrived is not None:
            arrived.acknowledged = True
        return response[0], json.dumps(response[1]).encode()

    def _call(self, called: str, fields: dict[str, str]) -> tuple[Response | None, ArrivedMessage | None]:
        now = asyncio.get_running_loop().time()
        if now < self.outage_until:
            raise NetworkError("unreachable")
        if called in SENDS:
            failed, response = self._fault(int(fields["chat_id"]), now)
            if failed:
                return response, None
        return self._telegram.call(called, fields)

    def _fault(self, chat_id: int, now: float) -> tuple[bool, Response | None]:
        """Whether this send fails, and with which response; None for no response at all."""
        faults, chat = self._faults, self._telegram.chat(chat_id)
        if now < chat.flooded_until or self._occurs(faults.too_many_requests):
            self._counts["429 responses"] += 1
            wait = self._rng.randint(*faults.retry_after)
            chat.flooded_until = max(chat.flooded_until, now + wait)
            return True, bad(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        if self._occurs(faults.call_lost):
            self._counts["calls lost"] += 1
            return True, None
        if self._occurs(faults.server_error):
            return True, bad(502, "Bad Gateway")
        if self._occurs(faults.rejected):
            return True, bad(400, "Bad Request: for an unknown reason")
        return False, None

    async def _poll(self, fields: dict[str, str]) -> tuple[int, bytes]:
        if self._occurs(self._faults.poll_lost) or asyncio.get_running_loop().time() < self.outage_until:
            await asyncio.sleep(1.0)
            raise NetworkError("unreachable")
        await asyncio.sleep(self._rng.uniform(*self._faults.latency))
        updates = await self._telegram.poll(int(fields.get("offset", "0")), float(fields.get("timeout", "0")))
        if self.disconnected:
            await asyncio.Event().wait()
        return 200, json.dumps({"ok": True, "result": updates}).encode()

    def _occurs(self, chance: float) -> bool:
        return chance > 0 and self._rng.random() < chance
