"""The closed list of kinds of answer that a dialogue may ask for in *emphasis*."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
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


LONGEST: dict[Kind, int] = {
    Kind.OWN_WORDS: 4000,
    Kind.FEW_WORDS: 80,
    Kind.CALLED: 40,
    Kind.ONE_PERSON: 40,
    Kind.SOME_PEOPLE: 400,
    Kind.NEW_NAME: 40,
    Kind.OTHER_NAME: 40,
    Kind.SOME_FEELINGS: 400,
    Kind.TIME: 40,
    Kind.CLOCK: 40,
    Kind.DATE: 40,
    Kind.COUNTRY: 60,
    Kind.PLACE: 60,
    Kind.SKIP: 10,
}
"""Longest answer of each kind, in characters; a longer one is kept as a note and asked for again, shorter."""

PICKED_SEVERAL = frozenset({Kind.SOME_PEOPLE, Kind.SOME_FEELINGS})
"""Kinds where several may be picked, one tap each, before *Done*."""
