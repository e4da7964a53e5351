"""The tables of the programme, as far as the checks must know them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from state_machine import programme
from state_machine.rows import PHASES


class Row(Protocol):
    """One row of the departures."""

    @property
    def dialogue(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def phases(self) -> tuple[str, ...]: ...
    @property
    def to(self) -> str | None: ...


class FactRow(Protocol):
    """One row of the interrupts."""

    @property
    def memory(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Tables:
    """What `state_machine/programme.py` says, or what a test says in its place.

    `opened`: dialogues that a row or a rule of the engine opens; `asked`: memories that a row asks again;
    `conditions`: conditions that the rows name.
    """

    phases: tuple[str, ...] = ()
    departures: Sequence[Row] = ()
    interrupts: Sequence[FactRow] = ()
    opened: Collection[str] = field(default_factory=frozenset)
    asked: Collection[str] = field(default_factory=frozenset)
    conditions: Collection[str] = field(default_factory=frozenset)


def of_the_programme() -> Tables:
    """The tables as they are written in `state_machine/programme.py`."""
    return Tables(
        phases=PHASES,
        departures=programme.DEPARTURES,
        interrupts=programme.INTERRUPTS,
        opened=programme.opened(),
        asked=programme.asked(),
        conditions=programme.conditions(),
    )
