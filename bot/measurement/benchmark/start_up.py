"""Measures how long a new process takes until it is ready, and its peak memory."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from storage.store import DATA_FILE, KEY_FILE, Store

_CHILD = r"""
import json, re, resource, sys, time
from pathlib import Path
from bot import app
from bot.settings import Settings

folder, what = sys.argv[1:]
built = app.build(Settings(data_dir=Path(folder), _env_file=None))
if what == "telegram":
    from bot.telegram import service
    from bot.telegram.client import make_bot
    make_bot("7:bench", None, built.settings.http_client)
# On Linux a child inherits the peak of its parent; its own is in /proc.
status = Path("/proc/self/status")
own = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
peak = int(own[1]) if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"ready": time.time(), "cpu": time.process_time(), "peak": peak}))
"""


@dataclass(frozen=True, slots=True)
class StartUpCost:
    """Seconds from the call until it is ready, seconds of CPU, peak memory in megabytes."""

    ready: float
    cpu: float
    peak_mb: float


def start_up(folder: Path, what: str, clients: int, times: int = 3) -> StartUpCost:
    """Start `what` (`terminal` or `telegram`) on a store with so many clients. The fastest of `times` starts."""
    _add_clients(folder, clients)
    return min((_once(folder, what) for _ in range(times)), key=lambda started: started.ready)


def _once(folder: Path, what: str) -> StartUpCost:
    called = time.time()
    ended = subprocess.run(  # noqa: S603 - our own interpreter and arguments
        [sys.executable, "-c", _CHILD, str(folder), what],
        stdout=subprocess.PIPE,
        check=True,
        env=os.environ | _ENVIRONMENT,
    )
    report = json.loads(ended.stdout)
    kilobytes = report["peak"] / (1024 if sys.platform == "darwin" else 1)
    return StartUpCost(report["ready"] - called, report["cpu"], kilobytes / 1024)


_ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parent.parent.parent.parent)}


def _add_clients(folder: Path, clients: int) -> None:
    """Make rows for so many clients. They are copies of one: no start may read them."""
    store = Store.open(folder)
    with store.begin() as work:
        missing = clients - work.clients.count()
        if missing > 0 and work.chats.find("bench:0") is None:
            from bot.measurement.benchmark.check_ins import IDLE, START  # noqa: PLC0415 - imports the library for Telegram

            work.chats.save(work.chats.create("bench:0", START), IDLE, START)
    store.close()
    if missing <= 1:
        return
    number = "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?) "
    chat = (
        "INSERT INTO chats (client, address, progress, version, wake_at, created_on) "
        "SELECT printf('%032x', n), address, progress, version, wake_at, created_on FROM number, "
        "(SELECT * FROM chats LIMIT 1)"
    )
    key = (
        "INSERT INTO keys (owner, finder, wrapped, settled) SELECT printf('%032x', n), randomblob(32), wrapped, 1 "
        "FROM number, (SELECT * FROM keys WHERE finder IS NOT NULL LIMIT 1)"
    )
    for file, copies in ((DATA_FILE, chat), (KEY_FILE, key)):
        connection = sqlite3.connect(folder / file)
        with connection:
            connection.execute(number + copies, (missing - 1,))
        connection.close()
