"""THE TABLES: what the programme does when a dialogue ends, and when an answer interrupts.

A client goes through phases: *welcome* until the first true sentence is kept, then *assessment*
(Getting to know), *treatment* (Working on it), *termination* (Keeping it) and *aftercare* (Afterwards).
*Not now* is where somebody waits for whom working on relationships is not right today:
the numbers, the check-in and the map stay, and the question is asked again.

Each row of `DEPARTURES` reads: when this dialogue ends with this outcome, in these phases,
and only if this is true, then change to that phase and do these things, in order.
The first row that fits is taken. An outcome without a row closes its dialogue, and
what lay below it goes on.

Each row of `INTERRUPTS` reads: when this fact is kept, and only if this is true, do this at once;
what was open waits at its next step.

Nothing else in the product decides what comes next, but for `CONTENTS.md`, which gives the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PHASES = ("welcome", "assessment", "treatment", "termination", "aftercare", "not_now")
ANY = PHASES
UNDER_WAY = ("assessment", "treatment", "termination", "aftercare", "not_now")

WELCOME = "welcome/first_words"
HOME = "always/home"
GO_ON = "always/go_on"
STILL_TO_COME = "weekly/still_to_come"
CHECK_IN = "always/check_in"
CHECK_IN_AGAIN = "always/check_in_again"
NOTE = "note"
"""The name notes are entered under. It is no dialogue: a note is what a client wrote where only buttons stood."""

CONSENT_VERSION = "1"


class Act(StrEnum):
    """Things the programme does that need no further word."""

    NEXT = "go on with what is due"
    BEGIN = "count day 1 from today, and keep that consent was given"
    ERASE = "erase the client, with a receipt"
    FORGET = "erase the client, without a further word"
    EXPORT = "send the export"
    REMOVE_PERSON = "take the person off the map, with all that was kept about them"
    PERSON_DIED = "keep that the person has died"
    RENAME_PERSON = "give the person the name just told"
    UNPAUSE = "write first again"
    GO_ON = "ask again what lay below"
    PUT_ASIDE = "close what lay below, keeping what was answered"


@dataclass(frozen=True, slots=True)
class Open:
    """Open a dialogue; about the same person as the one that ended, if `same_person`."""

    dialogue: str
    same_person: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for one memory again, by the step that keeps it."""

    memory: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Do not write first for so many days; None until the client writes."""

    days: int | None


@dataclass(frozen=True, slots=True)
class OfLast:
    """Something about the last entry of a dialogue: `strike` it, `change` it, or one more `for_yesterday`."""

    what: str
    dialogue: str


Action = Act | Open | Ask | Pause | OfLast


@dataclass(frozen=True, slots=True)
class Departure:
    """One row: the outcome heard, the phases it is heard in, the condition, the phase it leads to, what is done."""

    dialogue: str
    outcome: str
    phases: tuple[str, ...] = ANY
    only_if: str | None = None
    to: str | None = None
    do: tuple[Action, ...] = ()

    @property
    def trigger(self) -> str:
        return f"{self.dialogue}:{self.outcome}"


@dataclass(frozen=True, slots=True)
class Interrupt:
    """One row: the memory kept, the condition, what is done at once."""

    memory: str
    only_if: str | None
    do: Action


RENAMED: dict[str, str] = {}
"""Dialogues (`a/b` to `a/c`) and steps (`a/b#x` to `a/b#y`) renamed in a release, for those who stand there."""

DEPARTURES: tuple[Departure, ...] = ()
INTERRUPTS: tuple[Interrupt, ...] = ()


def opened() -> set[str]:
    """The dialogues that a table or a rule of the engine opens."""
    actions = [action for row in DEPARTURES for action in row.do] + [row.do for row in INTERRUPTS]
    by_tables = {a.dialogue for a in actions if isinstance(a, Open)}
    by_tables |= {a.dialogue for a in actions if isinstance(a, OfLast) and a.what != "strike"}
    return by_tables | {WELCOME, HOME, GO_ON, STILL_TO_COME, CHECK_IN_AGAIN}


def asked() -> set[str]:
    """The memories that a table asks for again."""
    return {a.memory for row in DEPARTURES for a in row.do if isinstance(a, Ask)}


def conditions() -> set[str]:
    """The conditions that the tables name."""
    names = {row.only_if for row in DEPARTURES} | {row.only_if for row in INTERRUPTS}
    return {name for name in names if name}
