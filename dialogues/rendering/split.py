"""A text longer than one message can hold, cut where it hurts least."""

from __future__ import annotations

LONGEST = 4096
"""The most a message of Telegram holds, counted as Telegram counts: in UTF-16 units."""
_WORTH_IT = 2
"""A break in the first half of a piece is passed over for a later one of a lesser kind."""


def split_bubble(text: str, longest: int = LONGEST) -> list[str]:
    """`text` in pieces of at most `longest` units: at the end of a line, else between words, else anywhere."""
    found: list[str] = []
    while _units(text) > longest:
        end = _most(text, longest)
        cuts = [text.rfind(between, 0, end + 1) for between in ("\n", " ")]
        cut = next((each for each in cuts if each > end // _WORTH_IT), end)
        found.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*found, text] if text else found


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _most(text: str, longest: int) -> int:
    """How many characters of `text` fit; 1 or more."""
    end = min(len(text), longest)
    while _units(text[:end]) > longest:
        end -= max(1, (_units(text[:end]) - longest) // 2)
    return max(1, end)
