"""A stand-in for Telegram over real HTTP: hands out the updates it is given, and answers calls as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

TOKEN = "7:Zwoelfender-token-of-nobody"  # noqa: S105
ME = {"id": 7, "is_bot": True, "first_name": "Companion", "username": "CompanionBot"}

Answer = tuple[int, dict[str, Any]]


def refused(status: int, description: str, **parameters: Any) -> Answer:
    """An error as Telegram words it."""
    return status, {"ok": False, "error_code": status, "description": description, "parameters": parameters}


class StandIn:
    """`answer(method, fields)` gives another answer than that all went well, or None."""

    def __init__(self, updates: list[dict[str, Any]], answer: Callable[[str, dict[str, str]], Answer | None]) -> None:
        self.calls: list[tuple[str, dict[str, str]]] = []
        self._updates = updates
        self._answer = answer
        self._messages = 100
        self._changed = asyncio.Event()

    async def start(self) -> str:
        """Listen; returns the address to give as BOT_API_URL."""
        application = web.Application(client_max_size=2**24)
        application.router.add_post("/bot{token}/{method}", self._called)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        setup = web.TCPSite(self._runner, "127.0.0.1", 0)
        await setup.start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def until(self, true: Callable[[], bool], seconds: float) -> None:
        """Return when it is true, looked at after every call. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def _called(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        fields = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        if method == "getUpdates":
            return await self._handed_out(int(fields.get("offset") or 0))
        status, body = self._answer(method, fields) or (200, {"ok": True, "result": self._result(method, fields)})
        self.calls.append((method, fields))
        self._changed.set()
        return web.Response(text=json.dumps(body), status=status, content_type="application/json")

    async def _handed_out(self, offset: int) -> web.Response:
        found = [update for update in self._updates if update["update_id"] >= offset]
        self._changed.set()
        if not found:
            await asyncio.sleep(0.2)
        return web.json_response({"ok": True, "result": found})

    def _result(self, method: str, fields: dict[str, str]) -> Any:
        if method == "getMe":
            return ME
        if method not in {"sendMessage", "sendDocument", "editMessageText", "editMessageReplyMarkup"}:
            return True
        self._messages += 1
        chat = {"id": int(fields["chat_id"]), "type": "private"}
        return {"message_id": self._messages, "date": 1, "chat": chat, "text": fields.get("text", "")}
