"""The library's Bot, made the way we need it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from telegram import Bot
from telegram.request import BaseRequest, HTTPXRequest

Http = Literal["httpx", "aiohttp"]

ANSWER_WITHIN = 20.0
"""Seconds to wait for an answer: a send given up too early may have arrived, and would be sent twice."""
CONNECTIONS = 96
TELEGRAM = "https://api.telegram.org"


class PollingBot(Bot):
    """A Bot that hands out updates as they came, so that one it can't read never hides the others."""

    async def raw_updates(self, offset: int | None, wait: int, allowed: Sequence[str]) -> list[dict[str, Any]]:
        """Updates from `offset` on, which acknowledges those before; waits up to `wait` seconds for one."""
        wishes: dict[str, Any] = {"offset": offset, "timeout": wait, "allowed_updates": list(allowed)}
        updates = await self._post("getUpdates", wishes, read_timeout=wait + ANSWER_WITHIN)
        if not isinstance(updates, list):
            raise TypeError("updates are not a list")
        return updates


def make_bot(token: str, api_url: str | None = None, http: Http = "httpx") -> PollingBot:
    """A bot for `token`. `api_url`: another Bot API server, with or without `/bot` at its end."""
    server = (api_url or TELEGRAM).rstrip("/").removesuffix("/bot")
    return PollingBot(
        token,
        base_url=f"{server}/bot",
        base_file_url=f"{server}/file/bot",
        request=_request(http, CONNECTIONS),
        get_updates_request=_request(http, 2),
    )


def _request(http: Http, connections: int) -> BaseRequest:
    if http == "aiohttp":
        from bot.telegram.aiohttp_request import AiohttpRequest  # noqa: PLC0415 - loaded where it is used

        return AiohttpRequest(connections=connections, read_timeout=ANSWER_WITHIN)
    return HTTPXRequest(
        connection_pool_size=connections,
        read_timeout=ANSWER_WITHIN,
        write_timeout=ANSWER_WITHIN,
        connect_timeout=10.0,
        pool_timeout=10.0,
    )
