"""One bot at a time on a folder: the second refuses and names the first, and a killed one is in nobody's way."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.folder_lock import FILE, FolderLock
from storage.errors import StoreRefused
from storage.store import Store
from tests.chaos import Bot
from tests.small_disk import small_disk
from tests.stores import NOW
from tests.telegram.proxy import TOKEN, Actor, Proxy

BESIDE = (
    (["chat", "--client", "bea"], 0),
    (["dead-letters"], 0),
    (["counters"], 0),
    (["lines"], 0),
    (["replay"], 0),
    (["rotate-key"], 0),
)


def waiting_in(data: Path) -> int:
    """How many messages are not marked as sent yet."""
    with closing(sqlite3.connect(data / "companion.sqlite")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM outbox WHERE sent_at IS NULL").fetchone()
    return int(count)


def command(words: list[str], data: Path, origin: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    more = {"BOT_TOKEN": token, "BOT_API_URL": origin, "DATA_DIR": str(data)}
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        env=os.environ | more,
        input="/start\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_a_second_bot_on_a_folder_refuses_and_names_the_first_which_a_kill_takes_out_of_the_way(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    async with Proxy() as proxy:
        first = Bot(tmp_path, proxy)
        await first.start()
        await first.polls()
        for token in (TOKEN, "8:another-bot"):
            refused = await asyncio.to_thread(command, ["run"], data, proxy.origin, token)
            assert refused.returncode == 2
            said = re.fullmatch(
                rf"A bot is running on {data} already: process (\d+), since (\d{{4}}-\d\d-\d\d \d\d:\d\d) UTC\. "
                r"Stop it first, or give this one a DATA_DIR of its own\.\n",
                refused.stderr,
            )
            assert said, refused.stderr
            assert first._process is not None
            assert int(said[1]) == first._process.pid
            since = datetime.strptime(said[2], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
            assert 0 <= (datetime.now(UTC) - since).total_seconds() < 180
        for words, status in BESIDE:
            ended = await asyncio.to_thread(command, words, data, proxy.origin)
            assert ended.returncode == status, ended.stderr
        await Actor(proxy, 5).says("/start")
        await proxy.until(lambda: len(proxy.sent(5)) == 2 and waiting_in(data) == 0, 30)
        await first.end(signal.SIGKILL)
        again = Bot(tmp_path, proxy)
        await again.start()
        await again.polls()
        await again.end(signal.SIGTERM)
    assert len(proxy.sent(5)) == 2


def test_a_lock_is_held_until_it_is_released_and_names_its_holder(tmp_path: Path) -> None:
    lock = FolderLock.take(tmp_path / "data", NOW)
    for _ in range(2):
        with pytest.raises(StoreRefused, match=f"already: process {os.getpid()}, since 2026-01-05 09:00 UTC\\."):
            FolderLock.take(tmp_path / "data", NOW)
    lock.release()
    FolderLock.take(tmp_path / "data", NOW).release()


def test_what_lies_in_the_lock_of_a_process_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    for left in (b"", b"4711 2026-01-05 09:00 UTC\n", b"\xff" * 5000):
        (tmp_path / FILE).write_bytes(left)
        lock = FolderLock.take(tmp_path, NOW)
        assert (tmp_path / FILE).read_bytes() == f"{os.getpid()} 2026-01-05 09:00 UTC\n".encode()
        lock.release()


def test_on_a_full_disk_the_lock_holds_without_a_name_in_it(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        disk.leaves(0)
        lock = FolderLock.take(disk.root, NOW)
        with pytest.raises(StoreRefused, match="already: another process"):
            FolderLock.take(disk.root, NOW)
        lock.release()


def test_a_folder_in_which_nothing_can_be_written_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        disk.is_read_only()
        with pytest.raises(StoreRefused, match=r"^The disk is read-only"):
            FolderLock.take(disk.root / "data", NOW)
    (tmp_path / "file").write_text("a file stands where the folder should be")
    with pytest.raises(StoreRefused, match="can't be read or written"):
        FolderLock.take(tmp_path / "file", NOW)


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root can become somebody else and come back"
)
def test_a_folder_of_somebody_else_is_refused_with_what_to_do() -> None:
    refusal = "^Permission denied: this user may not read and write"
    with small_disk(Path("/tmp") / f"ipt-small-disk-{os.getpid()}") as disk:  # noqa: S108 - others may look into it
        data = disk.root / "data"
        Store.open(data).close()
        os.seteuid(65534)
        try:
            for open_it in (lambda: Store.open(data), lambda: FolderLock.take(data, NOW)):
                with pytest.raises(StoreRefused, match=f"{refusal} {data}"):
                    open_it()
            os.seteuid(0)
            data.chmod(0o755)
            for path in data.iterdir():
                path.chmod(0o644)
            os.seteuid(65534)
            with pytest.raises(StoreRefused, match=r"^Permission denied: .* Give the folder"):
                Store.open(data)
        finally:
            os.seteuid(0)
    disk.root.rmdir()
