"""Greetings: a word that greets, and perhaps to whom. They open a door and are an answer to nothing."""

from __future__ import annotations

import re
from functools import lru_cache

from state_machine.model.script import Script
from state_machine.model.text import normalise

_DRAWN_OUT = re.compile(r"(\w)\1{2,}")


def greets(script: Script, text: str) -> bool:
    """Whether `text` only greets: *hi*, *hi again*, *Good evening all*, *heyyy*."""
    words = _words(text)
    known, first = _greetings(script.greetings)
    while words:
        if words[0] not in first:
            return False
        found = next((each for each in known if words[: len(each)] == each), None)
        if found is None:
            return False
        words = words[len(found) :]
        while words and words[0] in script.greeted:
            words = words[1:]
    return bool(text.strip()) and bool(normalise(text))


@lru_cache(maxsize=8)
def _greetings(greetings: tuple[str, ...]) -> tuple[tuple[tuple[str, ...], ...], frozenset[str]]:
    """The greetings of a book in words, the longest first, and the words with which one begins."""
    known = sorted({_words(each) for each in greetings}, key=len, reverse=True)
    return tuple(known), frozenset(each[0] for each in known)


def _words(text: str) -> tuple[str, ...]:
    """The words, each without what was drawn out: *hellooo* is *hello*."""
    return tuple(_DRAWN_OUT.sub(r"\1", word) for word in normalise(text).replace(",", " ").split())
