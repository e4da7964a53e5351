"""The peer and the Redis server it keeps its state in, started for the length of a run."""

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

from bot.measurement.benchmark.measured import Cost
from bot.measurement.benchmark.served import Call

ROOT = Path(__file__).parent.parent.parent
PYTHON = ROOT / ".venv-peer" / "bin" / "python"
STARTS_WITHIN = 10.0
Fsync = Literal["everysec", "always"]


class PeerFailed(Exception):
    """The peer did not do the same as ours."""


def missing() -> str | None:
    """What the peer lacks, as a sentence; None if it can run."""
    if not PYTHON.exists():
        return "aiogram is not installed beside the bot: `make bench` does that, in .venv-peer."
    if shutil.which("redis-server") is None:
        return "there is no redis-server; on Debian and Ubuntu `apt install redis-server`."
    return None


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of the peer: its own process, and the CPU of its Redis server."""

    process: Cost
    server: float

    @property
    def whole(self) -> Cost:
        """Both processes together. The wall time holds the server's already."""
        return Cost(self.process.cpu + self.server, self.process.wall)


class Peer:
    """A running peer. `round` has it take updates."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def round(self, updates: Sequence[str], calls: int) -> Round:
        """Take these updates. The cost of one; raises `PeerFailed` if it made other than so many calls."""
        told = json.loads(self._ask(json.dumps(updates)))
        if told["calls"] != calls:
            raise PeerFailed(f"the peer made {told['calls']} calls where ours made {calls}")
        return Round(Cost(told["cpu"], told["wall"]).per(len(updates)), told["server"] / len(updates))

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
    """A peer with a Redis server of its own, whose files and socket stand in `folder`.

    `answers`: what it sends at each turn. Raises `PeerFailed` if one of the two does not start.
    """
    folder.mkdir(parents=True)
    socket = folder / "redis.sock"
    durable = ["--appendonly", "yes", "--appendfsync", fsync, "--save", ""]
    where = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--loglevel", "warning"]
    with (
        _ending(subprocess.Popen(["redis-server", *where, *durable], stdout=subprocess.DEVNULL)),  # noqa: S603, S607
    ):
        since = time.monotonic()
        while not socket.exists():
            if time.monotonic() - since > STARTS_WITHIN:
                raise PeerFailed("redis-server does not start")
            time.sleep(0.02)
        command = [str(PYTHON), str(Path(__file__).with_name("peer.py")), str(socket)]
        started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)  # noqa: S603
        with _ending(started):
            assert started.stdin is not None  # noqa: S101 - it was made with a pipe
            started.stdin.write(json.dumps(answers) + "\n")
            yield Peer(started)


@contextmanager
def _ending(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STARTS_WITHIN)
        process.kill()
        process.wait()
