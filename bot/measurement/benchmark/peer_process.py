"""Runs the peer of the benchmark and its Redis server as processes."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.measurement.benchmark.cost import Cost
from bot.measurement.benchmark.whole_service import Call

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-peer" / "bin" / "python"
START_TIMEOUT = 10.0
Fsync = Literal["everysec", "always"]


class PeerFailed(Exception):
    """The peer or its Redis server did not start, ended, or made other calls than our bot."""


def missing_software() -> str | None:
    """A sentence on what is not installed that the peer needs; None if it can run."""
    if not PYTHON.exists():
        return "aiogram is not installed beside the bot: `make bench` does that, in .venv-peer."
    if shutil.which("redis-server") is None:
        return "there is no redis-server; on Debian and Ubuntu `apt install redis-server`."
    return None


@dataclass(frozen=True, slots=True)
class PeerCost:
    """Mean cost of one turn of the peer: of its process, and CPU seconds of its Redis server."""

    process: Cost
    server: float

    @property
    def whole(self) -> Cost:
        """Both processes together. The wall time of the peer includes the server's."""
        return Cost(self.process.cpu + self.server, self.process.wall)


class Peer:
    """A running peer."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def round(self, updates: Sequence[str], calls: int) -> PeerCost:
        """Have the peer process these updates (JSON). Returns the mean cost of one.

        Raises PeerFailed if it did not make exactly `calls` calls of the Bot API.
        """
        report = json.loads(self._ask(json.dumps(updates)))
        if report["calls"] != calls:
            raise PeerFailed(f"the peer made {report['calls']} calls where ours made {calls}")
        return PeerCost(Cost(report["cpu"], report["wall"]).per(len(updates)), report["server"] / len(updates))

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None  # noqa: S101 - it was made with pipes
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise PeerFailed("the peer ended")
        return answer


@contextmanager
def peer(folder: Path, fsync: Fsync, answers: Mapping[str, Sequence[Call]]) -> Iterator[Peer]:
    """Run a peer with its own Redis server, whose files and socket are in `folder`.

    `answers`: the calls it makes at each turn. Raises PeerFailed if one of the two does not start.
    """
    folder.mkdir(parents=True)
    socket = folder / "redis.sock"
    durable = ["--appendonly", "yes", "--appendfsync", fsync, "--save", ""]
    where = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--loglevel", "warning"]
    with _terminating(subprocess.Popen(["redis-server", *where, *durable], stdout=subprocess.DEVNULL)):  # noqa: S603, S607
        started_at = time.monotonic()
        while not socket.exists():
            if time.monotonic() - started_at > START_TIMEOUT:
                raise PeerFailed("redis-server does not start")
            time.sleep(0.02)
        command = [str(PYTHON), str(Path(__file__).with_name("peer.py")), str(socket)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)  # noqa: S603
        with _terminating(process):
            assert process.stdin is not None  # noqa: S101 - it was made with a pipe
            process.stdin.write(json.dumps(answers) + "\n")
            yield Peer(process)


@contextmanager
def _terminating(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(START_TIMEOUT)
        process.kill()
        process.wait()
