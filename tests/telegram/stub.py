"""Telegram's end of the line, played by a test: the real Bot of the library speaks to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from telegram.request import BaseRequest, RequestData

Answer = tuple[int, Any] | Exception
ME = {"id": 7, "is_bot": True, "first_name": "Test", "username": "CompanionBot"}


def good(result: Any) -> Answer:
    """An answer in which all went well."""
    return 200, {"ok": True, "result": result}


def bad(status: int, description: str, **parameters: Any) -> Answer:
    """An error as Telegram words it."""
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    return status, body | ({"parameters": parameters} if parameters else {})


class StubRequest(BaseRequest):
    """Answers every call from `answer(method, fields)`, and remembers the calls."""

    def __init__(self, answer: Callable[[str, dict[str, str]], Answer]) -> None:
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.gates: dict[str, asyncio.Event] = {}
        """By chat: calls to it hang until the gate is opened."""
        self._answer = answer

    @property
    def read_timeout(self) -> float | None:
        return 1.0

    async def initialize(self) -> None:
        return None

    async def shutdown(self) -> None:
        return None

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        assert method == "POST"
        called = url.rsplit("/", 1)[1]
        fields = request_data.json_parameters if request_data else {}
        if fields.get("chat_id") in self.gates:
            await self.gates[fields["chat_id"]].wait()
        answer: Answer = good(ME) if called == "getMe" else self._answer(called, fields)
        self.calls.append((called, fields))
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()


def message(number: int, chat: int = 5) -> dict[str, Any]:
    """A message of ours as Telegram returns it."""
    return {"message_id": number, "date": 1, "chat": {"id": chat, "type": "private"}, "text": "x"}
