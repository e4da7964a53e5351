"""Plain words: what a message says once case, accents, signs, stretched letters and misspellings are taken out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

LONGEST = 60
"""A sentence of more words is read in stretches of this many, so that far ends of a rant are not put together."""
OVERLAP = 20

_INVISIBLE = frozenset({"Cf", "Cc", "Mn", "Me", "Cs", "Co", "Cn"})
_SAME_LOOK = str.maketrans("авекмнорстухіјѕԁɡɩοıłøđ", "abekmhopctyxijsdgioilod")
_QUOTES = str.maketrans("’‘`´ʼ“”„«»", "'" * 5 + '"' * 5)
_LEET = str.maketrans("013457@$!|", "oieastasil")
_ENTITY = re.compile(r"&#?\w{2,8};")
_MIXED = re.compile(r"\w*(?:[a-z][^\x00-\x7f\W]|[^\x00-\x7f\W][a-z])\w*")
_SPACED = re.compile(r"(?<![\w'])(?:\w[ .\-_*]{1,2}){2,12}\w(?![\w'])(?:\.(?=\s))?")
_SEPARATORS = re.compile(r"[ .\-_*]")
_LEET_I = re.compile(r"\b[a-z]+!(?:[a-z]+!?)+\b")
_PIECE = re.compile(r"[*@$']{0,3}\w[\w'@$*]*|[.!?…;\n]+|\s-+\s|[^\w\s]")
_PAUSES = frozenset([",", ":", "(", ")", '"', "–", "—", "-", "--"])
_ENDS = frozenset(".!?…;\n")
_STRETCHED = re.compile(r"(.)\1{2,}")
_TWICE = re.compile(r"(.)\1+")
_MEASURED = re.compile(r"(\d+)([a-z]{1,5})")
_LETTERS = range(5, 20)
"""Words of other lengths are not held against the forgiving ones."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as a line of plain words, each with a space after it; a comma stands where a clause ends.

    `quoted` says for each word whether it stood in quotation marks.
    """

    line: str
    words: tuple[str, ...]
    quoted: tuple[bool, ...]


class Speller:
    """Turns text into plain sentences, with the spellings of one language."""

    def __init__(
        self,
        spellings: Mapping[str, tuple[str, ...]],
        fillers: frozenset[str],
        forgiving: Iterable[str] = (),
        lookalikes: Iterable[str] = (),
        clause_starts: frozenset[str] = frozenset(),
    ) -> None:
        self._known: dict[str, tuple[str, ...]] = dict.fromkeys(fillers, ())
        self._known |= {word: (word,) for word in lookalikes}
        self._clause_starts = clause_starts
        self._nearly: dict[str, list[str]] = {}
        self._starred: tuple[str, ...] = tuple(forgiving)
        for word in self._starred:
            self._known.setdefault(word, (word,))
            for form in {word, *_one_less(word)}:
                self._nearly.setdefault(form, []).append(word)
        self._known |= spellings
        for words in spellings.values():
            self.learn(words)
        self._signs = {ord(sign): f" {sign} " for sign in spellings if len(sign) == 1 and not sign.isalnum()}

    def learn(self, words: Iterable[str]) -> None:
        """Words that stand in patterns are known, and are what stretched or disguised ones are read as."""
        for word in words:
            self._known.setdefault(word, (word,))

    def spelled(self, typed: str) -> tuple[str, ...]:
        """The plain words of one typed word; none if it is left out."""
        if (known := self._known.get(typed)) is not None:
            return known
        if typed.endswith("'s") and (known := self._known.get(typed[:-2])) is not None:
            return known
        bare = typed.replace("'", "")
        if (known := self._known.get(bare)) is not None:
            return known
        if (measured := _MEASURED.fullmatch(bare)) and measured[2] in self._known:
            return (measured[1], *self._known[measured[2]])
        repaired = self._repair(bare)
        return self._known.get(repaired, (repaired,)) if repaired else ()

    def sentences(self, text: str) -> Iterator[Sentence]:
        """The sentences of a text of any length, in order."""
        line = _Line(self._clause_starts)
        for piece, quoted in _with_quotes(_PIECE.findall(self._letters(text))):
            if piece[-1].isalnum() or (len(piece) > 1 and any(sign.isalnum() for sign in piece)):
                line.add(self.spelled(piece), quoted)
            elif piece[0] in _ENDS and not (quoted and "\n" not in piece):
                yield from line.stretches()
                line = _Line(self._clause_starts)
            else:
                line.add(self._known.get(piece, ()), quoted)
                if piece[0] in _ENDS or piece.strip() in _PAUSES:
                    line.pause()
        yield from line.stretches()

    def _letters(self, text: str) -> str:
        """Small letters without accents and without what can't be seen."""
        text = text.lower()
        if not text.isascii():
            text = unicodedata.normalize("NFKD", text.translate(_QUOTES).translate(self._signs)).lower()
            text = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in _INVISIBLE)
            text = _MIXED.sub(lambda word: word[0].translate(_SAME_LOOK), text)
        if "&" in text:
            text = _ENTITY.sub(" ", text)
        if "!" in text:
            text = _LEET_I.sub(self._exclaimed, text)
        return _SPACED.sub(self._join, text)

    def _exclaimed(self, word: re.Match[str]) -> str:
        """An exclamation mark within a word stands for an i if that makes a word we know; else it ends a sentence."""
        read = word[0].replace("!", "i")
        return read if read in self._known else word[0].replace("!", "! ")

    def _join(self, spaced: re.Match[str]) -> str:
        """Letters spelled out one by one are put together where that makes a word we look for."""
        joined = _SEPARATORS.sub("", spaced[0])
        return joined if len(joined) > 2 and joined in self._known else spaced[0]

    def _repair(self, word: str) -> str:
        """The word that was probably meant, or the word itself."""
        if not word.isalpha():
            word = self._undisguised(word)
        if word in self._known:
            return word
        if _STRETCHED.search(word):
            for shorter in (_STRETCHED.sub(r"\1\1", word), _STRETCHED.sub(r"\1", word), _TWICE.sub(r"\1", word)):
                if shorter in self._known:
                    return shorter
            word = _STRETCHED.sub(r"\1", word)
        elif len(word) > 3 and word[-1] == word[-2] and word[:-1] in self._known:
            return word[:-1]
        if len(word) in _LETTERS:
            return self._nearest(word)
        return word

    def _undisguised(self, word: str) -> str:
        if "*" in word:
            veiled = word.strip("*")
            if "*" in veiled and sum(sign != "*" for sign in veiled) > 1:
                shape = re.compile("".join("[a-z]" if sign == "*" else re.escape(sign) for sign in veiled))
                return next((each for each in self._starred if shape.fullmatch(each)), veiled)
            word = veiled
        word = word.strip("_")
        if word.isdecimal():
            return word
        if word[:1].isdecimal() and word.lstrip("0123456789").isalpha() and word not in self._known:
            plain = word.translate(_LEET)
            return plain if plain in self._known else word
        plain = word.translate(_LEET)
        return plain.replace("_", "") if plain.replace("_", "") in self._known else word

    def _nearest(self, word: str) -> str:
        """A forgiving word from which the typed one differs by one letter, or by two that changed places."""
        for form in (word, *_one_less(word)):
            for meant in self._nearly.get(form, ()):
                if abs(len(meant) - len(word)) <= 1 and meant[0] == word[0]:
                    return meant
        return word


