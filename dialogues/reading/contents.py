"""Reads `CONTENTS.md`: which dialogues belong to which phase and day, and in which order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dialogues.reading.faults import Findings
from dialogues.reading.markdown import Node, describe, inline_of, parse_page, source_of, words_of
from dialogues.reading.rules import Rule
from state_machine.model.script import Part

_PHASE = re.compile(r"(.+) \(([a-z_]+)\)")
_TIME = re.compile(r"(Day|Week) ([1-9][0-9]{0,2})")
_PATH = r"([a-z][a-z0-9_]*(?:/[a-z][a-z0-9_]*)+)"
_WHEN = r"(?: when `([a-z][a-z0-9_]*)`)?"
_WRITTEN = re.compile(rf"\[([^\]`*_]+)\]\({_PATH}\.md\){_WHEN}")
_PLANNED = re.compile(rf"`{_PATH}` ([^`*_]+?){_WHEN}")
_DAYS_PER_WEEK = 7


@dataclass(frozen=True, slots=True)
class Contents:
    """The parts in their order. `titles`: the title that clients read, by phase."""

    parts: tuple[Part, ...]
    titles: Mapping[str, str]


def read_contents(text: str, findings: Findings) -> Contents:
    """Read the parts in file order. `### Week 3` begins on day 15. Faults are added to `findings`; never raises."""
    parts: list[Part] = []
    titles: dict[str, str] = {}
    phase = ""
    day = 0
    for block in parse_page(text, findings).blocks:
        if block.type == "heading" and block.markup == "##":
            title, phase = _phase(block, findings)
            titles[phase] = title
            day = 0
        elif block.type == "heading" and block.markup == "###":
            day = _day(block, findings)
        elif block.type == "bullet_list":
            if not phase or not day:
                findings.add(
                    Rule.CONTENTS,
                    block.line,
                    "These parts have no phase or no day; put “## Words for clients (phase)” "
                    "and “### Day 2” or “### Week 3” above them.",
                )
            parts.extend(
                replace(part, phase=phase, day=day)
                for part in (_part(item, findings) for item in block.children)
                if part is not None
            )
        elif (block.type == "paragraph" and not phase) or block.markup == "#":
            continue
        else:
            findings.add(
                Rule.CONTENTS,
                block.line,
                f"{describe(block).capitalize()} is not allowed here; below the note there can be phases “##”, "
                "days or weeks “###”, and parts “-”.",
            )
    return Contents(tuple(parts), titles)


def _phase(heading: Node, findings: Findings) -> tuple[str, str]:
    match = _PHASE.fullmatch(words_of(inline_of(heading)) or "")
    if not match:
        findings.add(
            Rule.CONTENTS,
            heading.line,
            "A phase is written in the words clients read, with its name in brackets: "
            "“## Getting to know (assessment)”.",
        )
        return "", ""
    return match[1], match[2]


def _day(heading: Node, findings: Findings) -> int:
    match = _TIME.fullmatch(words_of(inline_of(heading)) or "")
    if not match:
        findings.add(Rule.CONTENTS, heading.line, "A time is “### Day 2” or “### Week 3”, counted from 1.")
        return 0
    count = int(match[2])
    return count if match[1] == "Day" else _DAYS_PER_WEEK * (count - 1) + 1


def _part(item: Node, findings: Findings) -> Part | None:
    line = item.line
    source = source_of(item.children[0]) if len(item.children) == 1 else ""
    if written := _WRITTEN.fullmatch(source):
        return Part("", 0, written[1], dialogue=written[2], when=written[3], line=line)
    if planned := _PLANNED.fullmatch(source):
        return Part("", 0, planned[2], planned=planned[1], when=planned[3], line=line)
    findings.add(
        Rule.CONTENTS,
        line,
        "A part is a link “[Title](folder/its_name.md)”, or, still to be written, its name in code font and "
        "its title; “when” and a condition in code font may follow.",
    )
    return None
