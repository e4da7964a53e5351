"""Checks of the book: a function for each rule of README.md, which yields the faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialogues.reading.faults import Fault, Severity

__all__ = ["Fault", "Severity", "check"]

if TYPE_CHECKING:
    from dialogues.book import Book
    from dialogues.checks.tables import Tables


def check(book: Book, tables: Tables | None = None) -> list[Fault]:
    """Return every fault and warning of the whole book, sorted by file and line.

    `tables`: by default those of the programme. The words of a dialogue are checked only if its structure has no
    faults.
    """
    # Imported here because `dialogues.book` imports some of these checks.
    from dialogues.checks.whole import whole_book  # noqa: PLC0415

    found = {*book.faults, *whole_book(book, tables)}
    return sorted(found, key=lambda fault: (fault.file, fault.line, int(fault.rule[1:]), fault.sentence))
