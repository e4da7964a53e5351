"""The shape of the book: dialogues, steps, bubbles, ways on, and the order they come in.

`dialogues/` fills these shapes from Markdown; the engine reads them.
They are plain values: nothing here moves, reads a file or knows a word of English.
What is looked up in every turn is worked out once, when it is first asked for, and kept with the value: a book lives
as long as its process, and no turn pays for its size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from state_machine.model.answer_kinds import PICKED_SEVERAL, AnswerKind
from state_machine.model.text import normalise


@dataclass(frozen=True, slots=True)
class Label:
    """A suggested answer, in the client's own voice. 1 to 64 characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing heard for `after`, counted from when the step was asked; or until `morning`, their next one."""

    after: timedelta
    morning: bool = False


@dataclass(frozen=True, slots=True)
class When:
    """A silent way: taken before anything is said if the condition is true; `None` is *otherwise*."""

    condition: str | None


Takes = Label | Numbers | AnswerKind | Silence | When


@dataclass(frozen=True, slots=True)
class Way:
    """One way on: what it takes, where it leads, and the memory the answer is kept under.

    `code` stands for the answer in scores and rules, so that they do not depend on the language.
    For a new name, `code` is the fact that is offered as a suggestion instead.
    """

    takes: Takes
    target: str
    memory: str | None = None
    code: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message as a Jinja template; several wordings are taken in turn."""

    wordings: tuple[str, ...]
    line: int = 0


@dataclass(frozen=True)
class Step:
    """A moment where we speak and then wait. Without ways on it is an ending, and its name the outcome."""

    name: str
    bubbles: tuple[Bubble, ...]
    ways: tuple[Way, ...]
    line: int = 0

    @property
    def is_ending(self) -> bool:
        return not self.ways

    @cached_property
    def labels(self) -> Mapping[str, int]:
        """The number of the way that takes a label, by its plain words."""
        ways = reversed([*enumerate(self.ways)])
        return {normalise(way.takes.text): index for index, way in ways if isinstance(way.takes, Label)}

    @cached_property
    def labels_as_typed(self) -> Mapping[str, int]:
        """The number of the way that takes a label, by its plain words without commas."""
        ways = reversed([*enumerate(self.ways)])
        return {normalise(w.takes.text).replace(",", ""): index for index, w in ways if isinstance(w.takes, Label)}

    @cached_property
    def is_silent(self) -> bool:
        """Whether the step is left before anything is said."""
        return any(isinstance(way.takes, When) for way in self.ways)

    @cached_property
    def picks_several(self) -> bool:
        """Whether several may be picked, one tap each."""
        return any(way.takes in PICKED_SEVERAL for way in self.ways)

    @cached_property
    def takes_a_number(self) -> bool:
        """Whether an answer may be a number of a range."""
        return any(isinstance(way.takes, Numbers) for way in self.ways)

    @cached_property
    def silence(self) -> Way | None:
        """The way that is taken when nothing is heard."""
        return next((way for way in self.ways if isinstance(way.takes, Silence)), None)

    def way_for(self, kind: AnswerKind) -> Way | None:
        """The way that takes an answer of `kind`, if the step has one."""
        return next((way for way in self.ways if way.takes is kind), None)


@dataclass(frozen=True)
class Dialogue:
    """One conversation file. `name` is its path below the language folder, without `.md`."""

    name: str
    title: str
    note: str
    steps: Mapping[str, Step]
    outcomes: tuple[str, ...]
    needs: tuple[str, ...] = ()
    about_person: bool = False
    opened_by: str | None = None
    menu: str | None = None
    plain_words: tuple[str, ...] = ()
    minutes: int | None = None
    inline: bool = False
    safety: bool = False
    taken_out: bool = False
    aimed: bool = False
    quiet: tuple[str, ...] = ()
    reviewed: str = "not yet"
    file: str = ""

    @cached_property
    def first(self) -> str:
        """The name of the step the dialogue begins with."""
        return next(iter(self.steps))

    @cached_property
    def memories(self) -> frozenset[str]:
        """Every memory that some way of this dialogue keeps."""
        return frozenset(way.memory for step in self.steps.values() for way in step.ways if way.memory)


@dataclass(frozen=True, slots=True)
class Part:
    """One line of `CONTENTS.md`: a dialogue of a phase, from a day of the programme on.

    `day` counts from 1, the day of consent. A part without a `dialogue` is planned and not yet written.
    """

    phase: str
    day: int
    title: str
    dialogue: str | None = None
    when: str | None = None
    planned: str | None = None
    line: int = 0

    @property
    def name(self) -> str:
        """The name under which it is kept that the part was done, put off or offered."""
        return self.dialogue or f"planned:{self.planned or self.title}"


@dataclass(frozen=True, slots=True)
class PlacedPart:
    """A part with its `name`, and how many `times` that must have been done for the part at this place to be done."""

    part: Part
    name: str
    times: int


@dataclass(frozen=True, slots=True)
class Feeling:
    """One feeling of the named list, with a plain definition."""

    code: str
    word: str
    definition: str


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Countries, cities and time zones, for reading the answers *A country* and *A place*.

    `countries` maps lower-case names and codes to ISO 3166 codes; `names` codes to names;
    `zones` codes to their IANA zones, the most populous first; `cities` lower-case city names to zones.
    `world` has one zone for each clock there is, the most populous first; `city_names` what their cities are called.
    """

    countries: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    zones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cities: Mapping[str, str] = field(default_factory=dict)
    world: tuple[str, ...] = ()
    city_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Script:
    """All that the engine must know of the book. The words of `refrains` are counted, not kept, here."""

    dialogues: Mapping[str, Dialogue]
    contents: tuple[Part, ...] = ()
    refrains: Mapping[str, int] = field(default_factory=dict)
    feelings: tuple[Feeling, ...] = ()
    numbers: tuple[str, ...] = ()
    """The words for 0, 1, 2 …, so that a number may be typed as a word."""
    skip: str = "Skip"
    """What the client says, or taps, to skip."""
    finished: str = "Done"
    """What the client says, or taps, when several have been picked."""
    back: tuple[str, ...] = ("back", "go back")
    """Words that, said alone, go back one step."""
    greetings: tuple[str, ...] = ()
    """Words that only open a door: never kept as a note, never taken for an answer or a name."""
    greeted: tuple[str, ...] = ()
    """Words that may follow a greeting without making it more than one."""
    small_talk: Mapping[str, str] = field(
        default_factory=lambda: {
            **dict.fromkeys(("thanks", "thank you", "thx", "ty", "cheers", "thanks a lot"), "to_thanks"),
            **dict.fromkeys(("bye", "goodbye", "good night", "goodnight", "see you", "cya"), "to_goodbye"),
            **dict.fromkeys(
                (
                    "you're useless",
                    "useless",
                    "this is stupid",
                    "stupid bot",
                    "you're stupid",
                    "this is useless",
                    "fuck you",
                    "fuck off",
                    "shut up",
                    "i hate this",
                    "this sucks",
                    "you suck",
                ),
                "to_anger",
            ),
        }
    )
    """Words said alone that are no answer, and the refrain that answers them."""
    later: tuple[str, ...] = ("later", "not now", "stop")
    """Words that, said alone, put aside what is open."""
    not_known: tuple[str, ...] = ("don't know",)
    """Words that, said alone, are nobody's name and no feeling."""
    clock_words: Mapping[str, str] = field(default_factory=dict)
    """Words for the time of day: minutes, `half`, `past`, `to`, `am`, `pm`, `night`, `=12:00`, or nothing."""
    gazetteer: Gazetteer = field(default_factory=Gazetteer)

    @cached_property
    def commands(self) -> Mapping[str, str]:
        """Command without its slash to the dialogue it opens."""
        return {d.opened_by: d.name for d in self.dialogues.values() if d.opened_by}

    @cached_property
    def plain_words(self) -> Mapping[str, str]:
        """Words that, said alone, open a dialogue from anywhere."""
        return {words: d.name for d in self.dialogues.values() for words in d.plain_words}

    @cached_property
    def steering(self) -> frozenset[str]:
        """All words that, said alone, mean the same at every step."""
        return frozenset({*self.back, *self.later, *self.plain_words})

    @cached_property
    def safety(self) -> frozenset[str]:
        """The dialogues that are safe ground, or speak of danger."""
        return frozenset(name for name, dialogue in self.dialogues.items() if dialogue.safety)

    @cached_property
    def parts_of(self) -> Mapping[str, tuple[PlacedPart, ...]]:
        """The parts of each phase in their order."""
        found: dict[str, list[PlacedPart]] = {}
        times: dict[str, int] = {}
        for part in self.contents:
            times[part.name] = times.get(part.name, 0) + 1
            found.setdefault(part.phase, []).append(PlacedPart(part, part.name, times[part.name]))
        return {phase: tuple(parts) for phase, parts in found.items()}

    @cached_property
    def placed(self) -> frozenset[str]:
        """The dialogues that are parts of the programme."""
        return frozenset(part.dialogue for part in self.contents if part.dialogue is not None)
