"""The notation of patterns, and their translation into regular expressions over normalised words.

{group}     one of a group of words      [word]   may be missing
(a|b c)     one of these                 …        up to 3 words between; …6 up to 6
^  $        a clause begins, ends        a & b    both in the same sentence, in any order
#           a number in digits               !word       not before this word, !(a|b) nor these
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

Spelled = Callable[[str], Iterable[str]]
"""Maps a word of a pattern to its normalised words: "can't" to "can", "not"."""

_SYMBOL = re.compile(r"\s*(?:\{([^{}]*)\}|(…)(\d?)|([\[\]()|^$&#!])|([^\s\[\](){}|^$&…#!]+))")
_DEFAULT_GAP = 3
_MAX_NESTING = 12
_CLAUSE_START, _CLAUSE_END = r"(?:^|(?<=, ))", r"(?:$|(?<=, ))"


class NotationError(ValueError):
    """A pattern can't be read; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class PatternNode:
    """A part of a pattern: its regular expression, and what is known of it without running it.

    `one_of`: every match contains one of these words (None: unknown). `empty`: it can match the empty string.
    `denies`: every match contains a negation.
    """

    expression: str
    one_of: frozenset[str] | None
    empty: bool = False
    denies: bool = False


_NOTHING = PatternNode("", None, empty=True)


class WordGroups:
    """All word groups of a language, each compiled once.

    `denials`: the words of negation; `boundary_words`: words that a gap (`…`) can't skip; `frequency`: how often a
    word occurs in patterns, so that rules are indexed by their rarest words. `used`: the groups named so far.
    """

    def __init__(
        self,
        groups: Mapping[str, tuple[str, ...]],
        spelled: Spelled = lambda word: (word,),
        denials: frozenset[str] = frozenset(),
        boundary_words: frozenset[str] = frozenset(),
        frequency: Callable[[str], int] = lambda _: 1,
    ) -> None:
        self._groups = groups
        self._spelled = spelled
        self._denials = denials
        self._frequency = frequency
        self._compiled: dict[str, PatternNode] = {}
        self._in_progress: list[str] = []
        self.used: set[str] = set()
        boundary = "|".join(re.escape(word) for word in sorted(boundary_words))
        self._gap_word = rf"(?:(?!(?:{boundary}),? )\S+ )" if boundary else r"(?:\S+ )"

    def pattern(self, source: str) -> tuple[PatternNode, ...]:
        """Compile a pattern into its parts, more than one if it has `&`. Raises `NotationError`."""
        return tuple(_Parser(side, self).parse() for side in source.split("&"))

    def group(self, name: str) -> PatternNode:
        """Return the compiled word group. Raises `NotationError` if it is missing or contains itself."""
        if name not in self._groups:
            raise NotationError(f"There is no group {{{name}}}; write it among the word groups, or correct its name.")
        self.used.add(name)
        if name not in self._compiled:
            if name in self._in_progress or len(self._in_progress) > _MAX_NESTING:
                raise NotationError(f"The group {{{name}}} contains itself; remove that reference.")
            self._in_progress.append(name)
            try:
                self._compiled[name] = self.any_of([_Parser(each, self).parse() for each in self._groups[name]])
            finally:
                self._in_progress.pop()
        return self._compiled[name]

    def word(self, typed: str) -> PatternNode:
        """Compile one word. Raises `NotationError` if the normaliser leaves it out."""
        words = tuple(self._spelled(typed))
        if not words:
            raise NotationError(f"“{typed}” is a filler, so it never matches; remove it from the pattern.")
        return self.sequence(
            [PatternNode(re.escape(each) + ",? ", frozenset({each}), denies=each in self._denials) for each in words]
        )

    def gap(self, most: int) -> PatternNode:
        """Match up to `most` words."""
        return PatternNode(f"{self._gap_word}{{0,{most}}}?", None, empty=True)

    def sequence(self, parts: list[PatternNode]) -> PatternNode:
        """Join parts one after the other; `one_of` is that of the part with the rarest words."""
        needed = [part.one_of for part in parts if part.one_of is not None and not part.empty]
        return PatternNode(
            "".join(part.expression for part in parts),
            min(needed, key=lambda words: sum(map(self._frequency, words)), default=None),
            empty=all(part.empty for part in parts),
            denies=any(part.denies and not part.empty for part in parts),
        )

    def any_of(self, parts: list[PatternNode]) -> PatternNode:
        """Join parts as alternatives."""
        if len(parts) == 1:
            return parts[0]
        sets = [part.one_of for part in parts]
        known = [words for words in sets if words is not None]
        return PatternNode(
            f"(?:{'|'.join(part.expression for part in parts)})",
            frozenset().union(*known) if known and len(known) == len(sets) else None,
            empty=any(part.empty for part in parts),
            denies=all(part.denies for part in parts),
        )


