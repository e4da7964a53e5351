"""What the same work costs at the very least: one trigger of a machine, the bare statements of a turn."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from bot.measurement.benchmark.measured import Cost
from state_machine.programme.tables import CHECK_IN
from state_machine.turn.machine import Machines, Model

TRIGGERS = 500


def bare_trigger(machines: Machines) -> Cost:
    """One `machine.events[…].trigger(model)` on a fresh model, the first way of a check-in's first question."""
    machine = machines.dialogues[CHECK_IN]
    way, sources = next((way, found) for way, found in machine.events.items() if way.startswith("way_"))
    place = next(iter(sources.transitions))
    cost = Cost()
    with cost.counting():
        for _ in range(TRIGGERS):
            machine.events[way].trigger(Model(step=place))
    return cost.per(TRIGGERS)


class Statements:
    """Takes down what the databases are sent, so that it can be sent again to copies of them by the plain driver.

    What is sent inside `counting` is what `replay` measures; the rest is sent again, too, but not measured.
    """

    def __init__(self) -> None:
        self._sent: list[tuple[bool, str, str, Any, bool]] = []
        self._counts = False

    def __enter__(self) -> Statements:
        event.listen(Engine, "before_cursor_execute", self._one)
        event.listen(Engine, "commit", self._commit)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._one)
        event.remove(Engine, "commit", self._commit)

    @property
    def seen(self) -> int:
        """How many statements were sent inside `counting`, `BEGIN` and `COMMIT` among them."""
        return sum(counts for counts, *_ in self._sent)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Measure what is sent inside when it is sent again."""
        self._counts = True
        yield
        self._counts = False

    def forget(self) -> None:
        """Begin anew, for another round."""
        self._sent.clear()

    def replay(self, copies: Mapping[str, Path], turns: int) -> Cost:
        """Send all of it to the copies of the databases, by their paths. The cost of one of so many turns.

        The copies have a write-ahead log and `synchronous=FULL`, as ours.
        """
        opened = {path: _plain(copy) for path, copy in copies.items()}
        cost = Cost()
        try:
            for counts, those in groupby(self._sent, key=lambda sent: sent[0]):
                batch = [(opened[path], *what) for _, path, *what in those]
                with cost.counting() if counts else nullcontext():
                    for connection, statement, parameters, many in batch:
                        run = connection.executemany if many else connection.execute
                        run(statement, parameters).fetchall()
        finally:
            for connection in opened.values():
                connection.close()
        return cost.per(turns)

    def _one(self, *args: Any) -> None:
        connection, _, statement, parameters, _, many = args
        self._sent.append((self._counts, str(connection.engine.url.database), statement, parameters, many))

    def _commit(self, connection: Connection) -> None:
        self._sent.append((self._counts, str(connection.engine.url.database), "COMMIT", (), False))


def copies_of(databases: Iterable[Path], folder: Path) -> dict[str, Path]:
    """Copies of SQLite databases that are in use, in a new folder, by the paths of the originals."""
    folder.mkdir()
    copies = {}
    for path in databases:
        copies[str(path)] = folder / path.name
        original, copy = sqlite3.connect(path), sqlite3.connect(folder / path.name)
        original.backup(copy)
        original.close()
        copy.close()
    return copies


def _plain(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection
