"""Parses one dialogue file into a `Dialogue` and the list of its faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dialogues.reading.faults import Fault, Findings
from dialogues.reading.header import NAME, read_header
from dialogues.reading.markdown import Node, Page, bubble_text, describe, inline_of, parse_page, words_of
from dialogues.reading.rules import Rule
from dialogues.reading.ways import read_ways
from state_machine.model.script import Bubble, Dialogue, Step, Way

_FORBIDDEN_IN_NOTE = {"html_block", "table", "heading"}


@dataclass(frozen=True, slots=True)
class ParsedDialogue:
    """The result of one file. `dialogue` is what could be read; it is complete only if there are no faults."""

    dialogue: Dialogue | None
    faults: tuple[Fault, ...]


def read(text: str, name: str) -> ParsedDialogue:
    """Read the text of the dialogue `name` (its path without `.md`). Never raises."""
    findings = Findings(f"{name}.md")
    parsed = parse_page(text, findings)
    header = read_header(parsed.header, findings)
    top, sections = _sections(parsed.blocks, findings)
    title = _title(top, findings)
    steps: dict[str, Step] = {}
    for heading, blocks in sections:
        step = _step(heading, blocks, findings)
        if step is None:
            continue
        if step.name in steps:
            findings.add(Rule.STEP_ONCE, step.line, f"The step “{step.name}” appears twice; rename one.")
        else:
            steps[step.name] = step
    if not steps:
        findings.add(Rule.STEP_NAME, 1, "There is no step in this file; begin one with “## its_name”.")
        return ParsedDialogue(None, tuple(findings.faults))
    settings = header.settings
    dialogue = Dialogue(
        name=name,
        title=title,
        note=_note(parsed, top, sections),
        steps=steps,
        outcomes=settings.get("outcomes", ()),
        needs=settings.get("needs", ()),
        about_person=settings.get("about_person", False),
        opened_by=settings.get("opened_by"),
        menu=settings.get("menu"),
        plain_words=settings.get("plain_words", ()),
        minutes=settings.get("minutes"),
        inline=settings.get("inline", False),
        safety=settings.get("safety", False),
        taken_out=settings.get("taken_out", False),
        aimed=settings.get("aimed", False),
        quiet=settings.get("quiet", ()),
        reviewed=settings.get("reviewed", "not yet"),
        file=findings.file,
    )
    return ParsedDialogue(dialogue, tuple(findings.faults))


_Section = tuple[Node, list[Node]]


def _sections(blocks: Sequence[Node], findings: Findings) -> tuple[list[Node], list[_Section]]:
    """Split into the blocks above the first step, and each step's heading with its blocks."""
    top: list[Node] = []
    sections: list[_Section] = []
    for block in blocks:
        if block.type == "heading":
            if not block.markup.startswith("#"):
                findings.add(
                    Rule.HEADINGS,
                    block.line,
                    "A line of “---” or “===” makes the words above it a heading; leave an empty line, "
                    "or write the heading with “#”.",
                )
                continue
            if block.tag == "h2":
                sections.append((block, []))
                continue
            if block.tag != "h1" or sections:
                findings.add(
                    Rule.HEADINGS,
                    block.line,
                    "A file has one “# Title” at the top and “## steps” below; no other headings.",
                )
                continue
        (sections[-1][1] if sections else top).append(block)
    return top, sections


def _title(top: Sequence[Node], findings: Findings) -> str:
    titles = [block for block in top if block.type == "heading"]
    title = words_of(inline_of(titles[0])) if titles else None
    if len(titles) != 1 or top[0] is not titles[0] or not title:
        line = titles[-1].line if titles else 1
        findings.add(Rule.TITLE, line, "After the header comes one “# Title” in plain words, then the note.")
    elif len(top) == 1:
        findings.add(Rule.TITLE, top[0].line, "Under the title a note tells colleagues why we do this; write one.")
    for block in top:
        if block.type in _FORBIDDEN_IN_NOTE - {"heading"}:
            findings.add(Rule.UNSUPPORTED, block.line, f"The note contains {describe(block)}; use paragraphs.")
    return title or ""


def _note(parsed: Page, top: Sequence[Node], sections: Sequence[_Section]) -> str:
    """The Markdown source of the note."""
    body = [block for block in top if block.type != "heading" and block.line]
    if not body:
        return ""
    begin = body[0].line - 1
    end = sections[0][0].line - 1 if sections else len(parsed.lines)
    return "\n".join(parsed.lines[begin:end]).strip()


def _step(heading: Node, blocks: Sequence[Node], findings: Findings) -> Step | None:
    bubbles: list[Bubble] = []
    ways: tuple[Way, ...] = ()
    ways_at = 0
    for block in blocks:
        line = block.line
        if ways_at:
            findings.add(
                Rule.WAYS_LAST,
                line,
                f"The ways on in line {ways_at} must be the last thing of a step, in one list; "
                f"move {describe(block)} above them.",
            )
        elif block.type == "bullet_list" and block.markup == "-":
            ways_at = line
            ways = read_ways(block, findings)
        else:
            bubbles.extend(_bubbles(block, findings))
    name = words_of(inline_of(heading)) or ""
    if not NAME.fullmatch(name):
        findings.add(
            Rule.STEP_NAME,
            heading.line,
            f"“{name}” can't be the name of a step; use small letters, digits and “_”, like “a_moment”.",
        )
        return None
    return Step(name, tuple(bubbles), ways, heading.line)


def _bubbles(block: Node, findings: Findings) -> list[Bubble]:
    line = block.line
    if block.type == "paragraph":
        text = bubble_text(block, findings)
        return [Bubble((text,), line)] if text else []
    if block.type == "ordered_list":
        return _wordings(block, findings)
    if block.type == "bullet_list":
        remedy = "ways on are a list with “-”"
    elif block.type == "code_block":
        remedy = "begin the line without spaces"
    else:
        remedy = "write it as plain paragraphs"
    findings.add(Rule.UNSUPPORTED, line, f"{describe(block).capitalize()} is not allowed in a step; {remedy}.")
    return []


def _wordings(block: Node, findings: Findings) -> list[Bubble]:
    """Read an ordered list: one bubble in several wordings."""
    line = block.line
    start = int(block.attrs.get("start", 1))
    if start != 1 or len(block.children) < 2 or block.markup != ".":
        findings.add(
            Rule.WORDINGS,
            line,
            "A numbered list is one bubble in two or more wordings, and begins with “1.”; "
            "a bubble that begins with a number and a full stop needs another beginning, "
            "or a backslash before the full stop.",
        )
        return []
    wordings: list[str] = []
    for item in block.children:
        if len(item.children) != 1 or item.children[0].type != "paragraph":
            findings.add(
                Rule.WORDINGS,
                item.line,
                "A wording is one paragraph; to say two things, make them two bubbles.",
            )
        elif text := bubble_text(item.children[0], findings):
            wordings.append(text)
    return [Bubble(tuple(wordings), line)]
