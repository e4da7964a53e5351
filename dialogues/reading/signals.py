"""Reads `signals/<language>/*.md`: the phrases of danger, as data for the screen.

`words.md` has the word groups, `spellings.md` the spellings; every other file has signals. Under each heading: the
reason, a line such as “Tier 1, self.”, the patterns in code font, and the sentences that must and must not match.
The notation is described in signals/README.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from dialogues.reading.faults import Fault, Findings
from dialogues.reading.header import NAME
from dialogues.reading.markdown import Node, describe, inline_of, parse_page, source_of, words_of
from dialogues.reading.rules import Rule
from state_machine.safety import DangerKind, Screen, Signal, Signals, Tier
from state_machine.safety.signals import REQUIRED_GROUPS

WORDS, SPELLINGS, NOTE = "words.md", "spellings.md", "README.md"
MUST, MUST_NOT = "Must match:", "Must not match:"
_FOLDER = Path(__file__).parent.parent / "signals"
_TIERS = {"Tier 1": Tier.EXPLICIT, "Tier 2": Tier.ASK, "Tier 3": Tier.SOMEONE_ELSE, "No tier": Tier.NONE}
_KINDS = {
    "self": DangerKind.SELF,
    "others": DangerKind.OTHERS,
    "violence": DangerKind.VIOLENCE,
    "medical": DangerKind.MEDICAL,
    "someone else": DangerKind.SOMEONE_ELSE,
    "after a suicide": DangerKind.AFTER_SUICIDE,
    "fresh loss": DangerKind.FRESH_LOSS,
    "idiom": DangerKind.NONE,
}
_TIER_LINES = {f"{tier}, {kind}.": (_TIERS[tier], _KINDS[kind]) for tier in _TIERS for kind in _KINDS}
_HINT = "No tier, hint."


@dataclass(frozen=True, slots=True)
class SignalLine:
    """A pattern or an example, and its line number."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class SignalSection:
    """One signal with the source lines of its patterns and examples."""

    signal: Signal
    file: str
    line: int
    patterns: tuple[SignalLine, ...]
    must: tuple[SignalLine, ...]
    must_not: tuple[SignalLine, ...]


@dataclass(frozen=True, slots=True)
class SignalGroup:
    """One word group with its source lines."""

    name: str
    file: str
    line: int
    patterns: tuple[SignalLine, ...]


@dataclass(frozen=True, slots=True)
class SignalBook:
    """One language's signals: the data for the screen, and the source lines for the checks."""

    signals: Signals
    sections: tuple[SignalSection, ...] = ()
    groups: tuple[SignalGroup, ...] = ()
    faults: tuple[Fault, ...] = ()


def screen(*, at_once: bool = True) -> Screen:
    """The screen for every language that has signals, prepared `at_once` or when it is first needed.

    Raises `NotationError` if it is prepared and a pattern can't be read.
    """
    made = _screen()
    if at_once:
        made.prepare()
    return made


@cache
@cache
def _screen() -> Screen:
    return Screen(lambda: [book.signals for book in books()])


@cache
def books() -> tuple[SignalBook, ...]:
    """The signals of every language."""
    return tuple(read(folder) for folder in languages())


def languages() -> list[Path]:
    """The folder of each language that has signals."""
    return sorted(folder for folder in _FOLDER.iterdir() if (folder / WORDS).is_file())


def read(folder: Path | None = None) -> SignalBook:
    """Read the signals of one language (by default the shipped English ones). Never raises; see `faults`."""
    folder = folder or _FOLDER / "en"
    faults: list[Fault] = []
    groups: list[SignalGroup] = []
    sections: list[SignalSection] = []
    spellings = _Spellings()
    for path in sorted(folder.glob("*.md")):
        if path.name == NOTE:
            continue
        findings = Findings(f"signals/{folder.name}/{path.name}")
        text = _text(path, findings)
        if path.name == WORDS:
            groups.extend(_groups(text, findings))
        elif path.name == SPELLINGS:
            spellings.read(text, findings)
        else:
            sections.extend(_signals(text, path.stem, findings))
        faults.extend(replace(fault, fatal=True) for fault in findings.faults)
    signals = Signals(
        language=folder.name,
        signals=tuple(section.signal for section in sections),
        groups={group.name: tuple(line.text for line in group.patterns) for group in groups},
        spellings=spellings.words,
        forgiving=tuple(spellings.forgiving),
        lookalikes=tuple(spellings.lookalikes),
        fillers=frozenset(spellings.fillers),
    )
    return SignalBook(signals, tuple(sections), tuple(groups), tuple(faults))


def _text(path: Path, findings: Findings) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        findings.add(Rule.PHRASES, 0, "This file can't be read as UTF-8 text; save it as UTF-8.")
        return ""


@dataclass(slots=True)
class _SignalBlock:
    """A heading, and the paragraphs and list entries under it with their lines."""

    name: str
    line: int
    parts: list[tuple[str, list[SignalLine]]] = field(default_factory=list)


