"""Counts by month that name nobody: how often something happened, for the operator."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from storage.tables import counters
from storage.upsert import insert_or_skip

if TYPE_CHECKING:
    from storage.unit_of_work import UnitOfWork

SHOWN_FROM = 5
"""Counts below this are not told: a small number may be somebody."""


class Counters:
    """The counts, within one transaction."""

    def __init__(self, work: UnitOfWork) -> None:
        self._connection = work.connection

    def add(self, day: date, name: str) -> None:
        """One more of `name` in the month of `day`."""
        month = day.replace(day=1)
        row = {"month": month, "name": name, "number": 0}
        self._connection.execute(insert_or_skip(self._connection, counters), row)
        this = (counters.c.month == month) & (counters.c.name == name)
        self._connection.execute(update(counters).where(this).values(number=counters.c.number + 1))

    def banded(self) -> list[tuple[date, str, str]]:
        """Month, name and a band such as `5-9`, `10-19`; nothing below `SHOWN_FROM`."""
        rows = self._connection.execute(select(counters).order_by(counters.c.month, counters.c.name)).all()
        return [(month, name, band(number)) for month, name, number in rows if number >= SHOWN_FROM]


def band(number: int) -> str:
    """The band a count of 5 or more falls into: 5-9, 10-19, 20-49, 50-99, then in hundreds."""
    for low, high in ((5, 9), (10, 19), (20, 49), (50, 99)):
        if number <= high:
            return f"{low}-{high}"
    return f"{number // 100 * 100}-{number // 100 * 100 + 99}"
