"""Negation, past, quotation and subject: what the words around a match say about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from state_machine.safety import signals as group_names
from state_machine.safety.normalise import Sentence
from state_machine.safety.patterns import WordGroups

_WORDS_BEFORE = 6
"""How many words before a match are searched for a negation."""
_WORDS_AFTER = 4
"""How many words after a match are searched for its subject, as in “suicidal thoughts of my brother”."""


class Subject(Enum):
    """Whom a match is about. UNCLEAR: several subjects are named, none of them in the clause of the match."""

    ME = "me"
    SOMEBODY = "somebody"
    ANYBODY = "anybody"
    UNCLEAR = "unclear"
    NOBODY = "nobody is named"


@dataclass(frozen=True, slots=True)
class PhraseMatch:
    """A match of a pattern in a sentence.

    `start` and `end` are offsets in the line. `denies`: the pattern itself contains a negation.
    """

    sentence: Sentence
    start: int
    end: int
    denies: bool

    @property
    def text(self) -> str:
        return self.sentence.line[self.start : self.end]

    @property
    def first_word(self) -> int:
        """Index of the first word of the match."""
        return self.sentence.line.count(" ", 0, self.start)

    @property
    def next_word(self) -> int:
        """Index of the first word after the match."""
        return self.sentence.line.count(" ", 0, self.end)


class PhraseContext:
    """Examines the words around a match. Built once for each language, from its required word groups."""

    def __init__(self, groups: WordGroups) -> None:
        def phrases(name: str, before: str = r"(?<!\S)", after: str = "") -> re.Pattern[str]:
            return re.compile(before + groups.group(name).expression + after)

        def words(name: str) -> frozenset[str]:
            return groups.group(name).one_of or frozenset()

        self._me, self._people, self._subjects = (
            words(group_names.ME),
            words(group_names.PEOPLE),
            words(group_names.SUBJECTS),
        )
        self._somebody = words(group_names.SOMEBODY) | self._people
        self._anybody, self._nobody = words(group_names.ANYBODY), words(group_names.NOBODY)
        self._denials = words(group_names.DENIAL)
        self._no_denial = phrases(group_names.NO_DENIAL)
        self._long_ago, self._now = phrases(group_names.LONG_AGO), phrases(group_names.NOW)
        self._reporting = phrases(group_names.REPORTING, after="(?:that,? )?$")

    def lowers_tier(self, match: PhraseMatch) -> bool:
        """Whether the words around the match lower its tier: it is denied, in the past, or quoted."""
        return self.is_denied(match) or self.is_in_the_past(match) or self.is_quoted(match)

    def is_denied(self, match: PhraseMatch) -> bool:
        """Whether the match is negated, within itself or by the words before it in its clause."""
        if not match.denies and self._has_denial(match.text):
            return True
        before = match.sentence.line[: match.start]
        if not before:
            return False
        if self._reporting.search(before):
            return True
        if match.text.split(maxsplit=1)[0].rstrip(",") in self._me or before.endswith(", "):
            return False
        clause = before.rpartition(", ")[2].split()[-_WORDS_BEFORE:]
        writer = max((at for at, word in enumerate(clause) if word in self._me & self._subjects), default=-1)
        ahead = " ".join(clause[:writer]) + " "
        return self._has_denial(" ".join(clause[writer + 1 :]) + " ") or self._reporting.search(ahead) is not None

    def is_in_the_past(self, match: PhraseMatch) -> bool:
        """Whether the sentence has a word for the past and none for the present."""
        line = match.sentence.line
        return self._long_ago.search(line) is not None and self._now.search(line) is None

    def is_quoted(self, match: PhraseMatch) -> bool:
        """Whether the match is in quotation marks and attributed to somebody else."""
        inside = match.sentence.quoted
        if not inside[match.first_word]:
            return False
        around = _without_commas(
            word for word, quoted in zip(match.sentence.words, inside, strict=True) if not quoted
        )
        return self._me.isdisjoint(around) and not self._somebody.isdisjoint(around)

    def subject(self, match: PhraseMatch) -> Subject:
        """Whom the match is about.

        Decided by the words of the match; else by the nearest subject in its clause, first before and then after
        the match; else by the subjects earlier in the sentence.
        """
        if self.is_in_first_person(match):
            return Subject.ME
        words = match.sentence.words
        first, last = match.first_word, match.next_word
        # A person named only in a later clause is not the subject of the match.
        clause_start = next((at + 1 for at in range(first - 1, -1, -1) if words[at].endswith(",")), 0)
        clause_end = next((at + 1 for at in range(last - 1, len(words)) if words[at].endswith(",")), len(words))
        for place in range(first - 1, clause_start - 1, -1):
            if (subject := self._subject_of_word(words, place)) is not None:
                return subject
        for place in range(last, min(clause_end, last + _WORDS_AFTER)):
            if (subject := self._subject_of_word(words, place)) in (Subject.ME, Subject.SOMEBODY):
                return subject
        others = {self._subject_of_word(words, place) for place in range(clause_start)} - {None, Subject.NOBODY}
        if not others:
            return Subject.NOBODY
        return others.pop() or Subject.NOBODY if len(others) == 1 else Subject.UNCLEAR

    def is_in_first_person(self, match: PhraseMatch) -> bool:
        """Whether the match itself contains a word for its writer."""
        return not self._me.isdisjoint(_without_commas(match.text.split()))

    def _subject_of_word(self, words: Sequence[str], place: int) -> Subject | None:
        word = words[place].rstrip(",")
        if word in self._nobody:
            return Subject.NOBODY
        if word in self._me:
            return None if self._is_possessive(words, place) else Subject.ME
        if word in self._somebody:
            return Subject.SOMEBODY
        return Subject.ANYBODY if word in self._anybody else None

    def _is_possessive(self, words: Sequence[str], place: int) -> bool:
        """Whether “my” or “i” only describes another person, as in “my sister” or “someone I know”."""
        if place and words[place - 1] in self._people | self._anybody:
            return True
        after = _without_commas(words[place + 1 : place + 4])
        return words[place].rstrip(",") not in self._subjects and not self._people.isdisjoint(after)

    def _has_denial(self, text: str) -> bool:
        return not self._denials.isdisjoint(_without_commas(self._no_denial.sub(" ", text).split()))


def _without_commas(words: Iterable[str]) -> list[str]:
    return [word.rstrip(",") for word in words]