def _one_less(word: str) -> Iterator[str]:
    return (word[:place] + word[place + 1 :] for place in range(len(word)))


def _with_quotes(pieces: list[str]) -> Iterator[tuple[str, bool]]:
    """Each piece, and whether it stands in quotation marks; a mark that is never closed in its line opens nothing."""
    inside = False
    for place, piece in enumerate(pieces):
        if piece == '"':
            inside = not inside and _closed(pieces, place)
        elif "\n" in piece:
            inside = False
        yield piece, inside


def _closed(pieces: list[str], place: int) -> bool:
    for piece in pieces[place + 1 : place + 1 + LONGEST]:
        if piece == '"':
            return True
        if "\n" in piece:
            return False
    return False


class _Line:
    """A sentence while it is put together."""

    def __init__(self, clause_starts: frozenset[str]) -> None:
        self._clause_starts = clause_starts
        self._words: list[str] = []
        self._quoted: list[bool] = []

    def add(self, words: tuple[str, ...], quoted: bool) -> None:
        for word in words:
            starts = word in self._clause_starts
            if starts:
                self.pause()
            self._words.append(word + "," if starts else word)
            self._quoted.append(quoted)

    def pause(self) -> None:
        if self._words and not self._words[-1].endswith(","):
            self._words[-1] += ","

    def stretches(self) -> Iterator[Sentence]:
        for start in range(0, max(len(self._words) - OVERLAP, 1), LONGEST - OVERLAP) if self._words else ():
            words = tuple(self._words[start : start + LONGEST])
            yield Sentence(" ".join(words) + " ", words, tuple(self._quoted[start : start + LONGEST]))
