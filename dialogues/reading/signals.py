"""`signals/<language>/*.md`: the phrases of danger, read into plain data for the screen.

`words.md` has the word groups, `spellings.md` how words are typed; every other file has signals:
under each heading the reason, a line such as “Tier 1, self.”, the patterns in code font, and the sentences
that must and must not be found. README.md in that folder tells the notation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from dialogues.reading.faults import Fault, Findings
from dialogues.reading.header import NAME
from dialogues.reading.markdown import Node, inline_of, page, source_of, spoken, words_of
from dialogues.reading.rules import Rule
from state_machine.safety import DangerKind, Screen, Signal, Signals, Tier
from state_machine.safety.signals import CIRCUMSTANCES

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
_OPENINGS = {f"{tier}, {kind}.": (_TIERS[tier], _KINDS[kind]) for tier in _TIERS for kind in _KINDS}
_HINT = "No tier, hint."


@dataclass(frozen=True, slots=True)
class SignalLine:
    """A pattern or an example, with its place."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class SignalSection:
    """One signal as it is written."""

    signal: Signal
    file: str
    line: int
    patterns: tuple[SignalLine, ...]
    must: tuple[SignalLine, ...]
    must_not: tuple[SignalLine, ...]


@dataclass(frozen=True, slots=True)
class SignalGroup:
    """One word group as it is written."""

    name: str
    file: str
    line: int
    patterns: tuple[SignalLine, ...]


@dataclass(frozen=True, slots=True)
class SignalBook:
    """One language's signals: the plain data, and what the checks need beside it."""

    signals: Signals
    sections: tuple[SignalSection, ...] = ()
    groups: tuple[SignalGroup, ...] = ()
    faults: tuple[Fault, ...] = ()


@cache
def screen() -> Screen:
    """The screen over every language that has a folder here."""
    return Screen([book.signals for book in books()])


@cache
def books() -> tuple[SignalBook, ...]:
    """The signals of every language, read once."""
    return tuple(read(folder) for folder in languages())


def languages() -> list[Path]:
    """The folders of all languages that have signals."""
    return sorted(folder for folder in _FOLDER.iterdir() if (folder / WORDS).is_file())


def read(folder: Path | None = None) -> SignalBook:
    """Read the signals of one language (English as shipped if no folder is given). Never raises."""
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
        findings.add(Rule.PHRASES, 0, "This file can't be read as plain text in UTF-8; save it so in your editor.")
        return ""


@dataclass(slots=True)
class _Block:
    """A heading and what stands under it, each paragraph and each entry with its line."""

    name: str
    line: int
    parts: list[tuple[str, list[SignalLine]]] = field(default_factory=list)


def _blocks(text: str, findings: Findings) -> Iterator[_Block]:
    """The sections of a page. A part is ("", paragraph), ("code", entries) or ("plain", entries)."""
    current: _Block | None = None
    for block in page(text, findings).blocks:
        if block.type == "heading" and block.tag == "h2":
            if current:
                yield current
            current = _Block(words_of(inline_of(block)) or "", block.line)
        elif current is None:
            continue
        elif block.type == "paragraph":
            current.parts.append(("", [SignalLine(" ".join(source_of(block).split()), block.line)]))
        elif block.type == "bullet_list":
            current.parts.append(_entries(block, findings))
        else:
            findings.add(Rule.PHRASES, block.line, f"{spoken(block).capitalize()} means nothing here; use “-”.")
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
        findings.add(Rule.PHRASES, block.line, "A list holds patterns in code font, or sentences; never both.")
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
    """What stands between the strokes that are in no bracket."""
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
        opening: tuple[Tier, DangerKind] | None = None
        hint = False
        patterns: list[SignalLine] = []
        examples: dict[str, list[SignalLine]] = {MUST: [], MUST_NOT: []}
        reasons, under = 0, ""
        for kind, lines in block.parts:
            said = lines[0].text
            if kind == "code":
                patterns.extend(lines)
            elif kind == "plain" and under:
                examples[under].extend(lines)
            elif said in _OPENINGS or said == _HINT:
                opening, hint = _OPENINGS.get(said, (Tier.NONE, DangerKind.NONE)), said == _HINT
            elif said in examples:
                under = said
            elif kind == "":
                reasons += 1
        if not NAME.fullmatch(block.name):
            findings.add(Rule.PHRASES, block.line, f"“{block.name}” can't name a signal; use small letters and “_”.")
        if opening is None:
            findings.add(Rule.PHRASES, block.line, f"Under “{block.name}” a line like “Tier 1, self.” is missing.")
        if not reasons:
            findings.add(Rule.PHRASES, block.line, f"Under “{block.name}” the reason is missing; say why it is here.")
        if not patterns:
            findings.add(Rule.PHRASES, block.line, f"Under “{block.name}” stands no pattern; write one in code font.")
        for what, sentences in examples.items():
            if not sentences:
                findings.add(
                    Rule.PHRASES, block.line, f"Under “{block.name}” there is no sentence after “{what}”; write one."
                )
        tier, about = opening or (Tier.NONE, DangerKind.NONE)
        name = f"{stem}/{block.name}"
        signal = Signal(name, tier, about, tuple(line.text for line in patterns), hint)
        yield SignalSection(
            signal,
            findings.file,
            block.line,
            tuple(patterns),
            tuple(examples[MUST]),
            tuple(examples[MUST_NOT]),
        )


class _Spellings:
    """What `spellings.md` holds."""

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
                    typed, colon, meant = entry.text.partition(":")
                    if not colon or not meant.strip():
                        findings.add(Rule.PHRASES, entry.line, "A spelling is “wanna, wana: want to”.")
                    for form in typed.split(","):
                        self.words[form.strip()] = tuple(meant.split())


def required(groups: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The groups which the screen asks for and which are missing."""
    return sorted(CIRCUMSTANCES - set(groups))
