"""Reads word lists: Markdown files of `## section` headings with one entry per line under each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from dialogues.reading.faults import Findings
from dialogues.reading.header import NAME
from dialogues.reading.markdown import Node, bubble_text, describe, inline_of, parse_page, words_of
from dialogues.reading.rules import Rule
from state_machine.model.script import Bubble, Feeling


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list, and its line number."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """One `## section`: its name, the paragraphs under it, and its entries."""

    name: str
    line: int
    paragraphs: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Lists:
    """The content of `lists.md`.

    `numbers`: the words for 0, 1, 2 …; `back`, `later`, `not_known`: what a client may type to go back, to postpone,
    or to say that they don't know.
    """

    feelings: tuple[Feeling, ...] = ()
    numbers: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    not_known: tuple[str, ...] = ()
    greetings: tuple[str, ...] = ()
    greeted: tuple[str, ...] = ()
    clock: Mapping[str, str] = field(default_factory=dict)


def read_sections(text: str, findings: Findings) -> tuple[Section, ...]:
    """Split a word list into its sections. Never raises."""
    sections: list[Section] = []
    for heading, blocks in _under_headings(text, findings):
        paragraphs: list[str] = []
        items: list[Item] = []
        for block in blocks:
            if block.type == "paragraph":
                paragraphs.append(bubble_text(block, findings) or "")
            elif block.type == "bullet_list":
                items.extend(_items(block, findings))
            else:
                findings.add(
                    Rule.PHRASES, block.line, f"{describe(block).capitalize()} is not allowed here; use “-”."
                )
        name = words_of(inline_of(heading)) or ""
        sections.append(Section(name, heading.line, tuple(paragraphs), tuple(items)))
    return tuple(sections)


def read_refrains(text: str, findings: Findings) -> dict[str, Bubble]:
    """Read `refrains.md`: each `## name` has one paragraph or a numbered list of wordings. Never raises."""
    refrains: dict[str, Bubble] = {}
    for heading, blocks in _under_headings(text, findings):
        name, line = words_of(inline_of(heading)) or "", heading.line
        if not NAME.fullmatch(name) or name in refrains:
            findings.add(
                Rule.PHRASES,
                line,
                f"“{name}” can't name a refrain; use small letters and “_”, and each name once.",
            )
            continue
        wordings = _wordings(blocks, findings)
        if wordings:
            refrains[name] = Bubble(wordings, line)
        else:
            findings.add(
                Rule.PHRASES,
                line,
                f"“{name}” needs one paragraph, or one numbered list with a wording in each item.",
            )
    return refrains


_OF_SMALL_LETTERS = ("back", "later", "not_known", "greetings", "greeted")


def read_lists(text: str, findings: Findings) -> Lists:
    """Read `lists.md`. Never raises."""
    lists = Lists()
    for section in read_sections(text, findings):
        texts = tuple(item.text for item in section.items)
        match section.name:
            case "feelings":
                lists = replace(lists, feelings=tuple(_feelings(section, findings)))
            case "numbers":
                lists = replace(lists, numbers=texts)
            case name if name in _OF_SMALL_LETTERS:
                small = {name: tuple(each.lower() for each in texts)}
                lists = replace(lists, **small)  # type: ignore[arg-type]  # names are checked by replace
            case "clock":
                lists = replace(lists, clock=dict(_clock_words(section, findings)))
            case other:
                *names, last = ("feelings", "numbers", *_OF_SMALL_LETTERS, "clock")
                findings.add(
                    Rule.PHRASES,
                    section.line,
                    f"There is no list “{other}”; the lists are {', '.join(names)} and {last}.",
                )
    return lists


def _feelings(section: Section, findings: Findings) -> list[Feeling]:
    feelings: list[Feeling] = []
    for item in section.items:
        word, colon, definition = (part.strip() for part in item.text.partition(":"))
        code = word.lower().replace(" ", "_").replace("-", "_")
        if not colon or not definition or not NAME.fullmatch(code):
            findings.add(Rule.PHRASES, item.line, "A feeling is “word: what it means in plain words”.")
        elif code in {feeling.code for feeling in feelings}:
            findings.add(Rule.PHRASES, item.line, f"The feeling “{word}” appears twice; remove one.")
        else:
            feelings.append(Feeling(code, word, definition))
    return feelings


def _clock_words(section: Section, findings: Findings) -> Iterator[tuple[str, str]]:
    for item in section.items:
        word, _, meaning = (part.strip() for part in item.text.partition(":"))
        if re.fullmatch(r"\d\d:\d\d", meaning):
            yield word.lower(), f"={meaning}"
        elif word and re.fullmatch(r"\d\d?|half|past|to|am|pm|night|nothing", meaning):
            yield word.lower(), meaning.replace("nothing", "")
        else:
            findings.add(
                Rule.PHRASES,
                item.line,
                "A word of the clock is “noon: 12:00”, “quarter: 15” or “after: past”; "
                "the meanings are minutes, half, past, to, am, pm, night and nothing.",
            )


def _under_headings(text: str, findings: Findings) -> list[tuple[Node, list[Node]]]:
    sections: list[tuple[Node, list[Node]]] = []
    for block in parse_page(text, findings).blocks:
        if block.type == "heading" and block.tag == "h2" and block.markup == "##":
            sections.append((block, []))
        elif block.type == "heading" and (block.tag != "h1" or block.markup != "#" or sections):
            findings.add(
                Rule.PHRASES,
                block.line,
                "This file has one “# Title” and “## sections”; no other headings.",
            )
        elif sections:
            sections[-1][1].append(block)
    return sections


def _items(block: Node, findings: Findings) -> list[Item]:
    items: list[Item] = []
    for item in block.children:
        whole = len(item.children) == 1 and item.children[0].type == "paragraph"
        text = bubble_text(item.children[0], findings) if whole else None
        if text:
            items.append(Item(text, item.line))
        elif not whole:
            findings.add(Rule.PHRASES, item.line, "An entry of a list is one line of plain words.")
    return items


def _wordings(blocks: list[Node], findings: Findings) -> tuple[str, ...]:
    if len(blocks) != 1:
        return ()
    if blocks[0].type == "paragraph":
        text = bubble_text(blocks[0], findings)
        return (text,) if text else ()
    if blocks[0].type == "ordered_list":
        return tuple(item.text for item in _items(blocks[0], findings))
    return ()
