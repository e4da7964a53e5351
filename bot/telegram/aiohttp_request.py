"""Requests to Telegram over aiohttp: a fraction of the time httpx takes, and no slower in a crowd.

The shape is that of `telegram.request.BaseRequest`. The environment is not read.
"""

from __future__ import annotations

import aiohttp
from telegram._utils.defaultvalue import DefaultValue
from telegram._utils.types import ODVInput
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData


class AiohttpRequest(BaseRequest):
    """Holds up to `connections` open connections. Times in seconds; None waits for ever.

    `proxy`: the address of an HTTP proxy, with a name and password in it if it wants them; None for none.
    """

    def __init__(
        self,
        connections: int = 96,
        read_timeout: float | None = 20.0,
        write_timeout: float | None = 20.0,
        connect_timeout: float | None = 10.0,
        proxy: str | None = None,
    ) -> None:
        self._connections = connections
        self._read = read_timeout
        self._write = write_timeout
        self._connect = connect_timeout
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        """Seconds to wait for an answer, where a call does not say otherwise."""
        return self._read

    async def initialize(self) -> None:
        """Open the session, on the running loop."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                headers={"User-Agent": self.USER_AGENT},
                trust_env=False,
                proxy=self._proxy,
            )

    async def shutdown(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(  # noqa: PLR0913, PLR0917 - the library's shape
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Status and content of the answer. Raises TimedOut or NetworkError, never with the address in it."""
        if self._session is None:
            raise NetworkError("the request is not initialised")
        read = _seconds(read_timeout, self._read)
        write = _seconds(write_timeout, self._write)
        wait = aiohttp.ClientTimeout(
            total=None if read is None or write is None else read + write,
            connect=_seconds(pool_timeout, self._connect),
            sock_connect=_seconds(connect_timeout, self._connect),
            sock_read=read,
        )
        try:
            async with self._session.request(method, url, data=_form(request_data), timeout=wait) as answer:
                return answer.status, await answer.read()
        except TimeoutError as late:
            raise TimedOut from late
        except aiohttp.ClientError as broken:
            raise NetworkError(type(broken).__name__) from broken


def _seconds(asked: ODVInput[float], otherwise: float | None) -> float | None:
    return otherwise if isinstance(asked, DefaultValue) else asked


def _form(data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    if data is None:
        return None
    if not data.contains_files:
        return data.json_parameters
    form = aiohttp.FormData()
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (file_name, content, mime) in data.multipart_data.items():
        form.add_field(name, content, filename=file_name, content_type=mime)
    return form
