"""Checks of the dialogues, the contents and the tables of the programme against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from dialogues.checks.tables import Tables
from dialogues.reading.faults import Fault, Severity
from dialogues.reading.rules import Rule
from state_machine.conditions import CONDITIONS
from state_machine.model.script import Dialogue, Part, When

TABLES_FILE = "state_machine/programme/tables.py"
CONDITIONS_FILE = "state_machine/conditions"
CONTENTS_FILE = "CONTENTS.md"


def conditions_of_contents_exist(contents: Sequence[Part]) -> Iterator[Fault]:
    """Every condition in the contents is defined in `state_machine/conditions`."""
    for part in contents:
        if part.when not in {None, *CONDITIONS}:
            yield Fault(
                CONTENTS_FILE,
                part.line,
                f"There is no condition “{part.when}”; use one of those in state_machine/conditions.",
                Rule.CONDITION_EXISTS,
                fatal=True,
            )


def conditions_of_tables_exist(tables: Tables) -> Iterator[Fault]:
    """Every condition in the tables is defined in `state_machine/conditions`."""
    for name in sorted(set(tables.conditions) - CONDITIONS.keys()):
        yield Fault(
            TABLES_FILE,
            0,
            f"A row asks for “{name}”, which is not in state_machine/conditions.",
            Rule.CONDITION_EXISTS,
        )


def conditions_are_used(
    dialogues: Collection[Dialogue],
    contents: Sequence[Part],
    tables: Tables,
    conditions: Collection[str] = CONDITIONS.keys(),
) -> Iterator[Fault]:
    """Every condition is used."""
    used = {part.when for part in contents} | set(tables.conditions)
    for dialogue in dialogues:
        for step in dialogue.steps.values():
            used |= {way.takes.condition for way in step.ways if isinstance(way.takes, When)}
    for name in sorted(set(conditions) - used):
        yield Fault(
            CONDITIONS_FILE,
            0,
            f"No dialogue, table or contents asks for “{name}”; use it, or take it out.",
            Rule.CONDITION_USED,
        )


def outcomes_are_heard(dialogues: Collection[Dialogue], tables: Tables) -> Iterator[Fault]:
    """Every outcome has a row in the tables or is declared quiet, not both."""
    heard = {(row.dialogue, row.outcome) for row in tables.departures}
    for dialogue in dialogues:
        for outcome in dialogue.outcomes:
            is_heard = (dialogue.name, outcome) in heard
            if not is_heard and outcome not in dialogue.quiet:
                yield Fault(
                    dialogue.file,
                    1,
                    f"No row of the tables hears the outcome “{outcome}”; add one, or add it to “quiet”.",
                    Rule.HEARD,
                )
            elif is_heard and outcome in dialogue.quiet:
                yield Fault(
                    dialogue.file,
                    1,
                    f"“{outcome}” is declared quiet, but a row of the tables hears it; take it out of “quiet”.",
                    Rule.HEARD,
                    Severity.WARNING,
                )


def tables_fit_the_book(
    dialogues: Mapping[str, Dialogue], contents: Sequence[Part], tables: Tables
) -> Iterator[Fault]:
    """The dialogues, outcomes, memories and phases named by the tables and the contents exist."""
    known = dialogues.keys() | {part.planned for part in contents}
    for row in tables.departures:
        dialogue = dialogues.get(row.dialogue)
        if dialogue is None and row.dialogue not in known:
            yield _of_tables(f"A row hears “{row.dialogue}”, which is no dialogue; mend its name.")
        elif dialogue is not None and row.outcome not in dialogue.outcomes:
            yield _of_tables(f"“{row.dialogue}” has no outcome “{row.outcome}”; mend the row that hears it.")
        for phase in sorted({*row.phases, row.to or tables.phases[0]} - set(tables.phases)):
            yield _of_tables(f"A row of “{row.dialogue}” names the phase “{phase}”, which does not exist.")
    for name in sorted(set(tables.opened) - known):
        yield _of_tables(f"A row opens “{name}”, which is no dialogue; write it, or mend the row.")
    memories = {memory for dialogue in dialogues.values() for memory in dialogue.memories}
    for name in sorted(({row.memory for row in tables.interrupts} | set(tables.asked)) - memories):
        yield _of_tables(f"A row is about the memory “{name}”, which no dialogue keeps; mend its name.")
    for part in contents:
        if tables.phases and part.phase and part.phase not in tables.phases:
            yield Fault(
                CONTENTS_FILE,
                part.line,
                f"There is no phase “{part.phase}”; the phases are {', '.join(tables.phases)}.",
                Rule.TABLES,
            )


def _of_tables(sentence: str) -> Fault:
    return Fault(TABLES_FILE, 0, sentence, Rule.TABLES)


def every_file_has_a_place(
    dialogues: Collection[Dialogue], contents: Sequence[Part], tables: Tables, unreadable: Collection[str] = ()
) -> Iterator[Fault]:
    """Every dialogue is opened by the contents, a table, a command or plain words; the contents name it once.

    `unreadable`: existing files with faults of their own.
    """
    files = {dialogue.name: dialogue for dialogue in dialogues}
    times = Counter(part.dialogue or part.planned for part in contents)
    for part in contents:
        name = part.dialogue or part.planned or ""
        if part.dialogue and name not in files and f"{name}.md" not in unreadable:
            yield Fault(
                CONTENTS_FILE,
                part.line,
                f"“{name}.md” does not exist; write it, or make it a planned part in code font.",
                Rule.PLACED,
            )
        if part.planned and name in files:
            yield Fault(CONTENTS_FILE, part.line, f"“{name}” is written by now; make the line a link.", Rule.PLACED)
        if times[name] > 1:
            times[name] = 1
            yield Fault(
                CONTENTS_FILE,
                part.line,
                f"“{name}” stands more than once in the contents; keep one.",
                Rule.PLACED,
            )
    for name, dialogue in files.items():
        if not times[name] and name not in tables.opened and not dialogue.opened_by and not dialogue.plain_words:
            yield Fault(
                dialogue.file,
                0,
                "Nothing opens this dialogue; add it to CONTENTS.md, to a table, or give it a command.",
                Rule.PLACED,
            )


def commands_are_unique(dialogues: Collection[Dialogue]) -> Iterator[Fault]:
    """No two dialogues have the same command, or the same plain words."""
    seen: dict[str, str] = {}
    for dialogue in dialogues:
        command = [f"/{dialogue.opened_by}"] if dialogue.opened_by else []
        for words in (*command, *dialogue.plain_words):
            if words in seen:
                yield Fault(
                    dialogue.file,
                    1,
                    f"“{words}” already opens {seen[words]}; choose another command or other words.",
                    Rule.COMMANDS,
                )
            seen.setdefault(words, dialogue.name)


def needs_are_kept_before(dialogues: Mapping[str, Dialogue], contents: Sequence[Part]) -> Iterator[Fault]:
    """What a dialogue needs is stored by an earlier one in the contents, or by one that is not in the contents."""
    order = [part.dialogue for part in contents if part.dialogue in dialogues]
    placed = set(order)
    anytime = {m for name, dialogue in dialogues.items() if name not in placed for m in dialogue.memories}
    for dialogue in dialogues.values():
        before = order[: order.index(dialogue.name)] if dialogue.name in placed else order
        kept = anytime.union(*(dialogues[name].memories for name in before if name))
        for need in dialogue.needs:
            if need not in kept:
                yield Fault(
                    dialogue.file,
                    1,
                    f"It needs “{need}”, which nothing before it in the contents keeps; "
                    "move it down, or keep that memory earlier.",
                    Rule.NEEDS,
                )