def _blocks(text: str, findings: Findings) -> Iterator[_SignalBlock]:
    """Yield the sections of a file. A part is ("", paragraph), ("code", entries) or ("plain", entries)."""
    current: _SignalBlock | None = None
    for block in parse_page(text, findings).blocks:
        if block.type == "heading" and block.tag == "h2":
            if current:
                yield current
            current = _SignalBlock(words_of(inline_of(block)) or "", block.line)
        elif current is None:
            continue
        elif block.type == "paragraph":
            current.parts.append(("", [SignalLine(" ".join(source_of(block).split()), block.line)]))
        elif block.type == "bullet_list":
            current.parts.append(_entries(block, findings))
        else:
            findings.add(Rule.PHRASES, block.line, f"{describe(block).capitalize()} is not allowed here; use “-”.")
    if current:
        yield current


def _entries(block: Node, findings: Findings) -> tuple[str, list[SignalLine]]:
    entries: list[SignalLine] = []
    codes = 0
    for item in block.children:
        pieces = inline_of(item.children[0]) if item.children else ()
        if len(pieces) == 1 and pieces[0].type == "code_inline":
            codes += 1
            entries.append(SignalLine(pieces[0].content, item.line))
        elif item.children and (source := source_of(item.children[0])):
            entries.append(SignalLine(" ".join(source.split()), item.line))
    if codes not in (0, len(entries)):
        findings.add(
            Rule.PHRASES, block.line, "A list has either patterns in code font or sentences; split it into two lists."
        )
    return ("code" if codes else "plain"), entries


def _groups(text: str, findings: Findings) -> Iterator[SignalGroup]:
    for block in _blocks(text, findings):
        patterns = [
            SignalLine(alternative, entry.line)
            for kind, entries in block.parts
            if kind == "code"
            for entry in entries
            for alternative in _alternatives(entry.text)
        ]
        if not patterns:
            findings.add(Rule.PHRASES, block.line, f"The group “{block.name}” is empty; write `words` under it.")
        yield SignalGroup(block.name, findings.file, block.line, tuple(patterns))


def _alternatives(text: str) -> list[str]:
    """Split at each `|` that is outside of brackets."""
    found, depth = [""], 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "|" and depth == 0:
            found.append("")
        else:
            found[-1] += sign
    return [each.strip() for each in found]


def _signals(text: str, stem: str, findings: Findings) -> Iterator[SignalSection]:
    for block in _blocks(text, findings):
        tier_and_kind: tuple[Tier, DangerKind] | None = None
        hint = False
        patterns: list[SignalLine] = []
        examples: dict[str, list[SignalLine]] = {MUST: [], MUST_NOT: []}
        reasons, example_kind = 0, ""
        for kind, lines in block.parts:
            first_line = lines[0].text
            if kind == "code":
                patterns.extend(lines)
            elif kind == "plain" and example_kind:
                examples[example_kind].extend(lines)
            elif first_line in _TIER_LINES or first_line == _HINT:
                tier_and_kind, hint = _TIER_LINES.get(first_line, (Tier.NONE, DangerKind.NONE)), first_line == _HINT
            elif first_line in examples:
                example_kind = first_line
            elif kind == "":
                reasons += 1
        if not NAME.fullmatch(block.name):
            findings.add(Rule.PHRASES, block.line, f"“{block.name}” can't name a signal; use small letters and “_”.")
        if tier_and_kind is None:
            findings.add(Rule.PHRASES, block.line, f"Under “{block.name}” a line like “Tier 1, self.” is missing.")
        if not reasons:
            findings.add(Rule.PHRASES, block.line, f"Under “{block.name}” the reason is missing; say why it is here.")
        if not patterns:
            findings.add(
                Rule.PHRASES, block.line, f"Under “{block.name}” there is no pattern; write one in code font."
            )
        for what, sentences in examples.items():
            if not sentences:
                findings.add(
                    Rule.PHRASES, block.line, f"Under “{block.name}” there is no sentence after “{what}”; write one."
                )
        tier, danger_kind = tier_and_kind or (Tier.NONE, DangerKind.NONE)
        name = f"{stem}/{block.name}"
        signal = Signal(name, tier, danger_kind, tuple(line.text for line in patterns), hint)
        yield SignalSection(
            signal,
            findings.file,
            block.line,
            tuple(patterns),
            tuple(examples[MUST]),
            tuple(examples[MUST_NOT]),
        )


class _Spellings:
    """The content of `spellings.md`; see `Signals` for the fields."""

    def __init__(self) -> None:
        self.words: dict[str, tuple[str, ...]] = {}
        self.forgiving: list[str] = []
        self.lookalikes: list[str] = []
        self.fillers: list[str] = []

    def read(self, text: str, findings: Findings) -> None:
        lists: Mapping[str, list[str]] = {
            "also misspelt": self.forgiving,
            "only look alike": self.lookalikes,
            "left out": self.fillers,
        }
        for block in _blocks(text, findings):
            for _, entries in (part for part in block.parts if part[0]):
                for entry in entries:
                    if block.name in lists:
                        lists[block.name].extend(entry.text.replace(",", " ").split())
                        continue
                    typed, colon, meaning = entry.text.partition(":")
                    if not colon or not meaning.strip():
                        findings.add(Rule.PHRASES, entry.line, "A spelling is written “wanna, wana: want to”.")
                    for form in typed.split(","):
                        self.words[form.strip()] = tuple(meaning.split())


def missing_groups(groups: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The names of the required word groups that are missing."""
    return sorted(REQUIRED_GROUPS - set(groups))
