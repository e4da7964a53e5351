"""What the rows of the tables are made of: what is heard, in which phases, and what is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PHASES = ("welcome", "assessment", "treatment", "termination", "aftercare", "not_now")
"""All phases; the page of prose in `programme.py` says what they are."""


class SimpleAction(StrEnum):
    """Things the programme does that need no further word."""

    NEXT = "go on with what is due, or tell what comes and when"
    START = "the same, also with a part that was put off"
    BEGIN = "keep that consent was given, and count day 1 from that day on the client's own calendar"
    ERASE = "erase the client, with a receipt"
    FORGET = "erase the client, without a further word"
    EXPORT = "send the export"
    REMOVE_PERSON = "take the person off the map, with all that was kept about them"
    PERSON_DIED = "keep that the person has died"
    RENAME_PERSON = "give the person the name just told"
    UNPAUSE = "write first again"
    WRITE_AGAIN = "write first again, but not during a pause"
    SNOOZE = "ask again in an hour"
    NOT_TODAY = "do not ask again today"
    SETTLE_ZONE = "keep the most populous place whose clock is theirs, where only an offset is kept"
    REST = "do not write first until they say so"
    NOT_SO_MEANT = "keep for a day that the words that opened the talk were no sign of danger"
    LOOK_BACK = "tell of what stands out in the check-ins, if something does and no danger was told of lately"
    GO_ON = "ask again what lay below"
    PUT_ASIDE = "close what lay below, keeping what was answered"
    CLEAR = "put aside everything that is open"
    POSTPONE = "count it as not done; it is offered again, as `agenda.rests` says"


@dataclass(frozen=True, slots=True)
class Open:
    """Open a dialogue; about the same person as the one that ended, if `same_person`. `because`: see `Run`."""

    dialogue: str
    same_person: bool = False
    because: str = ""


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


@dataclass(frozen=True, slots=True)
class Forget:
    """Take out what is kept under one memory, also where it was just answered."""

    memory: str


Action = SimpleAction | Open | Ask | Pause | OfLast | Forget


@dataclass(frozen=True, slots=True)
class Departure:
    """One row: the outcome heard, the phases it is heard in, the condition, the phase it leads to, what is done."""

    dialogue: str
    outcome: str
    phases: tuple[str, ...] = PHASES
    only_if: str | None = None
    to: str | None = None
    do: tuple[Action, ...] = ()

    @property
    def event_name(self) -> str:
        return f"{self.dialogue}:{self.outcome}"


@dataclass(frozen=True, slots=True)
class Interrupt:
    """One row: the memory kept, the condition, what is done at once."""

    memory: str
    only_if: str | None
    do: Action
