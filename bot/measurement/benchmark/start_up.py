"""How long a fresh process takes until it is ready, and how much memory it holds at most."""

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
# Linux hands the peak of the parent on to a child; its own stands in /proc, where there is one.
status = Path("/proc/self/status")
own = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
peak = int(own[1]) if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"ready": time.time(), "cpu": time.process_time(), "peak": peak}))
"""


@dataclass(frozen=True, slots=True)
class Started:
    """Seconds from the call to readiness, seconds of CPU, megabytes at the peak."""

    ready: float
    cpu: float
    peak_mb: float


def start_up(folder: Path, what: str, clients: int, times: int = 3) -> Started:
    """Start `what` (`terminal` or `telegram`) over a store with so many clients. The best of so many times."""
    _people(folder, clients)
    return min((_once(folder, what) for _ in range(times)), key=lambda started: started.ready)


def _once(folder: Path, what: str) -> Started:
    called = time.time()
    ended = subprocess.run(  # noqa: S603 - our own interpreter with our own words
        [sys.executable, "-c", _CHILD, str(folder), what], stdout=subprocess.PIPE, check=True, env=os.environ | _WHERE
    )
    told = json.loads(ended.stdout)
    kilobytes = told["peak"] / (1024 if sys.platform == "darwin" else 1)
    return Started(told["ready"] - called, told["cpu"], kilobytes / 1024)


_WHERE = {"PYTHONPATH": str(Path(__file__).parent.parent.parent.parent)}


def _people(folder: Path, clients: int) -> None:
    """Rows of so many clients. They are copies of one, which no start may read."""
    store = Store.open(folder)
    with store.begin() as work:
        missing = clients - work.clients.count()
        if missing > 0 and work.chats.find("bench:0") is None:
            from bot.measurement.benchmark.rounds import BEGUN, CALM  # noqa: PLC0415 - brings the whole of Telegram with it

            work.chats.save(work.chats.create("bench:0", BEGUN), CALM, BEGUN)
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
