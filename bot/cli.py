"""`ipt-bot`: the command line. Each command imports what it needs, so that none waits for another's libraries."""

from __future__ import annotations

import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.measurement import commands as measurement_commands
from bot.operator import commands as operator_commands

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)
cli.add_typer(measurement_commands.bench, name="bench")
cli.add_typer(measurement_commands.safety, name="safety")

ROOT = Path(__file__).parent.parent
DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "dialogues.md")
"""The documents that carry drawn diagrams."""
CHAT_PICTURE = ROOT / "docs" / "chat.svg"
"""The picture in the README, drawn from the chat that stands there as text."""


def main() -> None:
    """Run the command line. A refusal is a sentence, never a traceback."""
    try:
        cli()
    except Exception as fault:
        if not _is_refusal(fault):
            raise
        typer.echo(str(fault), err=True)
        sys.exit(2)


def _is_refusal(fault: Exception) -> bool:
    from bot.app import BookRefused  # noqa: PLC0415
    from bot.settings import SettingsRefused  # noqa: PLC0415
    from dialogues.helplines.rows import HelpLinesError  # noqa: PLC0415
    from storage.errors import DatabaseFault, StoreRefused  # noqa: PLC0415

    return isinstance(fault, SettingsRefused | BookRefused | HelpLinesError | StoreRefused | DatabaseFault)


@cli.command()
def chat(
    client: Annotated[str, typer.Option(help="Whose conversation: a name of your choice.")] = "me",
    at: Annotated[
        datetime | None, typer.Option(help="Pretend it is this moment (ISO time, the client's own).")
    ] = None,
) -> None:
    """Talk with the bot in this terminal. Lines may come from a pipe; `-- 3 days --` lets time pass."""
    is_terminal = sys.stdin.isatty()
    try:
        if is_terminal:  # before the imports, so that the screen is not empty while they take their time
            typer.secho(_HOW_TO_TYPE, dim=True, err=True)
        _chat(client, at, is_terminal)
    except (EOFError, KeyboardInterrupt):
        typer.echo("")


_HOW_TO_TYPE = "Type an answer, or the number before it. Ctrl-D or /quit ends; what was said is kept.\n"


def _chat(client: str, at: datetime | None, is_terminal: bool) -> None:
    from bot import app, settings  # noqa: PLC0415
    from bot.console import Console, prepare_streams, width_of_screen  # noqa: PLC0415

    prepare_streams()
    console = Console(app.build(settings.read(), screen_ready=False), client, typer.echo, at, width_of_screen())
    if not is_terminal:
        app.screen()
        console.run(sys.stdin, echo=True)
        return
    console.open()
    app.screen()
    while True:
        typer.echo("")
        line = input("> ")
        if line.strip() == "/quit":
            return
        console.say(line)


@cli.command()
def run() -> None:
    """Run on Telegram, with BOT_TOKEN from the environment or `.env`."""
    from bot import app, logs, settings  # noqa: PLC0415
    from bot.operator import help_lines  # noqa: PLC0415

    read = settings.read()
    if read.bot_token is None:
        typer.echo(
            "BOT_TOKEN is not set. Write to @BotFather on Telegram, send /newbot, and put the token it gives you"
            " into .env as BOT_TOKEN=…  (`make chat` talks in this terminal and needs no token.)",
            err=True,
        )
        raise typer.Exit(2)
    import asyncio  # noqa: PLC0415

    from bot.telegram import polling, service  # noqa: PLC0415
    from bot.worker_thread import WorkerThread  # noqa: PLC0415

    built = app.build(read, sends=True)
    commands = [(d.opened_by, d.menu) for d in built.book.script.dialogues.values() if d.opened_by and d.menu]
    menu = sorted((command.removeprefix("/"), line) for command, line in commands)
    official = read.bot_api_url == settings.TELEGRAM
    wiring = service.Wiring(
        read.bot_token.get_secret_value(),
        None if official else f"{read.bot_api_url}/bot",
        read.http_client,
        official,
        menu,
        read.proxy(),
    )
    logs.start(read.log_level)
    logging.getLogger("bot").info("%s", help_lines.summary(app.lines(read), app.now().date()))
    worker = WorkerThread()
    try:
        asyncio.run(service.run(wiring, built.store, worker, built.conversation, built.export, app.now))
    except polling.TokenRefused as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(2) from None
    finally:
        worker.close()
        built.store.close()
        if built.lock is not None:
            built.lock.release()


@cli.command()
def check(
    folder: Annotated[Path | None, typer.Argument(help="A language folder; the shipped book if none.")] = None,
) -> None:
    """Read the whole book and list every fault with its place and remedy."""
    from dialogues import book  # noqa: PLC0415
    from dialogues.checks.signals import check as check_signals  # noqa: PLC0415
    from dialogues.checks.whole import check as check_book  # noqa: PLC0415
    from dialogues.reading import signals  # noqa: PLC0415
    from dialogues.reading.faults import Severity  # noqa: PLC0415

    read = book.read(folder)
    found = check_book(read)
    if folder is None:
        found += [fault for language in signals.books() for fault in check_signals(language)]
    for fault in found:
        typer.echo(str(fault))
    faults = [fault for fault in found if fault.severity is not Severity.WARNING]
    typer.echo(f"{len(read.script.dialogues)} dialogues, {len(faults)} faults, {len(found) - len(faults)} warnings.")
    raise typer.Exit(1 if faults else 0)


@cli.command()
def draw(
    name: Annotated[
        str | None, typer.Argument(help="A dialogue such as welcome/first_words; the phases if none.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the drawn blocks of the documents anew.")] = False,
) -> None:
    """Draw the programme, or one dialogue, as a Mermaid diagram."""
    from dialogues import book  # noqa: PLC0415
    from dialogues.documents import chat_picture, diagrams  # noqa: PLC0415

    if write:
        diagrams.write_blocks(DOCUMENTS)
        CHAT_PICTURE.write_text(chat_picture.picture_for(DOCUMENTS[0].read_text(encoding="utf-8")), encoding="utf-8")
        return
    read = book.read()
    if name is not None and name not in read.script.dialogues:
        typer.echo(
            f"There is no dialogue called {name}. There are: {', '.join(sorted(read.script.dialogues))}.", err=True
        )
        raise typer.Exit(2)
    typer.echo(diagrams.dialogue(read.script.dialogues[name]) if name else diagrams.phases())


@cli.command()
def book() -> None:
    """Print the whole programme as one document to read."""
    from dialogues import book as books  # noqa: PLC0415
    from dialogues.documents import printed  # noqa: PLC0415

    typer.echo(printed.document(books.read()))


# Last, so that the help names them last.
cli.add_typer(operator_commands.cli)
cli.command()(measurement_commands.simulate)
