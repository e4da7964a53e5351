"""Reading Markdown as a viewer would: blocks with their lines, and the plain words of a paragraph."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from dialogues.reading.faults import Findings
from dialogues.reading.rules import Rule

_LINE_END = re.compile(r"\r\n?|\n")
_SPOKEN_OF = {
    "html_block": "HTML",
    "html_inline": "HTML",
    "blockquote": "a block quote",
    "table": "a table",
    "fence": "a code block",
    "code_block": "an indented line, which is read as code",
    "hr": "a ruled line",
    "em": "emphasis",
    "strong": "bold type",
    "s": "struck-out type",
    "code_inline": "code font",
    "link": "a link",
    "image": "a picture",
    "bullet_list": "a list with points",
    "ordered_list": "a numbered list",
    "paragraph": "a paragraph",
    "heading": "a heading",
}


@dataclass(slots=True)
class Node:
    """A block, or a piece of type in one. `line` counts from 1; 0 where the parser does not say."""

    type: str
    tag: str
    markup: str
    content: str
    line: int
    attrs: Mapping[str, str | int | float]
    children: list[Node]


@dataclass(frozen=True, slots=True)
class Page:
    """A file cut into blocks. `header` is the text between the `---` lines, or None."""

    header: str | None
    blocks: tuple[Node, ...]
    lines: tuple[str, ...]


@cache
def _parser() -> MarkdownIt:
    # Common viewers show tables and struck-out type: we must see them to refuse them.
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(front_matter_plugin)


def _tree(tokens: Sequence[Token]) -> list[Node]:
    """What the parser says one after the other, as blocks within blocks."""
    top: list[Node] = []
    inside = [top]
    for token in tokens:
        if token.nesting < 0:
            inside.pop()
            continue
        line = token.map[0] + 1 if token.map else 0
        kind = token.type.removesuffix("_open")
        node = Node(kind, token.tag, token.markup, token.content, line, token.attrs, [])
        inside[-1].append(node)
        if token.nesting > 0:
            inside.append(node.children)
        elif token.children and kind == "inline":
            node.children = _tree(token.children)
    return top


def page(text: str, findings: Findings) -> Page:
    """Cut a file into blocks; report what a viewer would swallow without a trace."""
    env: dict[str, Any] = {}
    root = _tree(_parser().parse(text, env))
    for reference in env.get("references", {}).values():
        findings.add(
            Rule.CLAIMED,
            reference["map"][0] + 1,
            "A line like “[word]: address” is never shown; take it out.",
        )
    header = None
    blocks: list[Node] = []
    for node in root:
        if node.type == "front_matter":
            header = node.content
        else:
            blocks.append(node)
    return Page(header, tuple(blocks), tuple(_LINE_END.split(text)))


def spoken(node: Node) -> str:
    """What a block or a piece of type is called in a sentence."""
    return _SPOKEN_OF.get(node.type, node.type.replace("_", " "))


def inline_of(block: Node) -> tuple[Node, ...]:
    """The pieces of type in a paragraph or heading."""
    return tuple(piece for inline in block.children if inline.type == "inline" for piece in inline.children)


def source_of(block: Node) -> str:
    """A paragraph as its author typed it, marks and all."""
    return "".join(inline.content for inline in block.children if inline.type == "inline")


def words_of(pieces: Sequence[Node]) -> str | None:
    """The plain words of some pieces, on one line; None if there is anything else among them."""
    parts: list[str] = []
    for piece in pieces:
        if piece.type == "text":
            parts.append(piece.content)
        elif piece.type == "softbreak":
            parts.append(" ")
        else:
            return None
    return "".join(parts).strip()


def bubble_text(block: Node, findings: Findings) -> str | None:
    """The words of one bubble: line breaks are spaces, except after a backslash. None if it is not plain."""
    if re.search(r" {2,}\n", source_of(block)):
        findings.add(
            Rule.LINE_BREAK,
            block.line,
            "A line of this bubble ends with two spaces, which nobody can see; "
            "take them out, or end the line with a backslash if a new line should begin.",
        )
    parts: list[str] = []
    plain = True
    for piece in inline_of(block):
        if piece.type == "text":
            parts.append(piece.content)
        elif piece.type == "softbreak":
            parts.append(" ")
        elif piece.type == "hardbreak":
            parts.append("\n")
        elif piece.type == "image":
            plain = False
            findings.add(
                Rule.PICTURE,
                block.line,
                f"There is no picture “{piece.attrs.get('src', '')}”; say in words what it would show.",
            )
        else:
            plain = False
            findings.add(
                Rule.PLAIN_WORDS,
                block.line,
                f"A bubble is plain words, and this one holds {spoken(piece)}; write it without, "
                "or put a backslash before the sign that is meant as itself.",
            )
    if not plain:
        return None
    return re.sub(r" *\n *", "\n", "".join(parts)).strip()
