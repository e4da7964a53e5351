"""What the same work costs at the very least: one trigger of a machine, one bare transaction."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from bot.measurement.benchmark.measured import Cost
from state_machine.programme.tables import CHECK_IN
from state_machine.turn.machine import Machines, Model

TRIGGERS = 5000
TRANSACTIONS = 300
A_SEALED_ROW = 1500
"""Bytes of a progress as it is kept."""


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
    """Counts the statements the databases are sent while `counting`, transactions' own words among them."""

    def __init__(self) -> None:
        self.seen = 0
        self._counts = False

    def __enter__(self) -> Statements:
        event.listen(Engine, "before_cursor_execute", self._one)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._one)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count inside."""
        self._counts = True
        yield
        self._counts = False

    def _one(self, *_: Any) -> None:
        self.seen += self._counts


def bare_transaction(path: Path, statements: int) -> Cost:
    """So many statements, `BEGIN` among them, in one transaction of the plain driver: inserts, updates, look-ups.

    Write-ahead log and `synchronous=FULL`, as ours.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB)")
    body, cost = os.urandom(A_SEALED_ROW), Cost()
    with cost.counting():
        for number in range(TRANSACTIONS):
            connection.execute("BEGIN IMMEDIATE")
            for place in range(statements - 1):
                match place % 3:
                    case 0:
                        connection.execute("INSERT INTO rows (body) VALUES (?)", (body,))
                    case 1:
                        connection.execute("UPDATE rows SET body = ? WHERE id = ?", (body, number + 1))
                    case _:
                        connection.execute("SELECT body FROM rows WHERE id = ?", (number + 1,)).fetchone()
            connection.execute("COMMIT")
    connection.close()
    return cost.per(TRANSACTIONS)
