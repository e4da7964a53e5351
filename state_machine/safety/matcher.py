"""Matches the signals of one language against normalised sentences."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from state_machine.safety import signals as group_names
from state_machine.safety.context import PhraseContext, PhraseMatch, Subject
from state_machine.safety.normalise import Normaliser, Sentence
from state_machine.safety.patterns import PhrasePattern, WordGroups
from state_machine.safety.reading import NOTHING, DangerKind, RiskReading, Tier
from state_machine.safety.signals import Signal, Signals

JOINED_WORDS = 24
"""How many of the last words of earlier messages are matched together with the new message."""
_MASK = "~"
_LETTERS = re.compile(r"[^ ,]")
_WORD = re.compile(r"[^\s\[\](){}|^$&…#!]+")


class Vocabulary:
    """The normaliser of one language, and its word groups as parts of patterns."""

    def __init__(self, signals: Signals) -> None:
        sources = [source for signal in signals.signals for source in signal.patterns]
        sources += [source for group in signals.groups.values() for source in group]
        written = Counter(word for source in sources for word in _WORD.findall(source))
        alternatives = {name: frozenset(signals.groups.get(name, ())) for name in group_names.REQUIRED_GROUPS}
        clause_starts = alternatives[group_names.CLAUSE]
        self.normaliser = Normaliser(
            signals.spellings, signals.fillers, signals.forgiving, signals.lookalikes, clause_starts
        )
        self.normaliser.learn(written)
        self.groups = WordGroups(
            signals.groups,
            self.normaliser.spelled,
            denials=alternatives[group_names.DENIAL],
            boundary_words=clause_starts | alternatives[group_names.SUBJECTS],
            frequency=lambda word: 1 + written[word],
        )


@dataclass(frozen=True)
class _PatternRule:
    signal: Signal
    pattern: PhrasePattern


class LanguageMatcher:
    """Finds the signals of one language in messages. Raises `NotationError` if a pattern can't be read."""

    def __init__(self, signals: Signals) -> None:
        words = Vocabulary(signals)
        self._normaliser, groups = words.normaliser, words.groups
        self._context = PhraseContext(groups)
        self._idioms: dict[str, list[_PatternRule]] = defaultdict(list)
        self._alarms: dict[str, list[_PatternRule]] = defaultdict(list)
        self._hints: dict[str, list[_PatternRule]] = defaultdict(list)
        for signal in signals.signals:
            index = self._hints if signal.hint else self._idioms if signal.tier is Tier.NONE else self._alarms
            for source in signal.patterns:
                rule = _PatternRule(signal, PhrasePattern(groups.pattern(source)))
                for word in rule.pattern.one_of:
                    index[word].append(rule)

    def read(self, text: str, before: Sequence[str]) -> list[RiskReading]:
        """Return every reading of one message in this language. `before`: the messages before it, oldest first."""
        sentences = list(self._normaliser.sentences(text))
        readings: list[RiskReading] = []
        masked = [self._mask_idioms(sentence, readings) for sentence in sentences]
        suicide_loss = any(reading.kind is DangerKind.AFTER_SUICIDE for reading in readings)
        for sentence, line in zip(sentences, masked, strict=True):
            readings.extend(self._readings(sentence, line, suicide_loss))
        if before and sentences:
            previous = [sentence for message in before for sentence in self._normaliser.sentences(message)]
            earlier = [word for sentence in previous for word in _words_with_clause_end(sentence)]
            joined, boundary = _join(earlier[-JOINED_WORDS:], sentences[0].words[:JOINED_WORDS])
            readings.extend(self._readings(joined, self._mask_idioms(joined, []), suicide_loss, boundary))
        return readings

    def hints(self, name: str, text: str) -> bool:
        """Whether the hint called `name` matches the text."""
        return any(
            _spans(rule.pattern, sentence.line, sentence.line)
            for sentence in self._normaliser.sentences(text)
            for rule in _candidates(self._hints, sentence)
            if rule.signal.name.rpartition("/")[2] == name
        )

    def _mask_idioms(self, sentence: Sentence, readings: list[RiskReading]) -> str:
        """Return the line with idioms and losses masked; append a reading for each of them to `readings`."""
        line = sentence.line
        for rule in _candidates(self._idioms, sentence):
            for (start, end), *_ in _spans(rule.pattern, sentence.line, sentence.line):
                line = line[:start] + _LETTERS.sub(_MASK, line[start:end]) + line[end:]
                readings.append(RiskReading(Tier.NONE, rule.signal.kind, rule.signal.name))
        return line

    def _readings(
        self, sentence: Sentence, line: str, suicide_loss: bool, boundary: int | None = None
    ) -> Iterator[RiskReading]:
        """Yield all readings of a sentence; with a `boundary` (an offset in its line), only those across it."""
        for rule in _candidates(self._alarms, sentence):
            for spans in _spans(rule.pattern, line, sentence.line):
                if boundary is None or min(spans)[0] < boundary < max(end for _, end in spans):
                    yield self._assess(rule, PhraseMatch(sentence, *spans[0], rule.pattern.denies), suicide_loss)

    def _assess(self, rule: _PatternRule, match: PhraseMatch, suicide_loss: bool) -> RiskReading:
        """Return the reading of one match, given the words around it.

        `suicide_loss`: the message reports a death by suicide, so that words for suicide without a subject say
        nothing about the writer.
        """
        tier, kind, name = rule.signal.tier, rule.signal.kind, rule.signal.name
        if kind is not DangerKind.SELF:
            lowered = tier is Tier.EXPLICIT and self._context.lowers_tier(match)
            return RiskReading(Tier.ASK if lowered else tier, kind, name)
        subject = self._context.subject(match)
        if subject in (Subject.SOMEBODY, Subject.ANYBODY) and tier is not Tier.EXPLICIT:
            return NOTHING
        if subject is Subject.SOMEBODY:
            return RiskReading(Tier.SOMEONE_ELSE, DangerKind.SOMEONE_ELSE, name)
        unclear = subject in (Subject.ANYBODY, Subject.UNCLEAR) or (suicide_loss and subject is not Subject.ME)
        if tier is Tier.EXPLICIT and (unclear or self._context.lowers_tier(match)):
            tier = Tier.ASK
        return RiskReading(tier, kind, name)


