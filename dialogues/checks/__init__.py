"""Proving the book: every rule of README.md as a small function that returns its faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialogues.faults import Fault

if TYPE_CHECKING:
    from dialogues.book import Book


def check(book: Book, tables: object | None = None) -> list[Fault]:
    """Every fault and warning of the whole book, by file and line."""
    return sorted(book.faults, key=lambda fault: (fault.file, fault.line, fault.rule))
