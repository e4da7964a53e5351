"""Anonymous counts by month of how often something happened, for the operator."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select, update

from storage.database import insert_or_skip
from storage.session import Session
from storage.tables import counters

MIN_SHOWN = 5
"""Smaller counts are not shown: they might point to one person."""


class Counters:
    """The counters, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection

    def increment(self, day: date, name: str) -> None:
        """Add one to the counter `name` of the month of `day`."""
        month = day.replace(day=1)
        row = {"month": month, "name": name, "number": 0}
        self._connection.execute(insert_or_skip(self._connection.dialect.name, counters), row)
        is_row = (counters.c.month == month) & (counters.c.name == name)
        self._connection.execute(update(counters).where(is_row).values(number=counters.c.number + 1))

    def bands(self) -> list[tuple[date, str, str]]:
        """Month, name and a band such as `5-9` or `10-19` of each counter that is at least `MIN_SHOWN`."""
        rows = self._connection.execute(select(counters).order_by(counters.c.month, counters.c.name)).all()
        return [(month, name, band(number)) for month, name, number in rows if number >= MIN_SHOWN]


def band(number: int) -> str:
    """The band of a count of 5 or more: 5-9, 10-19, 20-49, 50-99, then hundreds."""
    for low, high in ((5, 9), (10, 19), (20, 49), (50, 99)):
        if number <= high:
            return f"{low}-{high}"
    return f"{number // 100 * 100}-{number // 100 * 100 + 99}"
