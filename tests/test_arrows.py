"""The arrows between the folders, and what must never be: held against the code as Python itself reads it.

Every rule here is shown a made-up module that breaks it, so that a rule that has gone blind fails.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PURE = ("state_machine",)
BELOW_THE_EDGE = ("state_machine", "dialogues", "storage")
OURS = (*BELOW_THE_EDGE, "bot")
MOST_LINES_OF_CODE = 300
MOST_LINES_OF_A_FUNCTION = 60
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "base", "common", "misc"}
CHANCE = {"random", "uuid", "secrets", "numpy"}
OUTSIDE_WORLD = {
    "asyncio", "http", "io", "logging", "multiprocessing", "os", "pathlib", "shutil",
    "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "urllib",
}  # fmt: skip
CARRIED_TO_A_CLIENT = {"Message", "ExportFile", "TapAnswer", "Edit", "Choice"}


@dataclass(frozen=True)
class Module:
    """One file of ours: its place below the root, its text, and the tree Python reads from it."""

    place: str
    text: str

    @property
    def folder(self) -> str:
        return self.place.split("/")[0]

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.text)

    def imports(self) -> Iterator[str]:
        """The full names of the modules it imports, wherever in the file that stands."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                name = ("." * node.level) + (node.module or "")
                yield name
                yield from (f"{name}.{alias.name}" for alias in node.names)

    def imported(self) -> set[str]:
        """The top-level names of what it imports."""
        return {name.split(".")[0] for name in self.imports()}

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))


