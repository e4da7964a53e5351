"""Parses Markdown (CommonMark) into blocks with line numbers, and extracts the plain text of paragraphs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from dialogues.reading.faults import Findings
from dialogues.reading.rules import Rule

_LINE_END = re.compile(r"\r\n?|\n")
_DESCRIPTIONS = {
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
    """A block or an inline element. `line` counts from 1; 0 if the parser does not give it."""

    type: str
    tag: str
    markup: str
    content: str
    line: int
    attrs: Mapping[str, str | int | float]
    children: list[Node]


@dataclass(frozen=True, slots=True)
class Page:
    """A file as blocks. `header` is the text between the `---` lines, or None."""

    header: str | None
    blocks: tuple[Node, ...]
    lines: tuple[str, ...]


@cache
def _parser() -> MarkdownIt:
    # Common viewers render tables and strikethrough, so they must be parsed here in order to be refused.
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(front_matter_plugin)
    parser.core.ruler.at("inline", _inline)
    return parser


_MARKS = re.compile(r"[\n\\`*~<&]|\]\(|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
"""Characters that may be inline markup. A test compares the result with the rule of the parser itself."""


def _inline(state: StateCore) -> None:
    """Parse the inline markup of each paragraph; most paragraphs have none and skip the slow parser."""
    named = bool(state.env.get("references"))
    for token in state.tokens:
        if token.type == "inline":
            if token.children is None:
                token.children = []
            if _MARKS.search(token.content) or (named and "[" in token.content):
                state.md.inline.parse(token.content, state.md, state.env, token.children)
            elif token.content:
                token.children.append(Token("text", "", 0, content=token.content))


def _tree(tokens: Sequence[Token]) -> list[Node]:
    """Turn the flat list of tokens into a tree."""
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


def parse_page(text: str, findings: Findings) -> Page:
    """Parse a file into blocks, and report link references, which a viewer does not show."""
    env: dict[str, Any] = {}
    root = _tree(_parser().parse(text, env))
    for reference in env.get("references", {}).values():
        findings.add(
            Rule.UNSUPPORTED,
            reference["map"][0] + 1,
            "A line like “[word]: address” is never shown; remove it.",
        )
    header = None
    blocks: list[Node] = []
    for node in root:
        if node.type == "front_matter":
            header = node.content
        else:
            blocks.append(node)
    return Page(header, tuple(blocks), tuple(_LINE_END.split(text)))


def describe(node: Node) -> str:
    """The name of a block or inline element, for the sentence of a fault."""
    return _DESCRIPTIONS.get(node.type, node.type.replace("_", " "))


def inline_of(block: Node) -> tuple[Node, ...]:
    """The inline elements of a paragraph or heading."""
    return tuple(piece for inline in block.children if inline.type == "inline" for piece in inline.children)


def source_of(block: Node) -> str:
    """The Markdown source of a paragraph."""
    return "".join(inline.content for inline in block.children if inline.type == "inline")


def words_of(pieces: Sequence[Node]) -> str | None:
    """The plain text of inline elements, on one line; None if any of them is not plain text."""
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
    """The text of one bubble; a line break is a space, after a backslash a new line. None if it is not plain."""
    if re.search(r" {2,}\n", source_of(block)):
        findings.add(
            Rule.LINE_BREAK,
            block.line,
            "A line of this bubble ends with two spaces, which can't be seen; "
            "remove them, or end the line with a backslash if a new line should begin.",
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
                f"A bubble is plain words, and this one contains {describe(piece)}; write it without, "
                "or put a backslash before the sign that is meant as itself.",
            )
    if not plain:
        return None
    return re.sub(r" *\n *", "\n", "".join(parts)).strip()
