"""All that is needed to go on with one client: phase, open dialogues, facts, people.

Frozen values. A turn makes new ones; the old ones stay true of the past.
The mappings in them are never changed in place.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

MOST_OPEN = 6
"""Dialogues open at once in one chat; a further one closes the oldest that can be asked again."""
MOST_STEPS_BACK = 40
"""How many steps of one run can be gone back over."""
MOST_WORDINGS = 200
"""Bubbles with several wordings that are counted: those said last. Any other begins with its first wording."""


@dataclass(frozen=True, slots=True)
class Fact:
    """The latest value of a memory: the words, a code for scores and rules, and since when."""

    value: str
    at: datetime
    code: str | None = None


class Facts(Mapping[str, Fact]):
    """Facts as they were before a turn, and what the turn changed. Never changed in place.

    `before` may look facts up only when they are asked for by name, so ask by name; to iterate reads all of them.
    `changes` holds the new value by memory, None for what was removed.
    """

    __slots__ = ("before", "changes")

    def __init__(self, before: Mapping[str, Fact], changes: Mapping[str, Fact | None]) -> None:
        self.before = before
        self.changes = changes

    def __getitem__(self, memory: str) -> Fact:
        fact: Fact | None = self.get(memory)
        if fact is None:
            raise KeyError(memory)
        return fact

    def get(self, memory: str, default: Any = None) -> Any:
        """The fact of this memory, or `default`."""
        if memory in self.changes:
            fact = self.changes[memory]
            return default if fact is None else fact
        return self.before.get(memory, default)

    def items(self) -> ItemsView[str, Fact]:
        """All of them, in one go."""
        known: dict[str, Fact | None] = {**dict(self.before.items()), **self.changes}
        return {memory: fact for memory, fact in known.items() if fact is not None}.items()

    def __contains__(self, memory: object) -> bool:
        return isinstance(memory, str) and self.get(memory) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.items()))

    def __len__(self) -> int:
        return len(self.items())

    def __repr__(self) -> str:
        return f"Facts({dict(self.items())!r})"


def with_facts(facts: Mapping[str, Fact], changed: Mapping[str, Fact]) -> Facts:
    """`facts` with these values in place of earlier ones. Costs as much as has changed, not as much as is known."""
    return _changed(facts, changed)


def without_facts(facts: Mapping[str, Fact], memories: Iterable[str]) -> Facts:
    """`facts` without these memories. Costs as much as has changed, not as much as is known."""
    return _changed(facts, dict.fromkeys(memories))


def _changed(facts: Mapping[str, Fact], changes: Mapping[str, Fact | None]) -> Facts:
    if isinstance(facts, Facts):
        return Facts(facts.before, {**facts.changes, **changes})
    return Facts(facts, changes)


@dataclass(frozen=True, slots=True)
class Answer:
    """A fact as given in one run, with the step it was given at, so that it can be taken back.

    `person` is the id of the person it is about; `made` that of the person this answer put on the map.
    """

    memory: str
    fact: Fact
    step: str
    person: int | None = None
    made: int | None = None


@dataclass(frozen=True, slots=True)
class RecentText:
    """Words of the client that the screen still reads together with what comes next."""

    words: str
    at: datetime


@dataclass(frozen=True)
class Run:
    """One dialogue while it is open. `asked` is when its present step was asked."""

    id: int
    dialogue: str
    step: str
    opened: datetime
    asked: datetime
    answers: tuple[Answer, ...] = ()
    trail: tuple[str, ...] = ()
    person: int | None = None
    amends: bool = False
    picked: tuple[str, ...] = ()
    day: date | None = None
    """The client's day the run is about, where that is not the day it was opened."""
    because: str = ""
    """Why a safety talk was opened: `explicit` or `unsure` for words of the first or second tier, `taken` for
    explicit words that something was taken, or a low week."""
    part: str | None = None
    """The planned part of the programme this run speaks of, by its title."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the client's life, under the name the client uses."""

    id: int
    name: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    died: bool = False
    earlier_names: tuple[str, ...] = ()
    """What they were called on the map before: these may stand in answers of earlier days."""


