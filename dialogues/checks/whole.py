"""The check of the whole book, and the checks that need all its files."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2.sandbox import ImmutableSandboxedEnvironment

from dialogues.book import CONTENTS, REFRAINS, Book
from dialogues.checks import known, lengths, programme, steps, wording
from dialogues.checks.tables import Tables, of_the_programme
from dialogues.reading.faults import Fault
from dialogues.templates import environment
from state_machine.model.script import Dialogue


def check(book: Book, tables: Tables | None = None) -> list[Fault]:
    """Return every fault and warning of the whole book, sorted by file and line.

    `tables`: by default those of the programme. The words of a dialogue are checked only if its structure has no
    faults.
    """
    found = {*book.faults, *whole_book(book, tables)}
    return sorted(found, key=lambda fault: (fault.file, fault.line, int(fault.rule[1:]), fault.sentence))


def whole_book(book: Book, tables: Tables | None = None) -> Iterator[Fault]:
    """Yield the faults found by comparing files with each other, and the faults of wording."""
    tables = tables or of_the_programme()
    yield from _order(book, tables)
    yield from _words(book, tables)


def _order(book: Book, tables: Tables) -> Iterator[Fault]:
    read, contents = book.read, book.contents
    yield from programme.conditions_of_tables_exist(tables)
    yield from programme.conditions_are_used(read.values(), contents, tables)
    yield from programme.outcomes_are_heard(read.values(), tables)
    yield from programme.tables_fit_the_book(read, contents, tables)
    yield from programme.every_file_has_a_place(
        read.values(), contents, tables, {fault.file for fault in book.faults}
    )
    yield from programme.commands_are_unique(read.values())
    yield from programme.needs_are_kept_before(read, contents)


def _words(book: Book, tables: Tables) -> Iterator[Fault]:
    env = environment(book.numbers, book.language)
    refrains = book.refrains
    dialogues = {name: dialogue for name, dialogue in book.read.items() if _readable(dialogue, env)}
    yield from known.can_be_asked_alone(book.script, tables.asked, env, refrains)
    every = [wording.said_in(dialogue, env, refrains) for dialogue in dialogues.values()]
    every.append(wording.SpokenText(REFRAINS, tuple(book.refrain_bubbles.values()), env, refrains))
    for dialogue in dialogues.values():
        yield from lengths.the_client_may_soon_speak(dialogue, env, refrains)
    for said in every:
        yield from lengths.bubbles_are_short(said.file, said.bubbles, env, refrains)
        yield from wording.sentences_are_short(said)
        yield from wording.sentences_are_mostly_short(said)
        if book.language == "en":
            # The formula (Flesch-Kincaid) holds for English only.
            yield from wording.reads_easily(said)
        yield from wording.never_said(said, book.never_say)
        yield from wording.no_exclamation(said)
    yield from wording.never_in_a_title(book.read.values(), book.contents, CONTENTS, book.never_say)
    yield from wording.few_stock_phrases(every, book.never_say)


def _readable(dialogue: Dialogue, env: ImmutableSandboxedEnvironment) -> bool:
    """Whether the tags in all its bubbles are valid."""
    return not any(steps.tags_can_be_read(dialogue, env))
