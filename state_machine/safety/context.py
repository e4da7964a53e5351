"""Around a match: is it denied, long ago, quoted, about somebody else? Such words lower, and never silence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from state_machine.safety import signals as named
from state_machine.safety.normalise import Sentence
from state_machine.safety.patterns import WordGroups

_BACK = 6
"""So many words before a match can deny it."""
_AFTER = 4
"""So many words after a match can say whose it is: “suicidal thoughts of my brother”."""


class About(Enum):
    """Whom a match is about. UNCLEAR: the writer and others are named, and neither in its clause."""

    ME = "me"
    SOMEBODY = "somebody"
    ANYBODY = "anybody"
    UNCLEAR = "unclear"
    NOBODY = "nobody is named"


@dataclass(frozen=True, slots=True)
class Found:
    """A match in a sentence: its place in the line, and whether its pattern itself holds a denial."""

    sentence: Sentence
    start: int
    end: int
    denies: bool

    @property
    def text(self) -> str:
        return self.sentence.line[self.start : self.end]

    @property
    def first_word(self) -> int:
        """The number of the word with which the match begins."""
        return self.sentence.line.count(" ", 0, self.start)

    @property
    def after(self) -> int:
        """The number of the first word after the match."""
        return self.sentence.line.count(" ", 0, self.end)


class PhraseContext:
    """Built once from the groups that every language names."""

    def __init__(self, groups: WordGroups) -> None:
        def phrases(name: str, before: str = r"(?<!\S)", after: str = "") -> re.Pattern[str]:
            return re.compile(before + groups.group(name).expression + after)

        def words(name: str) -> frozenset[str]:
            return groups.group(name).one_of or frozenset()

        self._me, self._people, self._subjects = words(named.ME), words(named.PEOPLE), words(named.SUBJECTS)
        self._somebody = words(named.SOMEBODY) | self._people
        self._anybody, self._nobody = words(named.ANYBODY), words(named.NOBODY)
        self._denials = words(named.DENIAL)
        self._no_denial = phrases(named.NO_DENIAL)
        self._long_ago, self._now = phrases(named.LONG_AGO), phrases(named.NOW)
        self._reporting = phrases(named.REPORTING, after="(?:that,? )?$")

    def lowers(self, found: Found) -> bool:
        """Whether what stands around a match makes it less than plain: denied, long ago, or quoted."""
        return self.denied(found) or self.long_ago(found) or self.quoted(found)

    def denied(self, found: Found) -> bool:
        """Whether the match says that it is not so."""
        if not found.denies and self._has_denial(found.text):
            return True
        before = found.sentence.line[: found.start]
        if not before:
            return False
        if self._reporting.search(before):
            return True
        if found.text.split(maxsplit=1)[0].rstrip(",") in self._me or before.endswith(", "):
            return False
        clause = before.rpartition(", ")[2].split()[-_BACK:]
        own = max((at for at, word in enumerate(clause) if word in self._me & self._subjects), default=-1)
        said = " ".join(clause[:own]) + " "
        return self._has_denial(" ".join(clause[own + 1 :]) + " ") or self._reporting.search(said) is not None

    def long_ago(self, found: Found) -> bool:
        """Whether the sentence speaks of a time that is over, and of nothing that goes on."""
        line = found.sentence.line
        return self._long_ago.search(line) is not None and self._now.search(line) is None

    def quoted(self, found: Found) -> bool:
        """Whether somebody else's words are quoted."""
        inside = found.sentence.quoted
        if not inside[found.first_word]:
            return False
        around = _bare(word for word, quoted in zip(found.sentence.words, inside, strict=True) if not quoted)
        return self._me.isdisjoint(around) and not self._somebody.isdisjoint(around)

    def about(self, found: Found) -> About:
        """Whom the match is about.

        Its own words decide; else the nearest in its clause, first before it and then after it; else the sentence.
        """
        if self.in_first_person(found):
            return About.ME
        words = found.sentence.words
        first, last = found.first_word, found.after
        # Somebody named only afterwards, in another clause, is not whom it is about.
        begin = next((at + 1 for at in range(first - 1, -1, -1) if words[at].endswith(",")), 0)
        end = next((at + 1 for at in range(last - 1, len(words)) if words[at].endswith(",")), len(words))
        for place in range(first - 1, begin - 1, -1):
            if (whom := self._who(words, place)) is not None:
                return whom
        for place in range(last, min(end, last + _AFTER)):
            if (whom := self._who(words, place)) in (About.ME, About.SOMEBODY):
                return whom
        others = {self._who(words, place) for place in range(begin)} - {None, About.NOBODY}
        if not others:
            return About.NOBODY
        return others.pop() or About.NOBODY if len(others) == 1 else About.UNCLEAR

    def in_first_person(self, found: Found) -> bool:
        """Whether the match itself names its writer."""
        return not self._me.isdisjoint(_bare(found.text.split()))

    def _who(self, words: Sequence[str], place: int) -> About | None:
        word = words[place].rstrip(",")
        if word in self._nobody:
            return About.NOBODY
        if word in self._me:
            return None if self._of_mine(words, place) else About.ME
        if word in self._somebody:
            return About.SOMEBODY
        return About.ANYBODY if word in self._anybody else None

    def _of_mine(self, words: Sequence[str], place: int) -> bool:
        """Whether “my” or “i” only says whose somebody is: “my sister”, “someone I know”."""
        if place and words[place - 1] in self._people | self._anybody:
            return True
        after = _bare(words[place + 1 : place + 4])
        return words[place].rstrip(",") not in self._subjects and not self._people.isdisjoint(after)

    def _has_denial(self, text: str) -> bool:
        return not self._denials.isdisjoint(_bare(self._no_denial.sub(" ", text).split()))


def _bare(words: Iterable[str]) -> list[str]:
    return [word.rstrip(",") for word in words]