@dataclass(frozen=True, slots=True)
class Unasked:
    """The last thing we said unasked: why, when it was due, and when it was said."""

    reason: str
    due: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a dialogue so far: how often it was finished, when last, and how it ended.

    `kept`: whether anything was answered in that last run; `day`: the client's day it was about.
    """

    times: int
    last: datetime
    outcome: str
    run: int
    kept: bool = False
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """How often a part of the programme was offered since its turn came: on how many of the client's dates, and
    the first and the last of these."""

    times: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Shown:
    """A question that was asked lately: its run and place, and its labels as `old_labels.marks` writes them."""

    run: int
    dialogue: str
    step: str
    labels: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One dated run of a dialogue as it is kept for the client: a check-in, a scale, a note."""

    run: int
    dialogue: str
    at: datetime
    outcome: str
    answers: tuple[Answer, ...] = ()
    day: date | None = None
    person: int | None = None


@dataclass(frozen=True, slots=True)
class CheckIn:
    """What is looked back on of one check-in: the client's day it is about, the mood (0 to 10), the moment's code."""

    run: int
    day: date
    mood: int
    moment: str | None = None


@dataclass(frozen=True)
class Progress:
    """Where one client stands. `runs` is the stack of open dialogues, the one in front last."""

    phase: str = "welcome"
    runs: tuple[Run, ...] = ()
    aside: tuple[Run, ...] = ()
    """Parts of the programme that were left half done. They keep their place."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """Ask for facts by name: a turn never reads all of them. Changed by `with_facts` and `without_facts`."""
    people: tuple[Person, ...] = ()
    done: Mapping[str, Done] = field(default_factory=dict)
    check_ins: tuple[CheckIn, ...] = ()
    """The latest check-ins, in the order in which they were closed."""
    put_off: Mapping[str, date] = field(default_factory=dict)
    """Dialogues put off, with the client's date on which that was said."""
    offered: Mapping[str, Offered] = field(default_factory=dict)
    """By dialogue, how often a part that is not done yet was offered."""
    shown: tuple[Shown, ...] = ()
    """The questions asked last, the newest last, so that their buttons are known when they are tapped late."""
    begun: date | None = None
    """The client's date on the day of consent: day 1 of the programme."""
    heard: datetime | None = None
    """When the client last wrote or tapped."""
    unasked: Unasked | None = None
    slots: Mapping[str, datetime] = field(default_factory=dict)
    """By reason, the last slot that was dealt with: kept, or passed over."""
    nights: tuple[date, ...] = ()
    """The last dates on which the client wrote in the small hours of their own clock, as far as we know it."""
    ignored_since: datetime | None = None
    """When we first wrote unasked without an answer since."""
    snoozed_until: datetime | None = None
    snoozed_for: date | None = None
    """The client's day that the check-in was asked for which was put off last for an hour, over midnight perhaps."""
    suspended: bool = False
    """Whether, after a long silence, the client is to be asked before we write first again."""
    recent: tuple[RecentText, ...] = ()
    """The last words, for the screen. None is older than a day."""
    alarmed: RecentText | None = None
    """The words that opened the last safety talk."""
    misread: RecentText | None = None
    """Words that were no sign of danger, as the client said. Not asked about again on that day."""
    paused_until: datetime | None = None
    wordings: Mapping[str, int] = field(default_factory=dict)
    """How often each bubble with several wordings has been said, the one said last at the end."""
    next_run: int = 1
    next_person: int = 1
    just_settled: str | None = None
    """The words of the answer taken last, so that the same tap twice is known for what it is."""
    consent: str | None = None
    """The version of the consent given, with its date: `1 2026-01-05`. None before it is given."""


_Changing = TypeVar("_Changing", Progress, Run)


def with_fields(value: _Changing, /, **fields: object) -> _Changing:
    """`value` with these fields changed, as `dataclasses.replace` does it, at an eighth of the cost.

    A turn changes progress about ten times, so the copy is made in one go. Raises `TypeError` for an unknown field.
    """
    made = object.__new__(type(value))
    vars(made).update(vars(value), **fields)
    if len(vars(made)) != len(vars(value)):
        raise TypeError(f"{type(value).__name__} has no such field: {sorted(fields.keys() - vars(value).keys())}")
    return made
