"""Puts clients into the database as they are after their first day, so that a simulation can begin there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.measurement.simulation.bot_process import BotProcess
from bot.measurement.simulation.player import Player
from state_machine.model.progress import Done, Fact, Progress
from state_machine.model.script import Script
from state_machine.programme.tables import CONSENT_VERSION, WELCOME
from state_machine.schedule import triggers


def started_progress(player: Player, now: datetime, script: Script) -> Progress:
    """The progress of a client who finished the welcome at this instant, and chose their hours."""
    today = now.astimezone(ZoneInfo(player.place.zone)).date()
    persona, code = player.persona, script.gazetteer.countries.get(player.place.country.lower())
    words = {
        "name": ("Marigold", None),
        "country": (player.place.country, code),
        "zone": (player.place.zone, player.place.zone),
        "phone": ("Only mine", "own"),
        "look_in": (persona.look_in, persona.look_in),
        "remind_days": (persona.remind[0], persona.remind[0]),
    }
    if persona.remind[1]:
        words["remind_at"] = (persona.remind[1], persona.remind[1])
    return Progress(
        phase="assessment",
        facts={memory: Fact(value, now, code) for memory, (value, code) in words.items()},
        done={WELCOME: Done(1, now, "kept", 1, True, today)},
        begun=today,
        heard=now,
        consent=f"{CONSENT_VERSION} {today}",
        next_run=2,
    )


def add_started_clients(process: BotProcess, players: Iterable[Player], now: datetime, script: Script) -> None:
    """Add these clients to the database of the process."""
    for player in players:
        with process.store.begin() as work:
            chat = work.chats.create(player.chat.address, now)
            progress = started_progress(player, now, script)
            work.chats.save(chat, progress, triggers.next_wake(script, progress))
