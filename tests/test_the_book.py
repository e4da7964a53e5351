"""The book as it ships: without a fault, quick to read, and with every refrain that the program says by name."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import dialogues
from dialogues import book
from dialogues.book import Book
from dialogues.checks.mentions import mentions
from dialogues.checks.whole import check
from dialogues.reading.faults import Severity
from dialogues.templates import VARIABLES, environment
from state_machine.model.answer_kinds import AnswerKind

ROOT = Path(dialogues.__file__).parent.parent
CODE = [path for folder in ("state_machine", "bot", "dialogues") for path in (ROOT / folder).rglob("*.py")]
SAID_BY = {"remark", "Remark", "Toast", "refrain", "Misread"}
"""The calls whose first argument is the name of a refrain."""
SHARED = {"sticker", "photo", "voice", "video", "document", "contact", "place", "other"}
SECONDS_TO_READ = 1.5
"""Processor time, with everything a cold start loads; a book is read once at start."""


@cache
def shipped() -> Book:
    return book.read()


def calls() -> Iterator[ast.Call]:
    for path in CODE:
        yield from (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))


def strings() -> set[str]:
    trees = (ast.parse(path.read_text("utf-8")) for path in CODE)
    return {
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def said_by_name() -> set[str]:
    names: set[str] = set()
    for call in calls():
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in SAID_BY and call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value:
            names.add(str(call.args[0].value))
    return names | {f"shared_{what}" for what in SHARED}


def test_the_book_has_no_fault() -> None:
    faults = [str(fault) for fault in check(shipped()) if fault.severity is Severity.FAULT]
    assert faults == []


def test_every_refrain_that_the_program_says_is_written() -> None:
    assert said_by_name() - shipped().refrains.keys() == set()


def test_every_refrain_is_said_by_the_program_or_in_a_bubble() -> None:
    made = shipped()
    env = environment(made.numbers)
    wordings = [
        wording
        for one in made.read.values()
        for step in one.steps.values()
        for bubble in step.bubbles
        for wording in bubble.wordings
    ]
    wordings += [wording for each in made.refrains.values() for wording in each]
    in_bubbles = set().union(*(mentions(env, wording).refrains for wording in wordings))
    placeholders = {f"placeholder_{kind.name.lower()}" for kind in AnswerKind}
    unsaid = made.refrains.keys() - in_bubbles - said_by_name() - placeholders - strings()
    assert unsaid == set()


def test_a_refrain_that_the_program_says_mentions_only_what_is_known_anywhere() -> None:
    made = shipped()
    env = environment(made.numbers)
    for name in said_by_name():
        for wording in made.refrains[name]:
            assert mentions(env, wording).bare <= VARIABLES - {"refrains"}, name


def test_a_placeholder_fits_into_the_empty_line() -> None:
    for name, wordings in shipped().refrains.items():
        if name.startswith("placeholder_"):
            assert all(len(wording) <= 64 for wording in wordings), name


def test_the_whole_book_is_read_quickly() -> None:
    begun = time.process_time()
    book.read()
    assert time.process_time() - begun < SECONDS_TO_READ
