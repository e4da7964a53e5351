"""Mermaid diagrams of a dialogue and of the phases, and the updating of documents that contain them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from dialogues.book import read
from dialogues.checks.tables import Tables, of_the_programme
from state_machine.model.script import Dialogue, Label, Numbers, Script, Silence, Way, When

_MAX_LABEL_LENGTH = 28
_MAX_LABELS = 3
_PHASES = "phases"
_BLOCK = re.compile(r"(<!-- drawn: ([a-z0-9_/]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_RESERVED = frozenset(
    {"state", "end", "note", "direction", "default", "class", "style", "as", "fork", "join", "choice"}
)


def dialogue(shown: Dialogue) -> str:
    """Return a dialogue as a Mermaid state diagram: steps are states, ways on are arrows labelled with the answer."""
    lines = ["stateDiagram-v2", *_declare_states(shown.steps), f"    [*] --> {_id(shown.first)}"]
    for step in shown.steps.values():
        labels: dict[str, list[str]] = {}
        for way in step.ways:
            labels.setdefault(way.target, []).append(way_words(way))
        lines += [_arrow(step.name, target, arrow_labels) for target, arrow_labels in labels.items()]
        if step.is_ending:
            lines.append(f"    {_id(step.name)} --> [*]")
    return "\n".join(lines) + "\n"


def phases(tables: Tables | None = None) -> str:
    """Return the phases as a Mermaid state diagram, with arrows labelled by dialogue and outcome.

    `tables`: by default those of the programme.
    """
    tables = tables or of_the_programme()
    labels: dict[tuple[str, str], list[str]] = {}
    for row in tables.departures:
        for phase in row.phases:
            if row.to is not None and row.to != phase:
                label = f"{row.dialogue.rsplit('/', 1)[-1]}, {row.outcome}".replace("_", " ")
                arrow_labels = labels.setdefault((phase, row.to), [])
                if label not in arrow_labels:
                    arrow_labels.append(label)
    lines = ["stateDiagram-v2", *_declare_states(tables.phases), f"    [*] --> {_id(tables.phases[0])}"]
    lines += [_arrow(source, target, arrow_labels) for (source, target), arrow_labels in labels.items()]
    return "\n".join(lines) + "\n"


def write_blocks(paths: Iterable[Path], script: Script | None = None) -> list[Path]:
    """Regenerate the diagrams between `<!-- drawn: … -->` and `<!-- end -->`. Return the files that changed.

    `script`: by default that of the shipped book.
    Raises `LookupError` if a block names neither `phases` nor a dialogue.
    """
    script = script or read().script
    changed: list[Path] = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        updated = _with_diagrams(text, script)
        if updated != text:
            path.write_text(updated, encoding="utf-8")
            changed.append(path)
    return changed


def stale_blocks(paths: Iterable[Path], script: Script | None = None) -> list[Path]:
    """Return the files with outdated diagrams. Raises `LookupError` as `write_blocks` does."""
    script = script or read().script
    return [path for path in paths if (text := path.read_text(encoding="utf-8")) != _with_diagrams(text, script)]


def _with_diagrams(text: str, script: Script) -> str:
    def block(match: re.Match[str]) -> str:
        return f"{match[1]}\n```mermaid\n{_diagram(match[2], script)}```\n\n{match[4]}"

    return _BLOCK.sub(block, text)


def _diagram(what: str, script: Script) -> str:
    if what == _PHASES:
        return phases()
    if what not in script.dialogues:
        raise LookupError(f"There is no dialogue “{what}” to draw; the name is its file without “.md”.")
    return dialogue(script.dialogues[what])


def _declare_states(names: Iterable[str]) -> list[str]:
    return [f'    state "{name.replace("_", " ")}" as {_id(name)}' for name in names]


def _id(name: str) -> str:
    return f"{name}_" if name in _RESERVED else name


def _arrow(source: str, target: str, labels: Sequence[str]) -> str:
    shown = [_short(label) for label in labels[:_MAX_LABELS]]
    more = [f"and {len(labels) - _MAX_LABELS} more"] if len(labels) > _MAX_LABELS else []
    return f"    {_id(source)} --> {_id(target)}: {' / '.join([*shown, *more])}"


def _short(label: str) -> str:
    # These signs end a label or begin a comment in Mermaid.
    plain = " ".join(re.sub(r"[:;#%{}<>\[\]\"]", " ", label).split())
    return plain if len(plain) <= _MAX_LABEL_LENGTH else plain[:_MAX_LABEL_LENGTH].rsplit(" ", 1)[0] + " …"


def way_words(way: Way) -> str:
    """Describe the answer that a way on takes: its label, its numbers, or the kind of answer in brackets."""
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
    """Format a duration in the largest unit of which it is a whole number, as authors write it."""
    for unit, length in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        count, rest = divmod(after, length)
        if count and not rest:
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return str(after)
