"""Splits a text that is too long for one message."""

from __future__ import annotations

MAX_LENGTH = 4096
"""The longest message that Telegram accepts, in UTF-16 code units."""


def split_bubble(text: str, max_length: int = MAX_LENGTH) -> list[str]:
    """Split `text` into pieces of at most `max_length` UTF-16 units, at line breaks, else spaces, else anywhere."""
    pieces: list[str] = []
    while _utf16_length(text) > max_length:
        end = _fitting(text, max_length)
        # A break in the first half would make the piece needlessly short.
        cuts = [text.rfind(separator, 0, end + 1) for separator in ("\n", " ")]
        cut = next((place for place in cuts if place > end // 2), end)
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*pieces, text] if text else pieces


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fitting(text: str, max_length: int) -> int:
    """Return how many characters of `text` fit into `max_length` units; at least 1."""
    end = min(len(text), max_length)
    while _utf16_length(text[:end]) > max_length:
        end -= max(1, (_utf16_length(text[:end]) - max_length) // 2)
    return max(1, end)
