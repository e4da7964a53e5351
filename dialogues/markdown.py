"""Reading Markdown as a viewer would: blocks with their lines, and the plain words of a paragraph."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.front_matter import front_matter_plugin

from dialogues.faults import Findings
from dialogues.rules import Rule

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


@dataclass(frozen=True, slots=True)
class Page:
    """A file cut into blocks. `header` is the text between the `---` lines, or None."""

    header: str | None
    blocks: tuple[SyntaxTreeNode, ...]
    lines: tuple[str, ...]


@cache
def _parser() -> MarkdownIt:
    # Common viewers show tables and struck-out type: we must see them to refuse them.
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(front_matter_plugin)


def page(text: str, findings: Findings) -> Page:
    """Cut a file into blocks; report what a viewer would swallow without a trace."""
    env: dict[str, Any] = {}
    root = SyntaxTreeNode(_parser().parse(text, env))
    for reference in env.get("references", {}).values():
        findings.add(
            Rule.CLAIMED,
            reference["map"][0] + 1,
            "A line like “[word]: address” is never shown; take it out.",
        )
    header = None
    blocks: list[SyntaxTreeNode] = []
    for node in root.children:
        if node.type == "front_matter":
            header = node.content
        else:
            blocks.append(node)
    return Page(header, tuple(blocks), tuple(_LINE_END.split(text)))


def line_of(node: SyntaxTreeNode) -> int:
    """The line a block begins on, counted from 1."""
    return node.map[0] + 1 if node.map else 0


def spoken(node: SyntaxTreeNode) -> str:
    """What a block or a piece of type is called in a sentence."""
    return _SPOKEN_OF.get(node.type, node.type.replace("_", " "))


def inline_of(block: SyntaxTreeNode) -> tuple[SyntaxTreeNode, ...]:
    """The pieces of type in a paragraph or heading."""
    return tuple(piece for inline in block.children if inline.type == "inline" for piece in inline.children)


def source_of(block: SyntaxTreeNode) -> str:
    """A paragraph as its author typed it, marks and all."""
    return "".join(inline.content for inline in block.children if inline.type == "inline")


def words_of(pieces: tuple[SyntaxTreeNode, ...] | list[SyntaxTreeNode]) -> str | None:
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


def bubble_text(block: SyntaxTreeNode, findings: Findings) -> str | None:
    """The words of one bubble: line breaks are spaces, except after a backslash. None if it is not plain."""
    if re.search(r" {2,}\n", source_of(block)):
        findings.add(
            Rule.LINE_BREAK,
            line_of(block),
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
                line_of(block),
                f"There is no picture “{piece.attrs.get('src', '')}”; say in words what it would show.",
            )
        else:
            plain = False
            findings.add(
                Rule.PLAIN_WORDS,
                line_of(block),
                f"A bubble is plain words, and this one holds {spoken(piece)}; write it without, "
                "or put a backslash before the sign that is meant as itself.",
            )
    if not plain:
        return None
    return re.sub(r" *\n *", "\n", "".join(parts)).strip()
