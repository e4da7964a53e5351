"""The library's Bot, made the way we need it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from telegram import Bot
from telegram.request import BaseRequest, HTTPXRequest, RequestData
from telegram.request._requestparameter import RequestParameter

Http = Literal["httpx", "aiohttp"]

ANSWER_WITHIN = 20.0
"""Seconds to wait for an answer: a send given up too early may have arrived, and would be sent twice."""
CONNECTIONS = 96
TELEGRAM = "https://api.telegram.org"
LARGEST_NUMBER = 2**63 - 1
"""Telegram's numbers fit into 64 bits, and so do the columns they are kept in."""

_RESULTS = re.compile(r'"result"\s*:\s*\[')
_NUMBER = re.compile(r'(?<!\\)"update_id"\s*:\s*(\d{1,19})(?!\d)')
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class UnreadableUpdate:
    """An update that is no JSON, or nested too deep to be read. `number`: its update_id, if that can be found."""

    number: int | None


class UnreadableBatch(Exception):
    """An answer to getUpdates in which no whole update can be found. `number`: the update_id of the first, if any."""

    def __init__(self, number: int | None = None) -> None:
        super().__init__()
        self.number = number


class PollingBot(Bot):
    """A Bot that hands out updates as they came, so that one it can't read never hides the others."""

    async def raw_updates(self, offset: int | None, wait: int, allowed: Sequence[str]) -> list[Any]:
        """Updates from `offset` on, which acknowledges those before; waits up to `wait` seconds for one.

        Each is what its JSON says, of whatever type, or an UnreadableUpdate. Raises UnreadableBatch.
        """
        wishes: dict[str, Any] = {"offset": offset, "timeout": wait, "allowed_updates": list(allowed)}
        fields = [RequestParameter.from_input(name, wish) for name, wish in wishes.items() if wish is not None]
        # Not by the library's own call: that parses the answer as one piece, and is ended by one odd update in it.
        body = await self._request[0]._request_wrapper(
            f"{self.base_url}/getUpdates", "POST", RequestData(fields), read_timeout=wait + ANSWER_WITHIN
        )
        return updates_in(body)


def updates_in(body: bytes) -> list[Any]:
    """The updates of an answer to getUpdates. Raises UnreadableBatch."""
    text = body.decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return _one_by_one(text)
    updates = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(updates, list):
        raise UnreadableBatch
    return updates


def number_of(update: Any) -> int | None:
    """The number by which an update is acknowledged; None if it has none that can be used."""
    number = update.get("update_id") if isinstance(update, dict) else None
    if isinstance(update, UnreadableUpdate):
        number = update.number
    return number if type(number) is int and 0 <= number < LARGEST_NUMBER else None


def _one_by_one(text: str) -> list[Any]:
    """Updates out of an answer that can't be parsed as a whole. One that is cut off is left for the next time."""
    begins = _RESULTS.search(text)
    if begins is None:
        raise UnreadableBatch
    updates = [_parsed(piece) for piece in _pieces(text, begins.end())]
    if not updates:
        raise UnreadableBatch(_number_in(text))
    return updates


def _pieces(text: str, start: int) -> Iterator[str]:
    """The objects of the list that begins at `start`, found by their brackets, however deep they are nested."""
    depth, begin = 0, start
    for token in _TOKEN.finditer(text, start):
        if token[0] in ("{", "["):
            if depth == 0:
                begin = token.start()
            depth += 1
        elif token[0] in ("}", "]"):
            depth -= 1
            if depth < 0:
                return
            if depth == 0:
                yield text[begin : token.end()]


def _parsed(piece: str) -> Any:
    try:
        return json.loads(piece)
    except (ValueError, RecursionError):
        return UnreadableUpdate(_number_in(piece))


def _number_in(text: str) -> int | None:
    found = _NUMBER.search(text)
    return int(found[1]) if found is not None else None


def make_bot(token: str, api_url: str | None = None, http: Http = "httpx", proxy: str | None = None) -> PollingBot:
    """A bot for `token`. `api_url`: another Bot API server, with or without `/bot` at its end.

    `proxy`: the address of an HTTP proxy that all requests go through; None for none. The environment is not read.
    """
    server = (api_url or TELEGRAM).rstrip("/").removesuffix("/bot")
    return PollingBot(
        token,
        base_url=f"{server}/bot",
        base_file_url=f"{server}/file/bot",
        request=_request(http, CONNECTIONS, proxy),
        get_updates_request=_request(http, 2, proxy),
    )


def _request(http: Http, connections: int, proxy: str | None) -> BaseRequest:
    if http == "aiohttp":
        from bot.telegram.aiohttp_request import AiohttpRequest  # noqa: PLC0415 - loaded where it is used

        return AiohttpRequest(connections=connections, read_timeout=ANSWER_WITHIN, proxy=proxy)
    return HTTPXRequest(
        connection_pool_size=connections,
        read_timeout=ANSWER_WITHIN,
        write_timeout=ANSWER_WITHIN,
        connect_timeout=10.0,
        pool_timeout=10.0,
        proxy=proxy,
        httpx_kwargs={"trust_env": False},
    )
