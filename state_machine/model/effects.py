"""All that the engine can ask of the world. Each is carried out after the turn is decided.

What becomes words (`Say`, `Remark`, `Toast`, `ShowChoice`, `Redraw`) is rendered by `dialogues.rendering.prompts`;
`SaveEntry`, `DeleteEntries` and `Erase` are for storage; `Export` is for the courier, which makes the file when it
sends it.
"""

from __future__ import annotations

from dataclasses import dataclass

from state_machine.model.progress import Entry, Progress, Run


@dataclass(frozen=True, slots=True)
class Say:
    """Say a step of an open dialogue, and offer its ways on unless it is an ending.

    `progress` is what was known at that moment; `wordings` gives, bubble by bubble, which wording is due.
    """

    run: Run
    progress: Progress
    wordings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """Say one refrain by name. With `again`, the ways on of that run's present step are offered again."""

    refrain: str
    progress: Progress
    wording: int = 0
    again: Run | None = None


@dataclass(frozen=True, slots=True)
class Toast:
    """A few words over the chat, in answer to a tap that moves nothing."""

    refrain: str


@dataclass(frozen=True, slots=True)
class ShowChoice:
    """The tapped message shows the choice made, and its buttons go."""

    choice: str


@dataclass(frozen=True, slots=True)
class DeleteQuestion:
    """All that was said in the chat in this run so far, by us and by the client, is deleted from it."""

    run: int


@dataclass(frozen=True, slots=True)
class IncrementCounter:
    """Add one to a count of the month that names nobody."""

    name: str


@dataclass(frozen=True, slots=True)
class Redraw:
    """The tapped message shows what is picked so far."""

    run: Run
    progress: Progress


@dataclass(frozen=True, slots=True)
class SaveEntry:
    """Keep an entry. One with the same run takes the place of the earlier one."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class DeleteEntries:
    """Delete the entry of one run; or every entry about one person, and from others what only names them.

    `names` are what the person is or was called; `picked` the memories that hold people picked from the map.
    """

    run: int | None = None
    person: int | None = None
    names: tuple[str, ...] = ()
    picked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Export:
    """Send the client a file of all that is kept about them."""


@dataclass(frozen=True, slots=True)
class Erase:
    """Erase the client: every row, and the key. `receipt` is the refrain that says so."""

    receipt: str | None = "erased"


Effect = (
    Say
    | Remark
    | Toast
    | ShowChoice
    | DeleteQuestion
    | Redraw
    | IncrementCounter
    | SaveEntry
    | DeleteEntries
    | Export
    | Erase
)
