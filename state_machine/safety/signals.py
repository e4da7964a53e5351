"""The data from which a screen is built: signals, word groups and spellings of a language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from state_machine.safety.reading import DangerKind, Tier

CLAUSE, ME, SOMEBODY, ANYBODY = "clause starts", "me", "somebody", "anybody"
PEOPLE, NOBODY = "people of mine", "nobody"
DENIAL, NO_DENIAL, REPORTING = "denials", "no denials", "reporting"
LONG_AGO, NOW, SUBJECTS = "long ago", "now", "subjects"
REQUIRED_GROUPS = frozenset(
    {CLAUSE, ME, SOMEBODY, ANYBODY, PEOPLE, NOBODY, DENIAL, NO_DENIAL, REPORTING, LONG_AGO, NOW, SUBJECTS}
)
"""The word groups that the screen itself uses; every language must have them."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Patterns with one meaning. Tier NONE: matched words are masked (idioms), or only reported (a loss).

    `hint`: the signal is no danger and is looked up by name, such as signs of being under age.
    """

    name: str
    tier: Tier
    kind: DangerKind
    patterns: tuple[str, ...]
    hint: bool = False


@dataclass(frozen=True, slots=True)
class Signals:
    """The signals of one language. `groups` maps a name to its alternatives, which are patterns themselves.

    `spellings`: typed word to normalised words; `forgiving`: words that are recognised with one typo;
    `lookalikes`: words that are never corrected to another; `fillers`: words that are ignored.
    """

    language: str
    signals: tuple[Signal, ...]
    groups: Mapping[str, tuple[str, ...]]
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forgiving: tuple[str, ...] = ()
    lookalikes: tuple[str, ...] = ()
    fillers: frozenset[str] = frozenset()
