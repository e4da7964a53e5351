"""Help with the network cut and the book half broken, in a process of its own.

`python -m tests.cut_off BOOK FOLDER`: reads one JSON object {"says": [...], "phase": …, "break": [...]} a line,
each a client of its own, and answers with one JSON list a line: the texts each of their words was answered with.
`phase` null: nobody known, before consent. `break`: dialogues whose every template fails from now on.
"""

from __future__ import annotations

import json
import socket
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from bot.app import App
from bot.conversation import Conversation
from bot.settings import Settings
from dialogues import book as books
from dialogues.book import Book
from dialogues.helplines.tables import HelpLines
from dialogues.reading import signals
from dialogues.rendering.prompts import Prompts
from state_machine.model.progress import Fact
from state_machine.model.script import Bubble
from state_machine.turn import machine
from storage.store import Store
from tests.talking import START, Client

BROKEN = "{{ nobody_ever_said_this }}"
"""A template that can be read and can't be rendered."""


def refuse(*_: object, **__: object) -> NoReturn:
    """Stands in place of every way to the network."""
    raise OSError("the network is cut")


def main(folder: Path, data: Path) -> None:
    """Serve from standard input to standard output until it ends."""
    for name in ("socket", "create_connection", "getaddrinfo", "socketpair", "fromfd"):
        setattr(socket, name, refuse)
    book = books.read(folder)
    store = Store.open(data)
    for number, line in enumerate(sys.stdin):
        asked = json.loads(line)
        client = Client(app_on_this(store, data, with_broken(book, asked.get("break", []))), f"client {number}")
        if asked["phase"] is not None:
            known_in(client, asked["phase"])
        print(json.dumps([client.says(words) for words in asked["says"]]), flush=True)
    store.close()


def app_on_this(store: Store, data: Path, book: Book) -> App:
    machines = machine.build(book.script, signals.screen())
    prompts = Prompts(book, HelpLines.read(), "Robin")
    settings = Settings(data_dir=data, _env_file=None)  # type: ignore[call-arg]
    return App(settings, book, machines, prompts, store, Conversation(store, machines, prompts))


def known_in(client: Client, phase: str) -> None:
    """Put somebody with consent and a country into a phase, paused."""
    with client.app.store.begin() as work:
        chat = work.chats.create(client.address, START)
        facts: dict[str, Any] = {
            "name": Fact("Ana", START),
            "country": Fact("Ireland", START, "IE"),
            "zone": Fact("Europe/Dublin", START, "Europe/Dublin"),
        }
        progress = replace(
            chat.progress, phase=phase, begun=date(2026, 1, 1), consent="1 2026-01-01", heard=START, facts=facts
        )
        work.chats.save(chat, progress, None)


def with_broken(book: Book, names: list[str]) -> Book:
    dialogues = dict(book.script.dialogues)
    for name in names:
        steps = {
            step.name: replace(step, bubbles=tuple(Bubble((BROKEN,), bubble.line) for bubble in step.bubbles))
            for step in dialogues[name].steps.values()
        }
        dialogues[name] = replace(dialogues[name], steps=steps)
    return replace(book, script=replace(book.script, dialogues=dialogues))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
