"""Reads `never_say.md`: words that must not be in a bubble, in groups with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dialogues.reading.faults import Findings
from dialogues.reading.rules import Rule
from dialogues.reading.wordlists import read_sections

STOCK = "stock phrases"
_ENTRY = re.compile(r"(.+?)(?: \(but: (.+)\))?")
_DENIAL = re.compile(r"\b(?:not|no|never|nobody|neither|nor|without|cannot|instead of)\b|n['’]t\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Phrase:
    """One entry: the forbidden words, their group and its reason, and longer phrases in which they are allowed."""

    words: str
    group: str
    reason: str
    exceptions: tuple[str, ...] = ()

    def is_in(self, sentence: str) -> bool:
        """Whether the sentence has the words as whole words, outside of an exception and not negated."""
        plain = _normalised(sentence)
        if _normalised(self.words) not in plain:
            return False
        for exception in self.exceptions:
            plain = plain.replace(_normalised(exception), "…")
        match = re.search(rf"(?<!\w){re.escape(_normalised(self.words))}(?!\w)", plain)
        return match is not None and not _DENIAL.search(plain[: match.start()])


def read_never_say(text: str, findings: Findings) -> tuple[Phrase, ...]:
    """Read the list. A group without a reason or entries is a fault. Never raises."""
    phrases: list[Phrase] = []
    for section in read_sections(text, findings):
        if not section.paragraphs or not section.items:
            findings.add(Rule.PHRASES, section.line, f"“{section.name}” needs a reason, and then entries with “-”.")
        reason = " ".join(section.paragraphs)
        for item in section.items:
            entry = _ENTRY.fullmatch(item.text)
            if entry:
                exceptions = tuple(part.strip() for part in (entry[2] or "").split(",") if part.strip())
                phrases.append(Phrase(entry[1], section.name, reason, exceptions))
    return tuple(phrases)


@lru_cache(maxsize=8192)
def _normalised(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").split())
