"""Proving the book: every rule of README.md as a small function that returns its faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialogues.reading.faults import Fault, Severity

__all__ = ["Fault", "Severity", "check"]

if TYPE_CHECKING:
    from dialogues.book import Book
    from dialogues.checks.tables import Tables


def check(book: Book, tables: Tables | None = None) -> list[Fault]:
    """Every fault and warning of the whole book, by file and line.

    `tables` are those of the programme if none are given. A dialogue with a fault in its shape is checked for
    its words only once that is mended.
    """
    # A book is read with some of these checks, so the others are loaded when they are asked for.
    from dialogues.checks.whole import whole_book  # noqa: PLC0415

    found = {*book.faults, *whole_book(book, tables)}
    return sorted(found, key=lambda fault: (fault.file, fault.line, int(fault.rule[1:]), fault.sentence))
