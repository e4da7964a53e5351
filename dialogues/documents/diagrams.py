"""Diagrams in Mermaid: one dialogue, and the phases of the programme; and the documents that show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from dialogues.book import read
from dialogues.checks.tables import Tables, of_the_programme
from state_machine.model.script import Dialogue, Label, Numbers, Script, Silence, Way, When

_LONGEST_LABEL = 28
_MOST_LABELS = 3
_PHASES = "phases"
_BLOCK = re.compile(r"(<!-- drawn: ([a-z0-9_/]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_RESERVED = frozenset(
    {"state", "end", "note", "direction", "default", "class", "style", "as", "fork", "join", "choice"}
)


def dialogue(one: Dialogue) -> str:
    """One dialogue as a Mermaid state diagram: steps as states, ways on as arrows with what is answered."""
    lines = ["stateDiagram-v2", *_names(one.steps), f"    [*] --> {_id(one.first)}"]
    for step in one.steps.values():
        labels: dict[str, list[str]] = {}
        for way in step.ways:
            labels.setdefault(way.target, []).append(way_words(way))
        lines += [_arrow(step.name, target, several) for target, several in labels.items()]
        if step.is_ending:
            lines.append(f"    {_id(step.name)} --> [*]")
    return "\n".join(lines) + "\n"


def phases(tables: Tables | None = None) -> str:
    """The phases as a Mermaid state diagram; an arrow says which outcome of which dialogue moves on.

    `tables` are those of the programme if none are given.
    """
    tables = tables or of_the_programme()
    labels: dict[tuple[str, str], list[str]] = {}
    for row in tables.departures:
        for phase in row.phases:
            if row.to is not None and row.to != phase:
                heard = f"{row.dialogue.rsplit('/', 1)[-1]}, {row.outcome}".replace("_", " ")
                several = labels.setdefault((phase, row.to), [])
                if heard not in several:
                    several.append(heard)
    lines = ["stateDiagram-v2", *_names(tables.phases), f"    [*] --> {_id(tables.phases[0])}"]
    lines += [_arrow(begin, end, several) for (begin, end), several in labels.items()]
    return "\n".join(lines) + "\n"


def write_blocks(paths: Iterable[Path], script: Script | None = None) -> list[Path]:
    """Draw anew what stands between `<!-- drawn: … -->` and `<!-- end -->`; answer with the files changed.

    The dialogues are those of the shipped book if no `script` is given.
    Raises `LookupError` if a block names neither `phases` nor a dialogue.
    """
    script = script or read().script
    changed: list[Path] = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        drawn = _redrawn(text, script)
        if drawn != text:
            path.write_text(drawn, encoding="utf-8")
            changed.append(path)
    return changed


def stale_blocks(paths: Iterable[Path], script: Script | None = None) -> list[Path]:
    """The files whose diagrams are not what would be drawn now. Raises as `write_blocks` does."""
    script = script or read().script
    return [path for path in paths if (text := path.read_text(encoding="utf-8")) != _redrawn(text, script)]


def _redrawn(text: str, script: Script) -> str:
    def block(match: re.Match[str]) -> str:
        return f"{match[1]}\n```mermaid\n{_drawing(match[2], script)}```\n\n{match[4]}"

    return _BLOCK.sub(block, text)


def _drawing(what: str, script: Script) -> str:
    if what == _PHASES:
        return phases()
    if what not in script.dialogues:
        raise LookupError(f"There is no dialogue “{what}” to draw; the name is its file without “.md”.")
    return dialogue(script.dialogues[what])


def _names(those: Iterable[str]) -> list[str]:
    return [f'    state "{name.replace("_", " ")}" as {_id(name)}' for name in those]


def _id(name: str) -> str:
    return f"{name}_" if name in _RESERVED else name


def _arrow(begin: str, end: str, labels: Sequence[str]) -> str:
    shown = [_short(label) for label in labels[:_MOST_LABELS]]
    more = [f"and {len(labels) - _MOST_LABELS} more"] if len(labels) > _MOST_LABELS else []
    return f"    {_id(begin)} --> {_id(end)}: {' / '.join([*shown, *more])}"


def _short(label: str) -> str:
    # These signs end a label or begin a comment in Mermaid.
    plain = " ".join(re.sub(r"[:;#%{}<>\[\]\"]", " ", label).split())
    return plain if len(plain) <= _LONGEST_LABEL else plain[:_LONGEST_LABEL].rsplit(" ", 1)[0] + " …"


def way_words(way: Way) -> str:
    """What a way on takes, in a few words: the label, the numbers, or the kind of answer in brackets."""
    match way.takes:
        case Label(text):
            return text
        case Numbers(low, high):
            return str(low) if low == high else f"{low} to {high}"
        case Silence(after):
            return f"silence for {_span(after)}"
        case When(None):
            return "otherwise"
        case When(condition):
            return f"if {condition}".replace("_", " ")
        case kind:
            return f"({kind})"


def _span(after: timedelta) -> str:
    """A time as authors write it: the largest unit that it is a whole number of."""
    for unit, length in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        count, rest = divmod(after, length)
        if count and not rest:
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return str(after)
