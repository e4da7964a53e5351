"""The header of a dialogue: `key: value` lines between `---`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypedDict

from dialogues.reading.faults import Findings
from dialogues.reading.rules import Rule

NAME = re.compile(r"[a-z][a-z0-9_]*")
"""The spelling of steps, memories, outcomes and conditions."""
_COMMAND = re.compile(r"/([a-z][a-z0-9_]{0,31})")
_MAX_MINUTES = 60
_MAX_MENU_LENGTH = 100

_NAMES = ("needs", "outcomes", "quiet")
_OTHERS = ("about", "opened_by", "menu", "words", "minutes", "buttons", "priority", "taken_out", "aimed", "reviewed")
_KEYS = (*_NAMES, *_OTHERS)
_REQUIRED = ("outcomes", "reviewed")
_ONLY_VALUE = {
    "about": "a person",
    "buttons": "inline",
    "priority": "safety",
    "taken_out": "yes",
    "aimed": "at the person",
}


class HeaderFields(TypedDict, total=False):
    """The values of a header, named as the fields of `Dialogue`."""

    needs: tuple[str, ...]
    outcomes: tuple[str, ...]
    quiet: tuple[str, ...]
    about_person: bool
    opened_by: str
    menu: str
    plain_words: tuple[str, ...]
    minutes: int
    inline: bool
    safety: bool
    taken_out: bool
    aimed: bool
    reviewed: str


@dataclass(slots=True)
class Header:
    """The values of one header, and the line number of each key."""

    settings: HeaderFields = field(default_factory=HeaderFields)
    lines: dict[str, int] = field(default_factory=dict)


def read_header(text: str | None, findings: Findings) -> Header:
    """Read the text between the `---` lines. Add a fault for each violation, and return what could be read."""
    header = Header()
    if text is None:
        findings.add(
            Rule.HEADER,
            1,
            "The header is missing; begin the file with lines like “outcomes: done” between two lines “---”.",
        )
        return header
    for number, raw in enumerate(text.split("\n"), start=2):
        if raw.strip():
            _read_line(raw, number, header, findings)
    for key in _REQUIRED:
        if key not in header.lines:
            findings.add(Rule.HEADER, 1, f"The header has no “{key}”; add a line “{key}: …”.")
    _check_combinations(header, findings)
    return header


def _read_line(raw: str, line: int, header: Header, findings: Findings) -> None:
    key, colon, value = (part.strip() for part in raw.partition(":"))
    if not colon or not value:
        findings.add(Rule.HEADER_LINE, line, "A line of the header is written “key: value”; correct this one.")
    elif key not in _KEYS:
        findings.add(
            Rule.HEADER_LINE,
            line,
            f"There is no header key “{key}”; the keys are {', '.join(_KEYS)}.",
        )
    elif key in header.lines:
        findings.add(Rule.HEADER_LINE, line, f"The key “{key}” appears twice; keep one of the two lines.")
    else:
        header.lines[key] = line
        fault = _store(key, value, header.settings)
        if fault:
            findings.add(Rule.HEADER_VALUE, line, fault)


def _store(key: str, value: str, into: HeaderFields) -> str | None:  # noqa: PLR0912 - one short case for each key
    """Store the value of one key. Return a sentence if it can't be read, else None."""
    if key in _ONLY_VALUE and value != _ONLY_VALUE[key]:
        return f"The only value of “{key}” is “{_ONLY_VALUE[key]}”; write that, or remove the line."
    match key:
        case "needs" | "outcomes" | "quiet":
            names = tuple(name.strip() for name in value.split(","))
            wrong = [name for name in names if not NAME.fullmatch(name)]
            if wrong or len(set(names)) < len(names):
                return f"“{key}” can't be read; write different names in small letters, like “name, lost_person”."
            if key == "needs":
                into["needs"] = names
            elif key == "outcomes":
                into["outcomes"] = names
            else:
                into["quiet"] = names
        case "words":
            words = tuple(" ".join(each.lower().split()) for each in value.split(","))
            if not all(words) or len(set(words)) < len(words):
                return "“words” can't be read; write different words with commas between, like “help me, emergency”."
            into["plain_words"] = words
        case "opened_by":
            command = _COMMAND.fullmatch(value)
            if not command:
                return "“opened_by” can't be read; write one command in small letters, like “/people”."
            into["opened_by"] = command.group(1)
        case "menu":
            if len(value) > _MAX_MENU_LENGTH:
                return f"The menu line has {len(value)} characters; shorten it to {_MAX_MENU_LENGTH}."
            into["menu"] = value
        case "minutes":
            if not re.fullmatch(r"[0-9]{1,2}", value) or not 1 <= int(value) <= _MAX_MINUTES:
                return f"“minutes” can't be read; write a whole number from 1 to {_MAX_MINUTES}."
            into["minutes"] = int(value)
        case "about":
            into["about_person"] = True
        case "buttons":
            into["inline"] = True
        case "priority":
            into["safety"] = True
        case "taken_out":
            into["taken_out"] = True
        case "aimed":
            into["aimed"] = True
        case "reviewed":
            into["reviewed"] = value
    return None


def _check_combinations(header: Header, findings: Findings) -> None:
    settings, lines = header.settings, header.lines
    if "menu" in lines and "opened_by" not in lines:
        findings.add(Rule.MENU, lines["menu"], "A menu line needs a command; add “opened_by: /…” or remove “menu”.")
    if "aimed" in lines and "about" not in lines:
        findings.add(Rule.MENU, lines["aimed"], "“aimed” needs a person; add “about: a person” or remove “aimed”.")
    for name in settings.get("quiet", ()):
        if name not in settings.get("outcomes", ()):
            findings.add(
                Rule.QUIET,
                lines["quiet"],
                f"“{name}” is declared quiet but is not an outcome; add it to “outcomes”, or remove it here.",
            )