Rule = Callable[[Module], Iterator[str]]


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def modules() -> tuple[Module, ...]:
    """Every module that ships."""
    found = (path for folder in OURS for path in sorted((ROOT / folder).rglob("*.py")))
    return tuple(Module(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in found)


def holds(rule: Rule, but_not: str, place: str = "state_machine/made_up.py") -> None:
    """Assert that the code keeps a rule, and that the rule notices the made-up module `but_not` at `place`."""
    assert list(rule(Module(place, but_not))), "the rule does not notice what breaks it"
    assert modules()
    assert [f"{module.place}: {fault}" for module in modules() for fault in rule(module)] == []


# --- arrows -------------------------------------------------------------------------


def test_the_state_machine_imports_transitions_and_the_standard_library_and_nothing_else() -> None:
    def rule(module: Module) -> Iterator[str]:
        if module.folder == "state_machine":
            known = sys.stdlib_module_names | {"state_machine", "transitions"}
            yield from sorted(module.imported() - known)

    holds(rule, "import jinja2")
    holds(rule, "from storage.store import UnitOfWork")
    holds(rule, "from . import engine")


def test_one_module_alone_holds_the_library_of_machines() -> None:
    def rule(module: Module) -> Iterator[str]:
        if "transitions" in module.imported() and module.place != "state_machine/turn/machine.py":
            yield "imports transitions"

    holds(rule, "from transitions import Machine")


def test_the_book_knows_neither_the_store_nor_the_edge() -> None:
    def rule(module: Module) -> Iterator[str]:
        if module.folder == "dialogues":
            yield from sorted(module.imported() & {"storage", "bot"})

    holds(rule, "def words():\n    from storage import tables", "dialogues/made_up.py")


def test_the_store_knows_neither_the_book_nor_the_edge() -> None:
    def rule(module: Module) -> Iterator[str]:
        if module.folder == "storage":
            yield from sorted(module.imported() & {"dialogues", "bot"})

    holds(rule, "import bot.settings", "storage/made_up.py")


MEASURING = "bot/measurement/benchmark/"
"""The bench measures the parts themselves, and the bare library or database beside them as a floor."""
SIMULATED = "bot/measurement/simulation/"
"""The simulated Telegram stands behind the library's own request class, so that the real sender runs."""


def test_only_one_folder_knows_telegram() -> None:
    def rule(module: Module) -> Iterator[str]:
        if "telegram" in module.imported() and not module.place.startswith(("bot/telegram/", MEASURING, SIMULATED)):
            yield "imports telegram"

    holds(rule, "from telegram.error import BadRequest", "bot/courier.py")


def test_only_the_store_knows_the_database() -> None:
    def rule(module: Module) -> Iterator[str]:
        if module.folder != "storage" and not module.place.startswith(MEASURING):
            yield from sorted(module.imported() & {"sqlalchemy", "alembic", "sqlite3"})

    holds(rule, "from sqlalchemy import select", "bot/conversation.py")


def test_no_module_imports_one_that_imports_it_whether_for_types_or_within_a_function() -> None:
    def circles(shipped: Iterable[Module]) -> list[set[str]]:
        return _circles(_imports_of(shipped))

    for_types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from state_machine.made_up import This"
    within = "def that():\n    from state_machine import made_up"
    by_its_folder = "from state_machine.other.inner import That"
    for other in (for_types, within):
        two = [
            Module("state_machine/made_up.py", "import state_machine.other"),
            Module("state_machine/other.py", other),
        ]
        assert circles(two) == [{"state_machine.made_up", "state_machine.other"}]
    folder = [
        Module("state_machine/made_up.py", by_its_folder),
        Module("state_machine/other/__init__.py", "from state_machine.made_up import This"),
        Module("state_machine/other/inner.py", ""),
    ]
    assert circles(folder) == [{"state_machine.made_up", "state_machine.other"}]
    assert circles(modules()) == []


def _imports_of(shipped: Iterable[Module]) -> dict[str, set[str]]:
    """By the name of each module those of ours that it imports. A folder is imported with what lies in it."""
    known = {_name(module): module for module in shipped}
    found: dict[str, set[str]] = {}
    for name, module in known.items():
        every = {part for each in module.imports() for part in _with_folders(each)}
        found[name] = {each for each in every & known.keys() if not f"{name}.".startswith(f"{each}.")}
    return found


def _name(module: Module) -> str:
    return module.place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _with_folders(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _circles(imports: Mapping[str, set[str]]) -> list[set[str]]:
    """The sets of modules of which each leads to each other."""
    reached = {name: _reached(imports, name) for name in imports}
    found = {frozenset(other for other in reached[name] if name in reached[other]) for name in imports}
    return [set(circle) for circle in found if circle]


def _reached(imports: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = imports[waiting.pop()] - found
        found |= new
        waiting += new
    return found


# --- no clock, no chance, no outside world ----------------------------------------------


def test_there_is_no_clock_below_the_edge() -> None:
    def rule(module: Module) -> Iterator[str]:
        if module.folder not in BELOW_THE_EDGE:
            return
        if "time" in module.imported():
            yield "imports time"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
                owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
                if owner in {"datetime", "date"}:
                    yield f"line {node.lineno} asks {owner}.{node.attr}"

    holds(rule, "from datetime import datetime, UTC\nat = datetime.now(UTC)")
    holds(rule, "import datetime\nat = datetime.date.today()", "dialogues/made_up.py")
    holds(rule, "import time\nat = time.monotonic()", "storage/made_up.py")


def test_there_is_no_chance_below_the_edge_but_for_keys_and_ids_in_the_store() -> None:
    def rule(module: Module) -> Iterator[str]:
        if module.folder in BELOW_THE_EDGE:
            allowed = {"secrets"} if module.folder == "storage" else set()
            yield from sorted(module.imported() & CHANCE - allowed)
            yield from (name for name in module.imports() if name == "os.urandom")

    holds(rule, "import random", "storage/made_up.py")
    holds(rule, "from secrets import token_hex", "dialogues/made_up.py")


def test_the_state_machine_touches_nothing_outside_itself() -> None:
    def rule(module: Module) -> Iterator[str]:
        if module.folder not in PURE:
            return
        yield from sorted(module.imported() & OUTSIDE_WORLD)
        for call in module.calls():
            if isinstance(call.func, ast.Name) and call.func.id in {"open", "print", "input", "exec", "eval"}:
                yield f"line {call.lineno} calls {call.func.id}"

    holds(rule, "import logging")
    holds(rule, "print('hello')")


def test_nothing_below_the_edge_is_asynchronous() -> None:
    def rule(module: Module) -> Iterator[str]:
        if module.folder in BELOW_THE_EDGE:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
                    yield f"line {node.lineno} is asynchronous"

    holds(rule, "async def step(): ...")


# --- words stay in the book ---------------------------------------------------------------


def test_nothing_that_is_carried_to_a_client_is_worded_in_python() -> None:
    def rule(module: Module) -> Iterator[str]:
        for call in module.calls():
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in CARRIED_TO_A_CLIENT:
                given = [*call.args, *(keyword.value for keyword in call.keywords)]
                yield from (f"line {call.lineno} words a {name}" for value in given if _holds_letters(value))

    holds(rule, "Message('Good to see you.')", "bot/made_up.py")
    holds(rule, "Message(f'Hello {name}', keeps_keyboard=True)", "dialogues/made_up.py")
    assert list(rule(Module("bot/console.py", "Message(f'{caption}\\n{path}')"))) == []


def test_the_state_machine_holds_no_sentence_but_in_docstrings() -> None:
    def rule(module: Module) -> Iterator[str]:
        # The names of kinds of answer are what authors write between asterisks; clients never read them.
        if module.folder not in PURE or module.place == "state_machine/model/answer_kinds.py":
            return
        notes = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
        refusals = {
            id(part) for node in ast.walk(module.tree) if isinstance(node, ast.Raise) for part in ast.walk(node)
        }
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes | refusals:
                speaks = node.value[:1].isupper() or re.search(r"[a-z][.?!…](\s|$)", node.value)
                if len(node.value.split()) > 2 and speaks:
                    yield f"line {node.lineno} says “{node.value}”"

    holds(rule, "WORDS = 'How is it right now?'")


# --- files small and named for one thing --------------------------------------------------


def test_no_file_is_named_for_nothing() -> None:
    def rule(module: Module) -> Iterator[str]:
        parts = [part.removesuffix(".py") for part in module.place.split("/")]
        yield from (part for part in parts if VAGUE_NAMES & set(part.split("_")))

    holds(rule, "", "bot/message_utils.py")


def test_no_file_is_longer_than_three_hundred_lines_of_code() -> None:
    def rule(module: Module) -> Iterator[str]:
        count = len(_lines_of_code(module))
        if count > MOST_LINES_OF_CODE:
            yield f"{count} lines of code"

    holds(rule, "a = 1\n" * 301)
    assert not list(rule(Module("state_machine/made_up.py", '"""One."""\n\n# two\n' + "a = 1\n" * 300)))


def test_no_function_is_longer_than_a_screen() -> None:
    def rule(module: Module) -> Iterator[str]:
        # A migration is a list of columns, written once and never changed.
        if module.place.startswith("storage/migrations/versions/"):
            return
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MOST_LINES_OF_A_FUNCTION:
                    yield f"{node.name} has {length} lines"

    holds(rule, "def long():\n" + "    a = 1\n" * 60)


def test_no_two_classes_have_one_name() -> None:
    def shared(shipped: Iterable[Module]) -> dict[str, list[str]]:
        places: dict[str, list[str]] = {}
        for module in shipped:
            for node in module.tree.body:
                if isinstance(node, ast.ClassDef):
                    places.setdefault(node.name, []).append(module.place)
        return {name: found for name, found in places.items() if len(found) > 1}

    two = [Module("bot/made_up.py", "class One: ..."), Module("storage/made_up.py", "class One: ...")]
    assert shared(two) == {"One": ["bot/made_up.py", "storage/made_up.py"]}
    assert shared(modules()) == {}


def test_every_module_says_what_it_is_for() -> None:
    def rule(module: Module) -> Iterator[str]:
        if module.text.strip() and not ast.get_docstring(module.tree):
            yield "has no docstring"

    holds(rule, "a = 1")


def _holds_letters(value: ast.expr) -> bool:
    parts = value.values if isinstance(value, ast.JoinedStr) else [value]
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return any(any(sign.isalpha() for sign in text) for text in texts)


def _lines_of_code(module: Module) -> set[int]:
    """Lines that hold something else than blank space, a comment or a docstring."""
    idle = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type not in idle:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines
