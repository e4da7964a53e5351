"""Where the way to Telegram leads through a proxy, both clients go through it, and nothing else does."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from telegram.error import NetworkError

from bot import settings
from bot.settings import SettingsRefused
from bot.telegram.client import Http, make_bot
from tests.telegram.proxy import TOKEN, Actor, Proxy

SOMEWHERE = "http://telegram.example"
"""A Bot API server that only the proxy knows the way to."""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class HttpProxy:
    """A little HTTP proxy on this machine: counts what goes through, and leads all of it to the emulator."""

    def __init__(self, origin: str) -> None:
        self.asked: list[str] = []
        self.names: set[str] = set()
        self._port = urlsplit(origin).port

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Its address while it runs."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, worker: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, address, _ = head.split(" ", 2)
            if method == "CONNECT":
                self.asked.append(address)
                worker.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            else:
                await self._passed_on(address, head, reader, worker)
        worker.close()

    async def _passed_on(
        self, address: str, head: str, reader: asyncio.StreamReader, worker: asyncio.StreamWriter
    ) -> None:
        self.asked.append(f"{urlsplit(address).scheme}://{urlsplit(address).netloc}")
        fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
        self.names.add(fields.get("proxy-authorization", ""))
        sent = await reader.readexactly(int(fields.get("content-length", "0")))
        there, away = await asyncio.open_connection("127.0.0.1", self._port)
        kept = [line for line in head.splitlines()[1:] if line and not line.lower().startswith("connection")]
        line = f"POST {urlsplit(address).path} HTTP/1.1"
        away.write("\r\n".join([line, *kept, "Connection: close", "", ""]).encode() + sent)
        worker.write(await there.read())
        away.close()


@pytest.fixture
async def telegram() -> AsyncIterator[Proxy]:
    async with Proxy() as running:
        yield running


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("http", ["aiohttp", "httpx"])
async def test_both_clients_go_through_the_proxy_of_the_environment(
    telegram: Proxy, monkeypatch: pytest.MonkeyPatch, http: Http, name: str
) -> None:
    between = HttpProxy(telegram.origin)
    monkeypatch.setenv("BOT_API_URL", SOMEWHERE)
    async with between.running() as address:
        monkeypatch.setenv(name, f"http://{address}")
        async with make_bot(TOKEN, SOMEWHERE, http, settings.read().proxy()) as bot:
            assert bot.id == 7
            await bot.raw_updates(None, 0, ["message"])
    assert between.asked == [SOMEWHERE] * 2


@pytest.mark.parametrize("http", ["aiohttp", "httpx"])
async def test_a_proxy_that_wants_a_name_and_a_password_gets_them(
    telegram: Proxy, monkeypatch: pytest.MonkeyPatch, http: Http
) -> None:
    between = HttpProxy(telegram.origin)
    monkeypatch.setenv("BOT_API_URL", SOMEWHERE)
    async with between.running() as address:
        monkeypatch.setenv("HTTP_PROXY", f"http://ana:secret@{address}")
        async with make_bot(TOKEN, SOMEWHERE, http, settings.read().proxy()):
            pass
    assert between.names == {"basic yw5honnly3jlda=="}
    assert "secret" not in f"{settings.read()!r}"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("http", ["aiohttp", "httpx"])
async def test_telegram_itself_is_asked_for_by_name_of_the_proxy_and_never_directly(
    telegram: Proxy, monkeypatch: pytest.MonkeyPatch, http: Http, name: str
) -> None:
    between = HttpProxy(telegram.origin)
    async with between.running() as address:
        monkeypatch.setenv(name, address)
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        bot = make_bot(TOKEN, None, http, settings.read().proxy())
        with pytest.raises(NetworkError):
            await bot.initialize()
        await bot.shutdown()
    assert set(between.asked) == {"api.telegram.org:443"}


@pytest.mark.parametrize("http", ["aiohttp", "httpx"])
async def test_a_server_on_this_machine_is_reached_without_the_proxy(
    telegram: Proxy, monkeypatch: pytest.MonkeyPatch, http: Http
) -> None:
    between = HttpProxy(telegram.origin)
    monkeypatch.setenv("BOT_API_URL", telegram.origin)
    async with between.running() as address:
        for name in ("HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{address}")
        async with make_bot(TOKEN, telegram.origin, http, settings.read().proxy()) as bot:
            assert bot.id == 7
    assert between.asked == []


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize(
    ("hosts", "direct"),
    [
        ("api.telegram.org", True),
        ("example.org, .telegram.org", True),
        ("telegram.org", True),
        ("*", True),
        ("API.telegram.org:443", True),
        ("api.telegram.org:8443", False),
        ("gram.org", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_what_no_proxy_names_is_reached_without_one(
    monkeypatch: pytest.MonkeyPatch, name: str, hosts: str, direct: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://10.0.0.1:3128")
    monkeypatch.setenv(name, hosts)
    assert (settings.read().proxy() is None) is direct


def test_the_file_of_settings_can_name_the_proxy_too() -> None:
    Path(".env").write_text("HTTPS_PROXY=10.0.0.1:3128\n", encoding="utf-8")
    assert settings.read().proxy() == "http://10.0.0.1:3128"


@pytest.mark.parametrize("wrong", ["socks5://10.0.0.1:1080", "http://:3128", "ftp://10.0.0.1"])
def test_a_proxy_of_another_kind_is_refused_by_its_name_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", wrong)
    with pytest.raises(SettingsRefused, match=r"^HTTPS_PROXY is not the address of an HTTP proxy: .*\.$") as refused:
        settings.read().proxy()
    assert wrong not in str(refused.value)


async def test_the_real_process_talks_through_the_proxy_alone(telegram: Proxy, tmp_path: Path) -> None:
    between = HttpProxy(telegram.origin)
    async with between.running() as address:
        ours = {"BOT_TOKEN": TOKEN, "BOT_API_URL": SOMEWHERE, "DATA_DIR": str(tmp_path / "data")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run"),
            env=os.environ | ours | {"http_proxy": f"http://{address}"},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await Actor(telegram, 5).says("/start")
        await telegram.until(lambda: len(telegram.sent(5)) == 2, 90)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert set(between.asked) == {SOMEWHERE}
    assert len(between.asked) >= len(telegram.calls)