class _Parser:
    """Recursive descent parser for one part of a pattern (one side of `&`)."""

    def __init__(self, source: str, groups: WordGroups) -> None:
        self._source = source
        self._groups = groups
        self._at = 0

    def parse(self) -> PatternNode:
        part, closed_by = self._alternatives()
        if closed_by:
            raise NotationError(f"There is a “{closed_by}” too many; remove it, or open it before.")
        if part.expression == "":
            raise NotationError("A pattern, or one side of “&”, is empty; write words there.")
        return part

    def _alternatives(self) -> tuple[PatternNode, str]:
        sequences: list[PatternNode] = []
        sequence: list[PatternNode] = []
        while True:
            symbol = self._next_symbol()
            if symbol in ("", ")", "]"):
                sequences.append(self._groups.sequence(sequence) if sequence else _NOTHING)
                return self._groups.any_of(sequences), symbol
            if symbol == "|":
                sequences.append(self._groups.sequence(sequence) if sequence else _NOTHING)
                sequence = []
            else:
                sequence.append(self._parse_part(symbol))

    def _parse_part(self, symbol: str) -> PatternNode:
        if symbol.startswith("{"):
            return self._groups.group(symbol[1:])
        if symbol.startswith("…"):
            return self._groups.gap(int(symbol[1:] or _DEFAULT_GAP))
        if symbol in ("(", "["):
            inner, closed_by = self._alternatives()
            if closed_by != {"(": ")", "[": "]"}[symbol]:
                raise NotationError(f"A “{symbol}” is never closed; close it.")
            optional = symbol == "["
            return PatternNode(
                f"(?:{inner.expression}){'?' if optional else ''}", inner.one_of, optional, inner.denies
            )
        if symbol == "!":
            refused = self._parse_part(self._next_symbol())
            return PatternNode(f"(?!{refused.expression})", None, empty=True)
        if symbol == "#":
            return PatternNode(r"\d+,? ", None)
        if symbol in ("^", "$"):
            return PatternNode(_CLAUSE_START if symbol == "^" else _CLAUSE_END, None, empty=True)
        return self._groups.word(symbol)

    def _next_symbol(self) -> str:
        if not self._source[self._at :].strip():
            return ""
        match = _SYMBOL.match(self._source, self._at)
        if match is None:
            raise NotationError(
                f"“{self._source[self._at :].strip()[:20]}” can't be read as a pattern; see signals/README.md."
            )
        self._at = match.end()
        if match[1] is not None:
            return "{" + match[1].strip()
        if match[2]:
            return "…" + match[3]
        return match[4] or match[5]


@dataclass(frozen=True)
class PhrasePattern:
    """One compiled pattern."""

    parts: tuple[PatternNode, ...]

    @cached_property
    def expressions(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(rf"(?<!\S){part.expression}") for part in self.parts)

    @property
    def one_of(self) -> frozenset[str]:
        """Words of which every match of the first part contains one. Raises `NotationError` if there are none."""
        words = self.parts[0].one_of
        if words is None or self.parts[0].empty:
            raise NotationError("A pattern needs at least one word that must be there; add one.")
        return words

    @property
    def denies(self) -> bool:
        return self.parts[0].denies