def _candidates(index: Mapping[str, list[_PatternRule]], sentence: Sentence) -> Iterator[_PatternRule]:
    """Yield the rules whose required words are in the sentence, so that only a few expressions have to be run."""
    words = {word.rstrip(",") for word in sentence.words}
    tried: set[int] = set()
    for word in words:
        for rule in index.get(word, ()):
            if id(rule) not in tried:
                tried.add(id(rule))
                if all(part.one_of is None or not part.one_of.isdisjoint(words) for part in rule.pattern.parts[1:]):
                    yield rule


def _spans(pattern: PhrasePattern, line: str, whole: str) -> list[list[tuple[int, int]]]:
    """Return every match of the first part in `line`, each with one match of every other part in the `whole` line.

    A span is a start and an end offset. Empty if a part has no match.
    """
    first, *others = pattern.expressions
    matches = [match.span() for match in first.finditer(line)]
    if not matches or not others:
        return [[span] for span in matches]
    rest = [match.span() for other in others if (match := other.search(whole))]
    return [[span, *rest] for span in matches] if len(rest) == len(others) else []


def _words_with_clause_end(sentence: Sentence) -> tuple[str, ...]:
    *words, last = sentence.words
    return (*words, last.rstrip(",") + ",")


def _join(earlier: Sequence[str], words: Sequence[str]) -> tuple[Sentence, int]:
    """Return earlier and new words as one sentence, and the offset in its line at which the new ones begin."""
    every = (*earlier, *words)
    return Sentence(" ".join(every) + " ", every, (False,) * len(every)), len(" ".join(earlier)) + 1
