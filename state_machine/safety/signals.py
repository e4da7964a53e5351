"""The plain data a screen is built from: one language's signals, word groups and spellings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from state_machine.safety.reading import DangerKind, Tier

CLAUSE, ME, SOMEBODY, ANYBODY = "clause starts", "me", "somebody", "anybody"
PEOPLE, NOBODY = "people of mine", "nobody"
DENIAL, NO_DENIAL, REPORTING = "denials", "no denials", "reporting"
LONG_AGO, NOW, SUBJECTS = "long ago", "now", "subjects"
CIRCUMSTANCES = frozenset(
    {CLAUSE, ME, SOMEBODY, ANYBODY, PEOPLE, NOBODY, DENIAL, NO_DENIAL, REPORTING, LONG_AGO, NOW, SUBJECTS}
)
"""The word groups which the screen itself asks for; every language must have them."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Patterns of one meaning. Without a tier its words are taken out (idioms) or only named (a loss).

    `hint` marks a signal that is no danger and is asked for by name, like signs of being under age.
    """

    name: str
    tier: Tier
    kind: DangerKind
    patterns: tuple[str, ...]
    hint: bool = False


@dataclass(frozen=True, slots=True)
class Signals:
    """One language. `groups` maps a name to its alternatives, which are patterns themselves.

    `spellings` maps a word as typed to the words it stands for; `forgiving` are words that are also read with
    one letter wrong, `lookalikes` words that are never taken for another; `fillers` are not read at all.
    """

    language: str
    signals: tuple[Signal, ...]
    groups: Mapping[str, tuple[str, ...]]
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forgiving: tuple[str, ...] = ()
    lookalikes: tuple[str, ...] = ()
    fillers: frozenset[str] = frozenset()
