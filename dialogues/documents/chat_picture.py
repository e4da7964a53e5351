"""Draws a chat as SVG for the README, with the bot on the left and the client on the right.

The input is an excerpt of a `.chat` transcript (`tests/transcripts/`), so that the picture shows the real words.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 460
"""Width of the picture in pixels."""
_MARGIN, _PADDING, _GAP = 16, 12, 8
_LINE, _CHARACTER = 20, 7.9
"""Height of a line and mean width of a character, in pixels, at a font size of 14."""
_COLUMNS = 44
"""Maximum number of characters in a line of a bubble."""
_CHAT_IN_DOCUMENT = re.compile(r"<!-- from: \S+ -->\n\n```text\n(.*?)```", re.DOTALL)
_STYLE = (
    "text{font:14px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:#1d2a33}"
    ".page{fill:#dfe9ee}.bot{fill:#fff}.client{fill:#d8f3d0}.button{fill:#fff;stroke:#7fa3b5}.label{fill:#2b5d78}"
)


@dataclass(frozen=True, slots=True)
class ChatLine:
    """One message: who wrote it (`bot` or the client's name), its text, and the buttons offered under it."""

    who: str
    text: str
    buttons: tuple[str, ...] = ()


def read_chat(transcript: str) -> list[ChatLine]:
    """Parse the messages of a transcript. A line without a name continues the message above it."""
    found: list[ChatLine] = []
    for line in transcript.splitlines():
        who, text = line[:6].strip(), line[6:].strip()
        if who and text:
            found.append(ChatLine(who, text))
        elif found and text.startswith("["):
            last = found.pop()
            found.append(ChatLine(last.who, last.text, tuple(text[1:-1].split("] ["))))
        elif found and text and not line.strip().startswith("…"):
            last = found.pop()
            found.append(ChatLine(last.who, f"{last.text}\n{text}", last.buttons))
    return found


def picture_for(document: str) -> str:
    """Return the SVG of the first chat in a Markdown document. Raises `LookupError` if there is none."""
    found = _CHAT_IN_DOCUMENT.search(document)
    if found is None:
        raise LookupError("The document shows no chat between `<!-- from: … -->` and the end of a text block.")
    return svg(read_chat(found[1]))


def svg(chat: Sequence[ChatLine]) -> str:
    """Return the chat as an SVG document."""
    shapes: list[str] = []
    top = _MARGIN
    for line in chat:
        lines = [part for paragraph in line.text.split("\n") for part in textwrap.wrap(paragraph, _COLUMNS)]
        width = max(len(part) for part in lines) * _CHARACTER + 2 * _PADDING
        height = len(lines) * _LINE + 2 * _PADDING - 6
        left = _MARGIN if line.who == "bot" else WIDTH - _MARGIN - width
        shapes += [_box("bot" if line.who == "bot" else "client", left, top, width, height)]
        shapes += [
            _text(left + _PADDING, top + _PADDING + 12 + number * _LINE, part) for number, part in enumerate(lines)
        ]
        top += height + _GAP
        for row in _rows(line.buttons):
            left = _MARGIN
            for label in row:
                width = _width(label)
                shapes += [_box("button", left, top, width, 30), _text(left + 12, top + 20, label, "label")]
                left += width + 6
            top += 36
        top += 4 if line.buttons else 0
    page = f'<rect class="page" width="{WIDTH}" height="{top + _MARGIN:.0f}" rx="14"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top + _MARGIN:.0f}" role="img">'
    title = "<title>A chat with the bot</title>"
    return "\n".join([head, title, f"<style>{_STYLE}</style>", page, *shapes, "</svg>"]) + "\n"


def _width(label: str) -> float:
    return len(label) * _CHARACTER + 24


def _rows(labels: Sequence[str]) -> Iterator[list[str]]:
    """Break the labels into rows that fit the width."""
    row: list[str] = []
    for label in labels:
        if row and sum(_width(each) + 6 for each in (*row, label)) > WIDTH - 2 * _MARGIN:
            yield row
            row = []
        row.append(label)
    if row:
        yield row


def _box(kind: str, left: float, top: float, width: float, height: float) -> str:
    size = f'x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}"'
    return f'<rect class="{kind}" {size} rx="12"/>'


def _text(left: float, top: float, words: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{left:.0f}" y="{top:.0f}">{escape(words)}</text>'
