"""Normalises text: lower case, without accents and invisible characters, misspellings and disguises corrected."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

MAX_WORDS = 60
"""A longer sentence is cut into pieces of this many words, so that words far apart are not matched together."""
OVERLAP = 20
"""How many words such a piece shares with the one before it."""

_DROPPED_CATEGORIES = frozenset({"Cf", "Cc", "Mn", "Me", "Cs", "Co", "Cn"})
_HOMOGLYPHS = str.maketrans("авекмнорстухіјѕԁɡɩοıłøđ", "abekmhopctyxijsdgioilod")
_QUOTES = str.maketrans("’‘`´ʼ“”„«»", "'" * 5 + '"' * 5)
_LEET = str.maketrans("013457@$!|", "oieastasil")
_ENTITY = re.compile(r"&#?\w{2,8};")
_MIXED_SCRIPT = re.compile(r"\w*(?:[a-z][^\x00-\x7f\W]|[^\x00-\x7f\W][a-z])\w*")
_SPACED_LETTERS = re.compile(r"(?<![\w'])(?:\w[ .\-_*]{1,2}){2,12}\w(?![\w'])(?:\.(?=\s))?")
_SEPARATORS = re.compile(r"[ .\-_*]")
_LEET_I = re.compile(r"\b[a-z]+!(?:[a-z]+!?)+\b")
_PIECE = re.compile(r"[*@$']{0,3}\w[\w'@$*]*|[.!?…;\n]+|\s-+\s|[^\w\s]")
_CLAUSE_ENDS = frozenset([",", ":", "(", ")", '"', "–", "—", "-", "--"])
_SENTENCE_ENDS = frozenset(".!?…;\n")
_REPEATED_THRICE = re.compile(r"(.)\1{2,}")
_REPEATED = re.compile(r"(.)\1+")
_NUMBER_WITH_UNIT = re.compile(r"(\d+)([a-z]{1,5})")
_TYPO_LENGTHS = range(5, 20)
"""Lengths of the words in which a typo is corrected."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence. `line` has its normalised words, each followed by a space; a comma marks the end of a clause.

    `quoted` says of each word whether it was in quotation marks.
    """

    line: str
    words: tuple[str, ...]
    quoted: tuple[bool, ...]


class Normaliser:
    """Turns text into normalised sentences, by the spellings of one language.

    The parameters are described at `signals.Signals`; a word of `clause_starts` begins a new clause.
    Typos are found by deleting one letter of both words, as SymSpell does.
    """

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
        self._by_deletion: dict[str, list[str]] = {}
        self._forgiving: tuple[str, ...] = tuple(forgiving)
        for word in self._forgiving:
            self._known.setdefault(word, (word,))
            for form in {word, *_deletions(word)}:
                self._by_deletion.setdefault(form, []).append(word)
        self._known |= spellings
        for words in spellings.values():
            self.learn(words)
        self._signs = {ord(sign): f" {sign} " for sign in spellings if len(sign) == 1 and not sign.isalnum()}

    def learn(self, words: Iterable[str]) -> None:
        """Add known words (those of patterns), to which stretched or disguised words are corrected."""
        for word in words:
            self._known.setdefault(word, (word,))

    def spelled(self, typed: str) -> tuple[str, ...]:
        """Return the normalised words of one typed word; none for a filler."""
        if (known := self._known.get(typed)) is not None:
            return known
        if typed.endswith("'s") and (known := self._known.get(typed[:-2])) is not None:
            return known
        bare = typed.replace("'", "")
        if (known := self._known.get(bare)) is not None:
            return known
        if (with_unit := _NUMBER_WITH_UNIT.fullmatch(bare)) and with_unit[2] in self._known:
            return (with_unit[1], *self._known[with_unit[2]])
        repaired = self._repair(bare)
        return self._known.get(repaired, (repaired,)) if repaired else ()

    def sentences(self, text: str) -> Iterator[Sentence]:
        """Yield the normalised sentences of a text of any length, in order."""
        line = _SentenceBuilder(self._clause_starts)
        for piece, quoted in _with_quotes(_PIECE.findall(self._normalise_characters(text))):
            if piece[-1].isalnum() or (len(piece) > 1 and any(sign.isalnum() for sign in piece)):
                line.add(self.spelled(piece), quoted)
            elif piece[0] in _SENTENCE_ENDS and not (quoted and "\n" not in piece):
                yield from line.build()
                line = _SentenceBuilder(self._clause_starts)
            else:
                line.add(self._known.get(piece, ()), quoted)
                if piece[0] in _SENTENCE_ENDS or piece.strip() in _CLAUSE_ENDS:
                    line.end_clause()
        yield from line.build()

    def _normalise_characters(self, text: str) -> str:
        """Return the text in lower case, without accents, invisible characters and look-alike letters."""
        text = text.lower()
        if not text.isascii():
            text = unicodedata.normalize("NFKD", text.translate(_QUOTES).translate(self._signs)).lower()
            text = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in _DROPPED_CATEGORIES)
            text = _MIXED_SCRIPT.sub(lambda word: word[0].translate(_HOMOGLYPHS), text)
        if "&" in text:
            text = _ENTITY.sub(" ", text)
        if "!" in text:
            text = _LEET_I.sub(self._replace_exclamation_mark, text)
        return _SPACED_LETTERS.sub(self._join_spaced_letters, text)

    def _replace_exclamation_mark(self, word: re.Match[str]) -> str:
        """Read an exclamation mark within a word as an i if that makes a known word; else let it end a sentence."""
        read = word[0].replace("!", "i")
        return read if read in self._known else word[0].replace("!", "! ")

    def _join_spaced_letters(self, spaced: re.Match[str]) -> str:
        """Join letters with spaces or signs between them if that makes a known word."""
        joined = _SEPARATORS.sub("", spaced[0])
        return joined if len(joined) > 2 and joined in self._known else spaced[0]

    def _repair(self, word: str) -> str:
        """Return the known word that was probably meant, or the word itself."""
        if not word.isalpha():
            word = self._undo_disguise(word)
        if word in self._known:
            return word
        if _REPEATED_THRICE.search(word):
            doubled, single = _REPEATED_THRICE.sub(r"\1\1", word), _REPEATED_THRICE.sub(r"\1", word)
            for shorter in (doubled, single, _REPEATED.sub(r"\1", word)):
                if shorter in self._known:
                    return shorter
            word = single
        elif len(word) > 3 and word[-1] == word[-2] and word[:-1] in self._known:
            return word[:-1]
        if len(word) in _TYPO_LENGTHS:
            return self._correct_typo(word)
        return word

    def _undo_disguise(self, word: str) -> str:
        """Resolve letters replaced by asterisks, digits or signs."""
        if "*" in word:
            masked = word.strip("*")
            if "*" in masked and sum(sign != "*" for sign in masked) > 1:
                shape = re.compile("".join("[a-z]" if sign == "*" else re.escape(sign) for sign in masked))
                return next((each for each in self._forgiving if shape.fullmatch(each)), masked)
            word = masked
        word = word.strip("_")
        if word.isdecimal():
            return word
        if word[:1].isdecimal() and word.lstrip("0123456789").isalpha() and word not in self._known:
            plain = word.translate(_LEET)
            return plain if plain in self._known else word
        plain = word.translate(_LEET)
        return plain.replace("_", "") if plain.replace("_", "") in self._known else word

    def _correct_typo(self, word: str) -> str:
        """Return the forgiving word that differs by one letter or by two swapped letters; else the word itself."""
        for form in (word, *_deletions(word)):
            for meant in self._by_deletion.get(form, ()):
                if abs(len(meant) - len(word)) <= 1 and meant[0] == word[0]:
                    return meant
        return word


def _deletions(word: str) -> Iterator[str]:
    return (word[:place] + word[place + 1 :] for place in range(len(word)))


def _with_quotes(pieces: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield each piece and whether it is in quotation marks. A mark that is not closed in its line is ignored."""
    inside = False
    for place, piece in enumerate(pieces):
        if piece == '"':
            inside = not inside and _is_closed(pieces, place)
        elif "\n" in piece:
            inside = False
        yield piece, inside


def _is_closed(pieces: list[str], place: int) -> bool:
    for piece in pieces[place + 1 : place + 1 + MAX_WORDS]:
        if piece == '"':
            return True
        if "\n" in piece:
            return False
    return False


class _SentenceBuilder:
    """Collects the words of one sentence."""

    def __init__(self, clause_starts: frozenset[str]) -> None:
        self._clause_starts = clause_starts
        self._words: list[str] = []
        self._quoted: list[bool] = []

    def add(self, words: tuple[str, ...], quoted: bool) -> None:
        for word in words:
            starts = word in self._clause_starts
            if starts:
                self.end_clause()
            self._words.append(word + "," if starts else word)
            self._quoted.append(quoted)

    def end_clause(self) -> None:
        if self._words and not self._words[-1].endswith(","):
            self._words[-1] += ","

    def build(self) -> Iterator[Sentence]:
        """Yield the sentence, or overlapping pieces of it if it has more than `MAX_WORDS` words."""
        for start in range(0, max(len(self._words) - OVERLAP, 1), MAX_WORDS - OVERLAP) if self._words else ():
            words = tuple(self._words[start : start + MAX_WORDS])
            yield Sentence(" ".join(words) + " ", words, tuple(self._quoted[start : start + MAX_WORDS]))
