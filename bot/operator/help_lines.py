"""Reports on the help lines for the operator: what needs a check, and what clients see."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime

from dialogues.book import Book
from dialogues.helplines.rows import KINDS, VALID_FOR, HelpLineRow, VerificationStatus
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


def summary(lines: HelpLines, today: date) -> str:
    """One line for the log: the rows confirmed, added or hidden by the operator, and the number of stale rows."""
    by_operator = [
        row.key for row in lines.rows if row.status(today) in {VerificationStatus.CONFIRMED, VerificationStatus.OWN}
    ]
    stale = sum(row.status(today) is VerificationStatus.STALE for row in lines.rows)
    return (
        f"help lines: confirmed or added by the operator: {', '.join(by_operator) or 'none'}; "
        f"hidden by the operator: {', '.join(lines.hidden) or 'none'}; stale rows: {stale}"
    )


def unverified_rows(lines: HelpLines, today: date) -> Iterator[tuple[HelpLineRow, VerificationStatus]]:
    """Yield the rows that are not shown to clients until they are checked, with their status."""
    for row in lines.rows:
        status = row.status(today)
        if not status.shown:
            yield row, status


def is_stale(lines: HelpLines, today: date) -> bool:
    """Whether the last check of any row in either table is too old for a release."""
    return any(status is VerificationStatus.STALE for _, status in unverified_rows(lines, today)) or bool(
        stale_numbers(lines, today)
    )


def stale_numbers(lines: HelpLines, today: date) -> list[str]:
    """The codes of countries whose emergency numbers were checked too long ago. They are still shown."""
    return sorted(code for code, day in lines.numbers_checked.items() if today - day > VALID_FOR)


def report(lines: HelpLines, today: date) -> Iterator[str]:
    """Yield the lines of the report: each row that needs a check and where to check it, then the totals."""
    found = list(unverified_rows(lines, today))
    directory = lines.card(None, today).directory
    for row, status in found:
        place = _SITE.search(row.contact)
        yield f"{row.key}: {row.contact} ({row.hours})"
        yield (
            f"    {status.value}, last checked on {row.last_checked}, from: {row.source}; "
            f"check at {place[0] if place else f'its own page, and {directory}'}"
        )
    unknown = sorted(code for code, emergency in lines.numbers.items() if not emergency)
    yield f"No emergency number is known for: {', '.join(unknown)}."
    if old := stale_numbers(lines, today):
        yield f"Emergency numbers checked more than {VALID_FOR.days} days ago: {', '.join(old)}."
    counts: dict[VerificationStatus, int] = defaultdict(int)
    for _, status in found:
        counts[status] += 1
    parts = (VerificationStatus.STALE, VerificationStatus.UNCONFIRMED, VerificationStatus.UNKNOWN)
    yield f"{len(found)} rows need a check: " + ", ".join(f"{counts[part]} {part.value}" for part in parts) + "."


def client_view(book: Book, prompts: Prompts, country: str, now: datetime) -> Iterator[str]:
    """Yield what a client in a country reads, for each kind of line."""
    context = Context(book.script, Progress(facts={"country": Fact(country, now, country)}), None, now)
    for kind in KINDS:
        yield f"{kind}:"
        yield from (f"    {line}" for line in prompts.said_refrain(CARDS[kind], context).splitlines())
