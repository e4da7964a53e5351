"""The screen: looks for signals of danger in every message.

Deterministic. It finds phrases, not meaning, and misses some; it does not replace asking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from state_machine.safety.matcher import LanguageMatcher
from state_machine.safety.reading import FAULT, NOTHING, DangerKind, RiskReading, strength
from state_machine.safety.signals import Signals


class Screen:
    """Reads text for danger in every language given, whichever the client has chosen."""

    def __init__(self, languages: Callable[[], Iterable[Signals]] | Iterable[Signals]) -> None:
        """With a function that gives the languages, they are made ready by `prepare`, or else for the first message.

        Otherwise at once; raises `NotationError` if a pattern can't be read or a needed word group is missing.
        """
        self._given = languages
        if not callable(languages):
            self.prepare()

    def prepare(self) -> None:
        """Make the patterns ready: a third of a second. Raises `NotationError` as the constructor does."""
        self._languages  # noqa: B018 - worked out once

    @cached_property
    def _languages(self) -> tuple[LanguageMatcher, ...]:
        languages = self._given() if callable(self._given) else self._given
        return tuple(LanguageMatcher(signals) for signals in languages)

    def read(self, text: str, before: Sequence[str] = ()) -> RiskReading:
        """Return the strongest reading of one message, alone and joined with the messages `before` it.

        `before`: earlier messages of the client, oldest first, of which the last two are used. Only a match that
        reaches into the new message counts, because they have been read already. Never raises: an error is
        answered with `FAULT`, tier 2.
        """
        try:
            strongest = max(self.all_readings(text, before), key=strength, default=NOTHING)
        except Exception:
            return FAULT
        return NOTHING if strongest.kind is DangerKind.NONE else strongest

    def all_readings(self, text: str, before: Sequence[str] = ()) -> list[RiskReading]:
        """Return all readings of a message, idioms included. For checks; may raise where `read` returns `FAULT`."""
        return [reading for language in self._languages for reading in language.read(text, before[-2:])]

    def hint(self, kind: str, text: str) -> bool:
        """Whether the hint called `kind` matches, such as `minor` (signs of being under age). False on any error."""
        try:
            return any(language.hints(kind, text) for language in self._languages)
        except Exception:
            return False

    def minor(self, text: str) -> bool:
        """Whether the text has signs that its writer is under 18. False on any error."""
        return self.hint("minor", text)
