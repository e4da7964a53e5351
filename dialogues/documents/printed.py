"""Prints the whole programme as one Markdown document for reviewers."""

from __future__ import annotations

from collections.abc import Iterator

from dialogues.book import Book
from dialogues.documents.diagrams import way_words
from state_machine.model.script import Bubble, Dialogue, Part, Step, Way

_DAYS_PER_WEEK = 7


def document(book: Book) -> str:
    """Return the book as Markdown: the programme in order, then the dialogues that can be opened at any time."""
    return "\n".join(_pages(book)) + "\n"


def _pages(book: Book) -> Iterator[str]:
    placed = [part.dialogue for part in book.contents if part.dialogue]
    yield "# The whole programme\n"
    yield "Every dialogue in its order: the note to colleagues, what is said, and where each answer leads."
    yield "Words in braces are filled in from the client's answers.\n"
    yield from _overview(book)
    phase = day = None
    for part in book.contents:
        if part.phase != phase:
            yield f"# {book.phase_titles.get(part.phase, part.phase)}\n"
            phase, day = part.phase, None
        if part.day != day:
            day = part.day
            yield f"*From {_time(part)} on*\n"
        dialogue = book.read.get(part.dialogue or "")
        if dialogue is not None:
            yield from _whole_dialogue(dialogue)
        else:
            yield f"## {part.title}\n\nStill to be written.\n"
    yield "# At any time\n"
    for name in sorted(book.read.keys() - set(placed)):
        yield from _whole_dialogue(book.read[name])


def _overview(book: Book) -> Iterator[str]:
    for part in book.contents:
        if part.dialogue in book.read:
            yield f"- {_time(part)}: [{part.title}](#{_anchor(part.dialogue or '')})"
        else:
            yield f"- {_time(part)}: {part.title} (still to be written)"
    yield ""


def _time(part: Part) -> str:
    week, rest = divmod(part.day - 1, _DAYS_PER_WEEK)
    return f"week {week + 1}" if week and not rest else f"day {part.day}"


def _whole_dialogue(dialogue: Dialogue) -> Iterator[str]:
    yield f'<a id="{_anchor(dialogue.name)}"></a>\n'
    yield f"## {dialogue.title}\n"
    yield f"`{dialogue.name}`{_facts(dialogue)}\n"
    if dialogue.note:
        yield "> " + dialogue.note.replace("\n", "\n> ") + "\n"
    for step in dialogue.steps.values():
        yield from _step(dialogue, step)


def _facts(dialogue: Dialogue) -> str:
    facts = [
        f"opened by /{dialogue.opened_by}" if dialogue.opened_by else "",
        "about one person" if dialogue.about_person else "",
        f"{dialogue.minutes} minutes" if dialogue.minutes else "",
        f"needs {', '.join(dialogue.needs)}" if dialogue.needs else "",
        f"reviewed: {dialogue.reviewed}",
    ]
    return "".join(f" · {fact}" for fact in facts if fact)


def _step(dialogue: Dialogue, step: Step) -> Iterator[str]:
    yield f'<a id="{_anchor(dialogue.name, step.name)}"></a>\n'
    yield f"### {step.name.replace('_', ' ')}\n"
    for bubble in step.bubbles:
        yield _bubble(bubble) + "\n"
    for way in step.ways:
        yield _way(dialogue, way)
    if step.is_ending:
        yield f"*Ends as “{step.name.replace('_', ' ')}”.*"
    yield ""


def _bubble(bubble: Bubble) -> str:
    if len(bubble.wordings) == 1:
        return _escaped(bubble.wordings[0])
    return "\n".join(f"{place}. {_escaped(wording)}" for place, wording in enumerate(bubble.wordings, start=1))


def _escaped(wording: str) -> str:
    """Escape all Markdown in a wording."""
    escaped = "".join(f"\\{sign}" if sign in "\\`*_[]<>#|~" else sign for sign in wording)
    return escaped.replace("\n", "\\\n")


def _way(dialogue: Dialogue, way: Way) -> str:
    kept = f", kept as `{way.memory}{f' = {way.code}' if way.code else ''}`" if way.memory else ""
    target = f"[{way.target.replace('_', ' ')}](#{_anchor(dialogue.name, way.target)})"
    return f"- {_escaped(way_words(way))} → {target}{kept}"


def _anchor(dialogue: str, step: str | None = None) -> str:
    return "-".join(part.replace("/", "-") for part in (dialogue, step) if part)
