"""Parses the ways on of one step: a list of links, each with a label, a target and optionally a memory."""

from __future__ import annotations

import re
from datetime import timedelta

from dialogues.reading.faults import Findings
from dialogues.reading.header import NAME
from dialogues.reading.markdown import Node, inline_of, words_of
from dialogues.reading.rules import Rule
from dialogues.templates import VARIABLES
from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.script import Label, Numbers, Silence, Takes, Way, When

_RANGE = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?")
_SILENCE = re.compile(r"after ([1-9][0-9]{0,2}) (minute|hour|day)s?")
_NEXT_MORNING = "the next morning"
_MEMORY = re.compile(r"([a-z][a-z0-9_]*)(?: = ([a-z0-9][a-z0-9_]*))?")
_KINDS = {kind.value: kind for kind in AnswerKind}


def read_ways(block: Node, findings: Findings) -> tuple[Way, ...]:
    """Read a list with `-`. A way that can't be read is reported to `findings` and left out."""
    ways = (_read_way(item, findings) for item in block.children)
    return tuple(way for way in ways if way is not None)


def _read_way(item: Node, findings: Findings) -> Way | None:
    line = item.line
    link = _only_link(item)
    if link is None:
        findings.add(
            Rule.WAY_IS_LINK,
            line,
            "A way on is one link and nothing else; write it like “- [Yes](#next_step)”. "
            "A bubble that begins with a dash needs another beginning.",
        )
        return None
    takes = _accepted(link, line, findings)
    href = str(link.attrs.get("href", ""))
    target = href.removeprefix("#")
    if not href.startswith("#") or not NAME.fullmatch(target):
        findings.add(
            Rule.TARGET,
            line,
            f"“{href}” is not a step of this file; a way on leads to “#” and the name of a step.",
        )
        return None
    memory, code = _memory(link, line, findings)
    if takes is None:
        return None
    fault = _memory_fault(takes, memory, code)
    if fault:
        findings.add(Rule.KEEPS, line, fault)
    return Way(takes, target, memory, code, line)


def _only_link(item: Node) -> Node | None:
    if len(item.children) != 1 or item.children[0].type != "paragraph":
        return None
    pieces = inline_of(item.children[0])
    return pieces[0] if len(pieces) == 1 and pieces[0].type == "link" else None


def _accepted(link: Node, line: int, findings: Findings) -> Takes | None:
    pieces = tuple(link.children)
    words = words_of(pieces)
    if words:
        if "{{" in words or "{%" in words:
            findings.add(Rule.LABEL, line, "A label is the same for everyone; write it without “{{ }}” and “{% %}”.")
        return Label(words)
    if len(pieces) == 1 and pieces[0].type == "code_inline":
        return _in_code_font(pieces[0].content.strip(), line, findings)
    if len(pieces) == 1 and pieces[0].type == "em":
        name = words_of(pieces[0].children)
        if name in _KINDS:
            return _KINDS[name]
        findings.add(Rule.KIND, line, f"There is no kind of answer “{name}”; the kinds are {', '.join(_KINDS)}.")
        return None
    findings.add(
        Rule.LABEL,
        line,
        "A label is plain words, or all in code font, or all in *emphasis*; it can't be empty or mixed.",
    )
    return None


def _in_code_font(code: str, line: int, findings: Findings) -> Takes | None:
    if code == "otherwise":
        return When(None)
    if code.startswith("when ") and NAME.fullmatch(code[5:]):
        return When(code[5:])
    if number := _RANGE.fullmatch(code):
        low, high = int(number[1]), int(number[2] or number[1])
        if low <= high:
            return Numbers(low, high)
    if code == _NEXT_MORNING:
        return Silence(timedelta(hours=6), morning=True)
    if silence := _SILENCE.fullmatch(code):
        count, unit = int(silence[1]), silence[2]
        return Silence(timedelta(**{f"{unit}s": count}))
    findings.add(
        Rule.CODE_FONT,
        line,
        f"“{code}” can't be read; code font is a number “3”, a range “0-10”, a silence “after 2 days” "
        "(minutes, hours or days) or “the next morning”, “when” with the name of a condition, or “otherwise”.",
    )
    return None


def _memory(link: Node, line: int, findings: Findings) -> tuple[str | None, str | None]:
    title = link.attrs.get("title")
    if title is None:
        return None, None
    parts = _MEMORY.fullmatch(str(title))
    if not parts:
        findings.add(
            Rule.MEMORY,
            line,
            f'“{title}” can\'t be read; a memory is written "mood", or with a code "sleep = 2".',
        )
        return None, None
    if parts[1] in VARIABLES:
        findings.add(
            Rule.MEMORY, line, f"“{parts[1]}” is a name provided by the program; choose another for this memory."
        )
    return parts[1], parts[2]


def _memory_fault(takes: Takes, memory: str | None, code: str | None) -> str | None:
    if memory and (takes is AnswerKind.SKIP or isinstance(takes, Silence | When)):
        return "A skip, a silence and a silent way store nothing; remove the memory."
    if code and (isinstance(takes, Numbers) or (isinstance(takes, AnswerKind) and takes is not AnswerKind.NEW_NAME)):
        return "What the client types is stored as it is; remove “= " + code + "”."
    if isinstance(takes, AnswerKind) and takes is not AnswerKind.SKIP and not memory:
        return f"An answer of the kind “{takes}” would be lost; add the memory to store it under."
    return None
