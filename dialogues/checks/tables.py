"""The parts of the programme's tables that the checks use."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from state_machine.programme import tables as programme_tables
from state_machine.programme.rows import PHASES


class DepartureRow(Protocol):
    """One row of the departures."""

    @property
    def dialogue(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def phases(self) -> tuple[str, ...]: ...
    @property
    def to(self) -> str | None: ...


class InterruptRow(Protocol):
    """One row of the interrupts."""

    @property
    def memory(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Tables:
    """The content of `state_machine/programme/tables.py`, or that of a test.

    `opened`: dialogues opened by a row or by a rule of the engine; `asked`: memories that a row asks for again;
    `conditions`: conditions named by the rows.
    """

    phases: tuple[str, ...] = ()
    departures: Sequence[DepartureRow] = ()
    interrupts: Sequence[InterruptRow] = ()
    opened: Collection[str] = field(default_factory=frozenset)
    asked: Collection[str] = field(default_factory=frozenset)
    conditions: Collection[str] = field(default_factory=frozenset)


def of_the_programme() -> Tables:
    """Return the tables of `state_machine/programme/tables.py`."""
    return Tables(
        phases=PHASES,
        departures=programme_tables.DEPARTURES,
        interrupts=programme_tables.INTERRUPTS,
        opened=programme_tables.opened(),
        asked=programme_tables.asked(),
        conditions=programme_tables.conditions(),
    )
