"""One language's signals, ready to be looked for in plain sentences."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from state_machine.safety import signals as named
from state_machine.safety.context import About, Found, PhraseContext
from state_machine.safety.normalise import Sentence, Speller
from state_machine.safety.patterns import PhrasePattern, WordGroups
from state_machine.safety.reading import NOTHING, DangerKind, RiskReading, Tier
from state_machine.safety.signals import Signal, Signals

JOINED = 24
"""So many of the last words of earlier messages are read together with a new one."""
_MASK = "~"
_LETTERS = re.compile(r"[^ ,]")
_WORD = re.compile(r"[^\s\[\](){}|^$&…#!]+")


class Vocabulary:
    """How one language spells, and its word groups as parts of patterns."""

    def __init__(self, signals: Signals) -> None:
        sources = [source for signal in signals.signals for source in signal.patterns]
        sources += [source for group in signals.groups.values() for source in group]
        written = Counter(word for source in sources for word in _WORD.findall(source))
        alternatives = {name: frozenset(signals.groups.get(name, ())) for name in named.CIRCUMSTANCES}
        clause_starts = alternatives[named.CLAUSE]
        self.speller = Speller(
            signals.spellings, signals.fillers, signals.forgiving, signals.lookalikes, clause_starts
        )
        self.speller.learn(written)
        self.groups = WordGroups(
            signals.groups,
            self.speller.spelled,
            denials=alternatives[named.DENIAL],
            strangers=clause_starts | alternatives[named.SUBJECTS],
            weight=lambda word: 1 + written[word],
        )


@dataclass(frozen=True)
class _Rule:
    signal: Signal
    pattern: PhrasePattern


class Language:
    """The signals of one language, ready to be looked for."""

    def __init__(self, signals: Signals) -> None:
        words = Vocabulary(signals)
        self._speller, groups = words.speller, words.groups
        self._circumstances = PhraseContext(groups)
        self._idioms: dict[str, list[_Rule]] = defaultdict(list)
        self._alarms: dict[str, list[_Rule]] = defaultdict(list)
        self._hints: dict[str, list[_Rule]] = defaultdict(list)
        for signal in signals.signals:
            index = self._hints if signal.hint else self._idioms if signal.tier is Tier.NONE else self._alarms
            for source in signal.patterns:
                rule = _Rule(signal, PhrasePattern(groups.pattern(source)))
                for word in rule.pattern.one_of:
                    index[word].append(rule)

    def read(self, text: str, before: Sequence[str]) -> list[RiskReading]:
        """Every reading of one message in this language."""
        sentences = list(self._speller.sentences(text))
        readings: list[RiskReading] = []
        masked = [self._masked(sentence, readings) for sentence in sentences]
        told = any(reading.kind is DangerKind.AFTER_SUICIDE for reading in readings)
        for sentence, line in zip(sentences, masked, strict=True):
            readings.extend(self._readings(sentence, line, told))
        if before and sentences:
            said = [sentence for message in before for sentence in self._speller.sentences(message)]
            earlier = [word for sentence in said for word in _ended(sentence)]
            joined, border = _joined(earlier[-JOINED:], sentences[0].words[:JOINED])
            readings.extend(self._readings(joined, self._masked(joined, []), told, border))
        return readings

    def hints(self, name: str, text: str) -> bool:
        """Whether a text shows the hint of this name."""
        return any(
            _spans(rule.pattern, sentence.line, sentence.line)
            for sentence in self._speller.sentences(text)
            for rule in _candidates(self._hints, sentence)
            if rule.signal.name.rpartition("/")[2] == name
        )

    def _masked(self, sentence: Sentence, readings: list[RiskReading]) -> str:
        """The line without the words of idioms and losses; those that have a kind of their own join the readings."""
        line = sentence.line
        for rule in _candidates(self._idioms, sentence):
            for (start, end), *_ in _spans(rule.pattern, sentence.line, sentence.line):
                line = line[:start] + _LETTERS.sub(_MASK, line[start:end]) + line[end:]
                readings.append(RiskReading(Tier.NONE, rule.signal.kind, rule.signal.name))
        return line

    def _readings(
        self, sentence: Sentence, line: str, told: bool, border: int | None = None
    ) -> Iterator[RiskReading]:
        """All readings of a sentence; with a `border` (a place in its line) only of what reaches across it."""
        for rule in _candidates(self._alarms, sentence):
            for spans in _spans(rule.pattern, line, sentence.line):
                if border is None or min(spans)[0] < border < max(end for _, end in spans):
                    yield self._weighed(rule, Found(sentence, *spans[0], rule.pattern.denies), told)

    def _weighed(self, rule: _Rule, found: Found, told: bool) -> RiskReading:
        """What a match comes to, once what stands around it is taken into account.

        `told`: the message tells of a death by suicide, where the bare word alone says nothing of the writer.
        """
        tier, kind, name = rule.signal.tier, rule.signal.kind, rule.signal.name
        if kind is not DangerKind.SELF:
            lowered = tier is Tier.EXPLICIT and self._circumstances.lowers(found)
            return RiskReading(Tier.ASK if lowered else tier, kind, name)
        about = self._circumstances.about(found)
        if about in (About.SOMEBODY, About.ANYBODY) and tier is not Tier.EXPLICIT:
            return NOTHING
        if about is About.SOMEBODY:
            return RiskReading(Tier.SOMEONE_ELSE, DangerKind.SOMEONE_ELSE, name)
        unclear = about in (About.ANYBODY, About.UNCLEAR) or (told and about is not About.ME)
        if tier is Tier.EXPLICIT and (unclear or self._circumstances.lowers(found)):
            tier = Tier.ASK
        return RiskReading(tier, kind, name)


def _candidates(index: Mapping[str, list[_Rule]], sentence: Sentence) -> Iterator[_Rule]:
    """The rules whose words stand in the sentence, so that only a few expressions are run."""
    words = {word.rstrip(",") for word in sentence.words}
    seen: set[int] = set()
    for word in words:
        for rule in index.get(word, ()):
            if id(rule) not in seen:
                seen.add(id(rule))
                if all(part.one_of is None or not part.one_of.isdisjoint(words) for part in rule.pattern.parts[1:]):
                    yield rule


def _spans(pattern: PhrasePattern, line: str, whole: str) -> list[list[tuple[int, int]]]:
    """Every match of the first part in `line`, with one of each other part in the `whole` line; none if one lacks."""
    first, *others = pattern.expressions
    matches = [match.span() for match in first.finditer(line)]
    if not matches or not others:
        return [[span] for span in matches]
    rest = [match.span() for other in others if (match := other.search(whole))]
    return [[span, *rest] for span in matches] if len(rest) == len(others) else []


def _ended(sentence: Sentence) -> tuple[str, ...]:
    *words, last = sentence.words
    return (*words, last.rstrip(",") + ",")


def _joined(earlier: Sequence[str], words: Sequence[str]) -> tuple[Sentence, int]:
    """Earlier words and new ones as one sentence, and the place in its line where the new ones begin."""
    every = (*earlier, *words)
    return Sentence(" ".join(every) + " ", every, (False,) * len(every)), len(" ".join(earlier)) + 1
