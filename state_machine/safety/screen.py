"""The first reader of every message: it looks for the signals, and weighs what stands around them.

Pure and always the same for the same words. It finds phrases and misses some; it replaces no question.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from state_machine.safety.matcher import Language
from state_machine.safety.reading import FAULT, NOTHING, DangerKind, RiskReading, strength
from state_machine.safety.signals import Signals


class Screen:
    """Reads text for danger, in all languages it was given, whatever language is set."""

    def __init__(self, languages: Iterable[Signals]) -> None:
        """Raises `NotationError` if a pattern can't be read or a needed word group is missing."""
        self._languages = tuple(Language(signals) for signals in languages)

    def read(self, text: str, before: Sequence[str] = ()) -> RiskReading:
        """The strongest reading of one message, alone and together with the ones `before` it (oldest first).

        `before` are the client's two last messages; what stands in them alone has been read already and counts
        only where the new one goes on with it. Never raises: a fault inside counts as tier 2.
        """
        try:
            strongest = max(self.every(text, before), key=strength, default=NOTHING)
        except Exception:
            return FAULT
        return NOTHING if strongest.kind is DangerKind.NONE else strongest

    def every(self, text: str, before: Sequence[str] = ()) -> list[RiskReading]:
        """All that is found in a message, idioms too. For checks; may raise where `read` answers with tier 2."""
        return [reading for language in self._languages for reading in language.read(text, before[-2:])]

    def hint(self, kind: str, text: str) -> bool:
        """Whether a text shows the hint called `kind`, such as `minor`: signs of being under age. Never raises."""
        try:
            return any(language.hints(kind, text) for language in self._languages)
        except Exception:
            return False

    def minor(self, text: str) -> bool:
        """Whether a text has signs that its writer is under 18. Never raises."""
        return self.hint("minor", text)
