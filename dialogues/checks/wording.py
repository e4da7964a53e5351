"""Checks of style: reading grade, length of sentences, forbidden words and stock phrases."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from jinja2.sandbox import ImmutableSandboxedEnvironment

from dialogues.checks.template_text import every_word, longest
from dialogues.checks.words import grade, sentences, without_quotes, words
from dialogues.reading.faults import Fault, Severity
from dialogues.reading.never_say import STOCK, Phrase
from dialogues.reading.rules import Rule
from state_machine.model.script import Bubble, Dialogue, Part

SCALES = "measures/"
"""The wording of a scale is its authors' and is not checked."""
GRADE_WARNS, GRADE_FAILS = 7.0, 9.0
_ENOUGH_WORDS = 30
_LONGEST_SENTENCE = 25
_MEDIAN_SENTENCE = 12
_BUBBLES_FOR_ONE_STOCK_PHRASE = 100
_NAME = "Ben"


@dataclass(frozen=True, slots=True)
class SpokenText:
    """The bubbles of one file, and what is needed to render them."""

    file: str
    bubbles: Sequence[Bubble]
    env: ImmutableSandboxedEnvironment
    refrains: Mapping[str, Sequence[str]]
    safety: bool = False

    @property
    def is_scale(self) -> bool:
        return self.file.startswith(SCALES)

    def texts(self) -> Iterator[tuple[Bubble, str]]:
        """Yield every wording with all its branches, without quotations."""
        for bubble in self.bubbles:
            for wording in bubble.wordings:
                yield bubble, without_quotes(every_word(self.env, wording))

    def at_longest(self) -> Iterator[tuple[Bubble, str]]:
        """Yield every wording in its longest form, without refrains, which are checked in their own file."""
        silent = dict.fromkeys(self.refrains, ("",))
        for bubble in self.bubbles:
            for wording in bubble.wordings:
                yield bubble, without_quotes(longest(self.env, wording, silent, _NAME))


def said_in(
    dialogue: Dialogue, env: ImmutableSandboxedEnvironment, refrains: Mapping[str, Sequence[str]]
) -> SpokenText:
    """Return the bubbles of a dialogue."""
    bubbles = [bubble for step in dialogue.steps.values() for bubble in step.bubbles]
    return SpokenText(dialogue.file, bubbles, env, refrains, dialogue.safety)


def reads_easily(said: SpokenText) -> Iterator[Fault]:
    """The reading grade (Flesch-Kincaid) is at most 7: above it a warning, above 9 a fault."""
    if said.is_scale or said.safety:
        return
    all_sentences = [sentence for _, text in said.at_longest() for sentence in sentences(text)]
    if sum(len(words(sentence)) for sentence in all_sentences) < _ENOUGH_WORDS:
        return
    reached = grade(all_sentences)
    if reached > GRADE_WARNS:
        yield Fault(
            said.file,
            0,
            f"The reading grade is {reached:.1f}; use shorter words and sentences, until it is under "
            f"{GRADE_WARNS:.0f}.",
            Rule.GRADE,
            Severity.FAULT if reached > GRADE_FAILS else Severity.WARNING,
        )


def sentences_are_short(said: SpokenText) -> Iterator[Fault]:
    """No sentence has more than 25 words."""
    if said.is_scale or said.safety:
        return
    for bubble, text in said.at_longest():
        for sentence in sentences(text):
            count = len(words(sentence))
            if count > _LONGEST_SENTENCE:
                yield Fault(
                    said.file,
                    bubble.line,
                    f"A sentence has {count} words (“{_beginning(sentence)} …”); make two of it.",
                    Rule.SENTENCE,
                )


def sentences_are_mostly_short(said: SpokenText) -> Iterator[Fault]:
    """The median length of sentences is at most 12 words."""
    counts = [len(words(sentence)) for _, text in said.at_longest() for sentence in sentences(text)]
    if not said.is_scale and counts and median(counts) > _MEDIAN_SENTENCE:
        yield Fault(
            said.file,
            0,
            f"Half of the sentences have {median(counts):.0f} words or more; make some of them shorter than "
            f"{_MEDIAN_SENTENCE}.",
            Rule.SENTENCE,
            Severity.WARNING,
        )


def never_in_a_title(
    dialogues: Collection[Dialogue], contents: Sequence[Part], contents_file: str, phrases: Sequence[Phrase]
) -> Iterator[Fault]:
    """No title and no line of the command menu has words of `never_say.md`, because clients read them too."""
    titles = [(dialogue.file, 1, text) for dialogue in dialogues for text in (dialogue.title, dialogue.menu or "")]
    titles += [(contents_file, part.line, part.title) for part in contents]
    for file, line, title in titles:
        for phrase in phrases:
            if phrase.is_in(title):
                yield Fault(
                    file,
                    line,
                    f"“{phrase.words}” is never said ({phrase.group}), not in a title either; choose another.",
                    Rule.NEVER_SAY,
                )


def never_said(said: SpokenText, phrases: Sequence[Phrase]) -> Iterator[Fault]:
    """No bubble has words of `never_say.md`."""
    if said.is_scale:
        return
    for bubble, text in said.texts():
        for sentence in sentences(text):
            for phrase in phrases:
                if phrase.group != STOCK and phrase.is_in(sentence):
                    yield Fault(
                        said.file,
                        bubble.line,
                        f"“{phrase.words}” is never said ({phrase.group}); say it in other words.",
                        Rule.NEVER_SAY,
                    )


def few_stock_phrases(every: Sequence[SpokenText], phrases: Sequence[Phrase]) -> Iterator[Fault]:
    """At most one bubble in a hundred has a stock phrase."""
    stock = [phrase for phrase in phrases if phrase.group == STOCK]
    spoken = [said for said in every if not said.is_scale and not said.safety]
    found = [
        (said.file, bubble.line, phrase.words)
        for said in spoken
        for bubble, text in said.texts()
        for phrase in stock
        if any(phrase.is_in(sentence) for sentence in sentences(text))
    ]
    allowed = sum(len(said.bubbles) for said in spoken) // _BUBBLES_FOR_ONE_STOCK_PHRASE
    for file, line, words_found in found if len(found) > allowed else []:
        yield Fault(
            file,
            line,
            f"“{words_found}” is a stock phrase, and the book has {len(found)} where {allowed} are allowed; "
            "say something that is true only here.",
            Rule.STOCK,
        )


def no_exclamation(said: SpokenText) -> Iterator[Fault]:
    """No bubble has an exclamation mark."""
    for bubble, text in said.texts():
        if re.search(r"!", text):
            yield Fault(
                said.file, bubble.line, "A bubble has no exclamation mark; write a full stop.", Rule.EXCLAMATION
            )


def _beginning(sentence: str) -> str:
    return " ".join(sentence.split()[:5])
