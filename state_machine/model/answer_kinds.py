"""The closed list of kinds of answer that a dialogue may ask for in *emphasis*."""

from __future__ import annotations

from enum import StrEnum


class AnswerKind(StrEnum):
    """A kind of answer; the value is what an author writes between asterisks."""

    OWN_WORDS = "In your own words"
    FEW_WORDS = "A few words"
    CALLED = "What to call you"
    ONE_PERSON = "One of your people"
    SOME_PEOPLE = "Some of your people"
    NEW_NAME = "A new name"
    OTHER_NAME = "Another name"
    SOME_FEELINGS = "Some feelings"
    TIME = "A time of day"
    CLOCK = "The time on your clock"
    DATE = "A date"
    COUNTRY = "A country"
    PLACE = "A place"
    SKIP = "Skip"


LONGEST: dict[AnswerKind, int] = {
    AnswerKind.OWN_WORDS: 4000,
    AnswerKind.FEW_WORDS: 80,
    AnswerKind.CALLED: 40,
    AnswerKind.ONE_PERSON: 40,
    AnswerKind.SOME_PEOPLE: 400,
    AnswerKind.NEW_NAME: 40,
    AnswerKind.OTHER_NAME: 40,
    AnswerKind.SOME_FEELINGS: 400,
    AnswerKind.TIME: 40,
    AnswerKind.CLOCK: 40,
    AnswerKind.DATE: 40,
    AnswerKind.COUNTRY: 60,
    AnswerKind.PLACE: 60,
    AnswerKind.SKIP: 10,
}
"""Longest answer of each kind, in characters; a longer one is kept as a note and asked for again, shorter."""

PICKED_SEVERAL = frozenset({AnswerKind.SOME_PEOPLE, AnswerKind.SOME_FEELINGS})
"""Kinds where several may be picked, one tap each, before *Done*."""
