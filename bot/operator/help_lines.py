"""What an operator is told about the help lines: what needs a check, what is seen, what they let through."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime

from dialogues.book import Book
from dialogues.helplines.rows import GOOD_FOR, KINDS, HelpLineRow, Standing
from dialogues.helplines.tables import HelpLines
from dialogues.rendering.prompts import Prompts
from state_machine.model.context import Context
from state_machine.model.progress import Fact, Progress

CARDS = {kind: f"{kind}_card" for kind in KINDS} | {
    "crisis": "help_card",
    "suicide_bereavement": "bereaved_lines",
    "poison": "rescue_card",
}
"""The refrain that shows each kind of line."""
_SITE = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:/\S*)?")


def in_brief(lines: HelpLines, today: date) -> str:
    """One line for the log of the start: what the operator lets through, what they hide, how many rows are stale."""
    by_operator = [row.key for row in lines.rows if row.standing(today) in {Standing.CONFIRMED, Standing.OWN}]
    stale = sum(row.standing(today) is Standing.STALE for row in lines.rows)
    return (
        f"help lines: let through by the operator: {', '.join(by_operator) or 'none'}; "
        f"hidden by the operator: {', '.join(lines.hidden) or 'none'}; stale rows: {stale}"
    )


def to_check(lines: HelpLines, today: date) -> Iterator[tuple[HelpLineRow, Standing]]:
    """The rows that clients are not shown, as somebody has to check them first."""
    for row in lines.rows:
        standing = row.standing(today)
        if not standing.shown:
            yield row, standing


def is_stale(lines: HelpLines, today: date) -> bool:
    """Whether anything in either table was last checked too long ago to be released."""
    return any(standing is Standing.STALE for _, standing in to_check(lines, today)) or bool(
        stale_numbers(lines, today)
    )


def stale_numbers(lines: HelpLines, today: date) -> list[str]:
    """The countries whose emergency numbers were checked too long ago. They are shown all the same."""
    return sorted(code for code, day in lines.numbers_checked.items() if today - day > GOOD_FOR)


def report(lines: HelpLines, today: date) -> Iterator[str]:
    """Every row that needs a check, with the place to check it, and at the end how many there are."""
    found = list(to_check(lines, today))
    directory = lines.card(None, today).directory
    for row, standing in found:
        place = _SITE.search(row.contact)
        yield f"{row.key}: {row.contact} ({row.hours})"
        yield (
            f"    {standing.value}, last looked at on {row.looked_at}, from: {row.source}; "
            f"check at {place[0] if place else f'its own page, and {directory}'}"
        )
    unknown = sorted(code for code, emergency in lines.numbers.items() if not emergency)
    yield f"No emergency number is known for: {', '.join(unknown)}."
    if old := stale_numbers(lines, today):
        yield f"Emergency numbers checked more than {GOOD_FOR.days} days ago: {', '.join(old)}."
    counts: dict[Standing, int] = defaultdict(int)
    for _, standing in found:
        counts[standing] += 1
    parts = (Standing.STALE, Standing.UNCONFIRMED, Standing.UNKNOWN)
    yield f"{len(found)} rows need a check: " + ", ".join(f"{counts[part]} {part.value}" for part in parts) + "."


def as_seen(book: Book, prompts: Prompts, country: str, now: datetime) -> Iterator[str]:
    """What a client in a country reads, kind by kind."""
    context = Context(book.script, Progress(facts={"country": Fact(country, now, country)}), None, now)
    for kind in KINDS:
        yield f"{kind}:"
        yield from (f"    {line}" for line in prompts.said_refrain(CARDS[kind], context).splitlines())
