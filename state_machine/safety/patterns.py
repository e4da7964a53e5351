"""The notation of patterns, and what a pattern becomes: one regular expression over plain words.

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
"""How a word of a pattern is spelled after normalising: "can't" gives "can", "not"."""

_PIECE = re.compile(r"\s*(?:\{([^{}]*)\}|(…)(\d?)|([\[\]()|^$&#!])|([^\s\[\](){}|^$&…#!]+))")
_GAP = 3
_MOST_NESTED = 12
BEGINS, ENDS = r"(?:^|(?<=, ))", r"(?:$|(?<=, ))"


class NotationError(ValueError):
    """A pattern can't be read; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class PatternNode:
    """A piece of a pattern: its regular expression, and what is known about it without running it.

    `one_of`: one of these words is in every match (None: nothing can be said). `empty`: it may match nothing.
    `denies`: every match holds a word of denial.
    """

    expression: str
    one_of: frozenset[str] | None
    empty: bool = False
    denies: bool = False


_NOTHING = PatternNode("", None, empty=True)


class WordGroups:
    """All word groups of a language, each turned into an expression once."""

    def __init__(
        self,
        groups: Mapping[str, tuple[str, ...]],
        spelled: Spelled = lambda word: (word,),
        denials: frozenset[str] = frozenset(),
        strangers: frozenset[str] = frozenset(),
        weight: Callable[[str], int] = lambda _: 1,
    ) -> None:
        self._groups = groups
        self._spelled = spelled
        self._denials = denials
        self._weight = weight
        self._made: dict[str, PatternNode] = {}
        self._open: list[str] = []
        self.used: set[str] = set()
        stop = "|".join(re.escape(word) for word in sorted(strangers))
        self._between = rf"(?:(?!(?:{stop}),? )\S+ )" if stop else r"(?:\S+ )"

    def pattern(self, source: str) -> tuple[PatternNode, ...]:
        """The parts of a pattern, more than one if it has `&`. Raises `NotationError`."""
        return tuple(_Parser(side, self).whole() for side in source.split("&"))

    def group(self, name: str) -> PatternNode:
        if name not in self._groups:
            raise NotationError(f"There is no group {{{name}}}; write it among the word groups, or correct its name.")
        self.used.add(name)
        if name not in self._made:
            if name in self._open or len(self._open) > _MOST_NESTED:
                raise NotationError(f"The group {{{name}}} holds itself; take it out of itself.")
            self._open.append(name)
            try:
                self._made[name] = self.any_of([_Parser(each, self).whole() for each in self._groups[name]])
            finally:
                self._open.pop()
        return self._made[name]

    def word(self, typed: str) -> PatternNode:
        words = tuple(self._spelled(typed))
        if not words:
            raise NotationError(f"“{typed}” is never seen by a pattern, because it is left out; take it out.")
        return self.row(
            [PatternNode(re.escape(each) + ",? ", frozenset({each}), denies=each in self._denials) for each in words]
        )

    def gap(self, most: int) -> PatternNode:
        return PatternNode(f"{self._between}{{0,{most}}}?", None, empty=True)

    def row(self, parts: list[PatternNode]) -> PatternNode:
        """Parts one after the other; of what each must hold, the rarest is remembered."""
        needed = [part.one_of for part in parts if part.one_of is not None and not part.empty]
        return PatternNode(
            "".join(part.expression for part in parts),
            min(needed, key=lambda words: sum(map(self._weight, words)), default=None),
            empty=all(part.empty for part in parts),
            denies=any(part.denies and not part.empty for part in parts),
        )

    def any_of(self, parts: list[PatternNode]) -> PatternNode:
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
    """Reads one side of a pattern from left to right."""

    def __init__(self, source: str, groups: WordGroups) -> None:
        self._source = source
        self._groups = groups
        self._at = 0

    def whole(self) -> PatternNode:
        part, closed_by = self._alternatives()
        if closed_by:
            raise NotationError(f"There is a “{closed_by}” too many; take it out, or open it before.")
        if part.expression == "":
            raise NotationError("A pattern, or one side of “&”, is empty; write words there.")
        return part

    def _alternatives(self) -> tuple[PatternNode, str]:
        rows: list[PatternNode] = []
        row: list[PatternNode] = []
        while True:
            piece = self._next()
            if piece in ("", ")", "]"):
                rows.append(self._groups.row(row) if row else _NOTHING)
                return self._groups.any_of(rows), piece
            if piece == "|":
                rows.append(self._groups.row(row) if row else _NOTHING)
                row = []
            else:
                row.append(self._part(piece))

    def _part(self, piece: str) -> PatternNode:
        if piece.startswith("{"):
            return self._groups.group(piece[1:])
        if piece.startswith("…"):
            return self._groups.gap(int(piece[1:] or _GAP))
        if piece in ("(", "["):
            inner, closed_by = self._alternatives()
            if closed_by != {"(": ")", "[": "]"}[piece]:
                raise NotationError(f"A “{piece}” is never closed; close it.")
            optional = piece == "["
            return PatternNode(
                f"(?:{inner.expression}){'?' if optional else ''}", inner.one_of, optional, inner.denies
            )
        if piece == "!":
            refused = self._part(self._next())
            return PatternNode(f"(?!{refused.expression})", None, empty=True)
        if piece == "#":
            return PatternNode(r"\d+,? ", None)
        if piece in ("^", "$"):
            return PatternNode(BEGINS if piece == "^" else ENDS, None, empty=True)
        return self._groups.word(piece)

    def _next(self) -> str:
        if not self._source[self._at :].strip():
            return ""
        match = _PIECE.match(self._source, self._at)
        if match is None:
            raise NotationError(
                f"“{self._source[self._at :].strip()[:20]}” can't be read as a pattern; see the rules."
            )
        self._at = match.end()
        if match[1] is not None:
            return "{" + match[1].strip()
        if match[2]:
            return "…" + match[3]
        return match[4] or match[5]


@dataclass(frozen=True)
class PhrasePattern:
    """One pattern, ready to be looked for."""

    parts: tuple[PatternNode, ...]

    @cached_property
    def expressions(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(rf"(?<!\S){part.expression}") for part in self.parts)

    @property
    def one_of(self) -> frozenset[str]:
        """Words of which every match of the first part holds one. Raises `NotationError` if there are none."""
        words = self.parts[0].one_of
        if words is None or self.parts[0].empty:
            raise NotationError("A pattern needs at least one word that must be there; add one.")
        return words

    @property
    def denies(self) -> bool:
        return self.parts[0].denies
