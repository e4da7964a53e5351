"""Measures of plain words: sentences, syllables, reading grade."""

from __future__ import annotations

import re
from functools import cache

import pyphen

_SENTENCE_END = re.compile(r"(?<=[.?!…])[\"”’)]*\s+|\n+")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*|\d+")
_QUOTE = re.compile(r"“[^”]*”|\"[^\"]*\"")


def without_quotes(text: str) -> str:
    """The text without what stands in quotation marks: somebody else says that."""
    return _QUOTE.sub("…", text)


def sentences(text: str) -> list[str]:
    """The sentences of a bubble; a line of its own is one too."""
    return [part.strip() for part in _SENTENCE_END.split(text) if _WORD.search(part)]


def words(sentence: str) -> list[str]:
    """The words of a sentence; a number counts as one."""
    return _WORD.findall(sentence)


def grade(those: list[str]) -> float:
    """The Flesch-Kincaid grade of some sentences: the school year in which they can be read (Kincaid 1975)."""
    all_words = [word for sentence in those for word in words(sentence)]
    if not all_words:
        return 0.0
    syllables = sum(_syllables(word.lower()) for word in all_words)
    return 0.39 * len(all_words) / len(those) + 11.8 * syllables / len(all_words) - 15.59


@cache
def _syllables(word: str) -> int:
    # A hyphenation dictionary never parts a single letter from its word, so vowel groups are a floor beside it.
    if word.isdigit():
        return 1
    parted = len(_dictionary().positions(word)) + 1
    vowels = len(re.findall(r"[aeiouy]+", re.sub(r"(?<=[^aeiouyl])e$|es$|ed$", "", word)))
    return max(parted, vowels, 1)


@cache
def _dictionary() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_GB", left=1, right=1)
