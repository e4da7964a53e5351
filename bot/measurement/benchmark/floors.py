"""Lower bounds for the cost of a turn: one trigger of a state machine, and the statements of a turn by themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from bot.measurement.benchmark.cost import Cost
from state_machine.programme.tables import CHECK_IN
from state_machine.turn.machine import Machines, Model

TRIGGERS = 500


def bare_trigger(machines: Machines) -> Cost:
    """Cost of one `machine.events[…].trigger(model)` on a fresh model: the first way on of a check-in."""
    machine = machines.dialogues[CHECK_IN]
    way, sources = next((way, found) for way, found in machine.events.items() if way.startswith("way_"))
    place = next(iter(sources.transitions))
    cost = Cost()
    with cost.measuring():
        for _ in range(TRIGGERS):
            machine.events[way].trigger(Model(step=place))
    return cost.per(TRIGGERS)


class _RecordedCursor(sqlite3.Cursor):
    """A cursor that reports what it sends."""

    connection: _RecordedConnection

    def execute(self, statement: str, parameters: Any = (), /) -> _RecordedCursor:
        """As in the base class."""
        super().execute(statement, parameters)
        self.connection.on_sent(statement, parameters, False)
        return self

    def executemany(self, statement: str, parameters: Any, /) -> _RecordedCursor:
        """As in the base class."""
        super().executemany(statement, parameters)
        self.connection.on_sent(statement, parameters, True)
        return self


class _RecordedConnection(sqlite3.Connection):
    """A connection that reports what it sends to `on_sent`: statement, parameters, whether there are many of them."""

    on_sent: Callable[[str, Any, bool], None]

    def cursor(self, *_: Any) -> Any:
        """As in the base class."""
        return super().cursor(_RecordedCursor)

    def commit(self) -> None:
        """As in the base class."""
        was_open = self.in_transaction
        super().commit()
        if was_open:
            self.on_sent("COMMIT", (), False)


class Statements:
    """Records what databases are sent, so that the plain driver can send it again to copies of them.

    Only databases that are opened while this is entered are recorded. What is sent inside `measuring` is measured by
    `replay`; the rest is sent again, too, but not measured.
    """

    def __init__(self) -> None:
        self._sent: list[tuple[bool, str, str, Any, bool]] = []
        self._is_measured = False

    def __enter__(self) -> Statements:
        event.listen(Engine, "do_connect", self._connect)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "do_connect", self._connect)

    @property
    def count(self) -> int:
        """How many statements were sent inside `measuring`, including `BEGIN` and `COMMIT`."""
        return sum(counts for counts, *_ in self._sent)

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Mark what is sent inside the `with` block as measured."""
        self._is_measured = True
        yield
        self._is_measured = False

    def forget(self) -> None:
        """Forget what was sent so far."""
        self._sent.clear()

    def replay(self, copies: Mapping[str, Path], turns: int) -> Cost:
        """Send everything again to copies of the databases, given by the paths of the originals.

        Returns the cost of one of `turns` turns. The copies have a write-ahead log and `synchronous=FULL`, as ours.
        """
        opened = {path: _plain(copy) for path, copy in copies.items()}
        cost = Cost()
        try:
            for counts, those in groupby(self._sent, key=lambda sent: sent[0]):
                batch = [(opened[path], *what) for _, path, *what in those]
                with cost.measuring() if counts else nullcontext():
                    for connection, statement, parameters, many in batch:
                        run = connection.executemany if many else connection.execute
                        run(statement, parameters).fetchall()
        finally:
            for connection in opened.values():
                connection.close()
        return cost.per(turns)

    def _connect(self, dialect: Any, _: Any, args: tuple[Any, ...], options: dict[str, Any]) -> sqlite3.Connection:
        connection: _RecordedConnection = dialect.connect(*args, **options, factory=_RecordedConnection)
        path = str(args[0])
        connection.on_sent = lambda *sent: self._sent.append((self._is_measured, path, *sent))
        return connection


def copies_of(databases: Iterable[Path], folder: Path) -> dict[str, Path]:
    """Copy SQLite databases that are in use into a new folder. Returns the copies by the paths of the originals."""
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
