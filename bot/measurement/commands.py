"""Commands that measure and simulate the bot. Each imports only what it needs, so that the others start quickly."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

bench = typer.Typer(no_args_is_help=True, help="Benchmarks.")
safety = typer.Typer(no_args_is_help=True, help="Try and measure the screen for danger.")


@safety.command()
def screen() -> None:
    """Read one message per line from standard input; print its tier (1, 2, 3 or 0), a tab, and the kind of danger."""
    from bot.measurement.screen_metrics import screen_lines  # noqa: PLC0415
    from dialogues.reading import signals  # noqa: PLC0415

    screen_lines(signals.screen(), typer.get_text_stream("stdin", "utf-8", "replace"), sys.stdout)


@safety.command()
def measure(
    files: Annotated[
        list[Path], typer.Argument(help="JSON lines with text and tier (explicit, possible, none), or plain lines.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    write: Annotated[
        Path | None, typer.Option("--write", help="Write the tables into this document, between its marks.")
    ] = None,
) -> None:
    """Measure recall and false alarms of the screen on files of messages, with 95 % intervals."""
    from bot.measurement import screen_metrics_table  # noqa: PLC0415
    from bot.measurement.screen_metrics import InvalidMessageFile, measure  # noqa: PLC0415
    from dialogues.reading import signals  # noqa: PLC0415

    try:
        report = measure(signals.screen(), files)
    except InvalidMessageFile as fault:
        _refuse(str(fault))
    except UnicodeDecodeError:
        _refuse("One of the files is not UTF-8 text; save it as UTF-8.")
    except OSError as fault:
        _refuse(f"{fault.filename} can't be read ({fault.strerror}).")
    if write is not None:
        try:
            screen_metrics_table.write(report, write)
        except ValueError as fault:
            _refuse(str(fault))
        return
    typer.echo(report.as_json() if as_json else report.as_text())


def simulate(  # noqa: PLR0913, PLR0917 - one for each option
    clients: Annotated[int, typer.Option(help="How many clients.")] = 20,
    days: Annotated[int, typer.Option(help="How many days.")] = 7,
    seed: Annotated[int, typer.Option(help="Seed; the same seed gives the same simulation.")] = 1,
    zone: Annotated[list[str] | None, typer.Option(help="Time zone of clients; may be given several times.")] = None,
    faults: Annotated[
        str, typer.Option(help="Faults of Telegram and of the process: none, light or heavy.")
    ] = "none",
    show: Annotated[int | None, typer.Option(help="Print the transcript of this client, counted from 0.")] = None,
    off: Annotated[int, typer.Option(help="Hours of downtime from 18:00 UTC of day 2 on.")] = 0,
    settled: Annotated[bool, typer.Option("--settled", help="Start with clients whose first day is over.")] = False,
    pure: Annotated[bool, typer.Option("--pure", help="Run only the engine: one client, sixteen weeks.")] = False,
) -> None:
    """Simulate clients of the whole bot, and check every message sent by schedule against the rules for reminders."""
    from bot.measurement.simulation import command  # noqa: PLC0415

    if pure:
        raise typer.Exit(0 if command.run_engine(typer.echo) else 1)
    try:
        plan = command.plan(clients, days, seed, zone or [], faults, show, off, settled)
        result = command.run(plan, typer.echo)
    except command.PlanRefused as refusal:
        _refuse(str(refusal))
    raise typer.Exit(1 if result.recorder.violations else 0)


@bench.command()
def weeks() -> None:
    """Simulate sixteen weeks of one client: with the engine alone, and with storage and courier."""
    from bot.measurement.simulation import command  # noqa: PLC0415

    raise typer.Exit(0 if command.run_weeks(typer.echo) else 1)


@bench.command()
def turn(turns: Annotated[int, typer.Option(help="How many turns are measured.")] = 2000) -> None:
    """Measure the CPU time of a turn: beside aiogram on Redis, by part, and beside the bare statements."""
    from bot.measurement import benchmark as measured  # noqa: PLC0415

    measured.turn(turns, typer.echo)


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(2)
