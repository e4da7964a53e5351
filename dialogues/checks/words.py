"""Measures of text: sentences, words, syllables, reading grade."""

from __future__ import annotations

import re
from functools import cache

import pyphen

_SENTENCE_END = re.compile(r"(?<=[.?!…])[\"”’)]*\s+|\n+")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*|\d+")
_QUOTE = re.compile(r"“[^”]*”|\"[^\"]*\"")


def without_quotes(text: str) -> str:
    """Return the text with each quotation replaced by “…”, because it is not our wording."""
    return _QUOTE.sub("…", text)


def sentences(text: str) -> list[str]:
    """Split into sentences; a line break ends a sentence, too."""
    return [part.strip() for part in _SENTENCE_END.split(text) if _WORD.search(part)]


def words(sentence: str) -> list[str]:
    """Split a sentence into words; a number is one word."""
    return _WORD.findall(sentence)


def grade(those: list[str]) -> float:
    """The Flesch-Kincaid grade of sentences: the school year from which they can be read (Kincaid 1975)."""
    all_words = [word for sentence in those for word in words(sentence)]
    if not all_words:
        return 0.0
    syllables = sum(_syllables(word.lower()) for word in all_words)
    return 0.39 * len(all_words) / len(those) + 11.8 * syllables / len(all_words) - 15.59


@cache
def _syllables(word: str) -> int:
    # A hyphenation dictionary does not split off single letters, so the number of vowel groups is a lower bound.
    if word.isdigit():
        return 1
    parted = len(_dictionary().positions(word)) + 1
    vowels = len(re.findall(r"[aeiouy]+", re.sub(r"(?<=[^aeiouyl])e$|es$|ed$", "", word)))
    return max(parted, vowels, 1)


@cache
def _dictionary() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_GB", left=1, right=1)
