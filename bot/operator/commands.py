"""Commands for the operator: help lines, counters, dead letters, the operator's key.

Each command imports only what it needs, so that the others start quickly.
"""

from __future__ import annotations

from typing import Annotated

import typer

cli = typer.Typer()


@cli.command()
def lines(
    country: Annotated[
        str | None, typer.Option(help="Two letters, such as IE: print what a client there would see.")
    ] = None,
    release: Annotated[bool, typer.Option("--release", help="Exit with status 1 if any row is stale.")] = False,
) -> None:
    """List the help lines that need a check, and where to check each."""
    from bot import app, settings  # noqa: PLC0415
    from bot.operator import help_lines  # noqa: PLC0415

    read = settings.read()
    now = app.now()
    table = app.lines(read)
    if country is not None:
        if country.upper() not in table.numbers:
            typer.echo(f"There is no country {country}; write its two letters, such as IE.", err=True)
            raise typer.Exit(2)
        for line in help_lines.client_view(*app.words(read), country.upper(), now):
            typer.echo(line)
        return
    for line in help_lines.report(table, now.date()):
        typer.echo(line)
    if release and help_lines.is_stale(table, now.date()):
        raise typer.Exit(1)


@cli.command()
def counters() -> None:
    """Print how often each kind of safety talk was opened, by month; counts below five are not shown."""
    from bot import settings  # noqa: PLC0415
    from bot.operator import counters as counts  # noqa: PLC0415

    for line in counts.report(settings.read()):
        typer.echo(line)


@cli.command("dead-letters")
def list_dead_letters() -> None:
    """List the events that failed and the messages that could not be sent, without their text."""
    from bot import settings  # noqa: PLC0415
    from bot.operator import dead_letters  # noqa: PLC0415

    read = settings.read()
    if dead_letters.is_empty(read):
        typer.echo(f"There is no data in {read.data_dir} yet.")
        return
    for line in dead_letters.list_dead_letters(read):
        typer.echo(line)


@cli.command()
def replay() -> None:
    """Process every dead letter again, after a fix, and print the result of each."""
    from bot import app, settings  # noqa: PLC0415
    from bot.operator import dead_letters  # noqa: PLC0415

    read = settings.read()
    if dead_letters.is_empty(read):
        typer.echo(f"There is no data in {read.data_dir} yet.")
        return
    built = app.build(read)
    try:
        for line in dead_letters.replay(built, app.now):
            typer.echo(line)
    finally:
        built.store.close()


@cli.command("rotate-key")
def rotate_key() -> None:
    """Replace the operator's key with a new one, and print what to back up."""
    from bot import settings  # noqa: PLC0415
    from bot.operator import key_rotation  # noqa: PLC0415

    for line in key_rotation.rotate(settings.read()):
        typer.echo(line)
