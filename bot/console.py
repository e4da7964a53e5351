"""The same conversation in a terminal or a pipe.

Choices are numbered and may be typed as numbers; time can be moved with a line such as `-- 3 days --`.
"""

from __future__ import annotations

import os
import re
import secrets
import textwrap
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.app import App
from bot.conversation import InboundEvent
from state_machine.model.events import Said
from state_machine.model.outgoing import ExportFile, Message
from state_machine.schedule import agenda
from state_machine.turn.options import FINISHED, PICK
from storage.repositories.clients import Chat
from storage.send_log import Sent
from storage.tables import channel_of

BETWEEN_LINES = timedelta(seconds=15)
"""How far a clock that was set moves on with each line."""
WIDTH = 84
_TIME_PASSES = re.compile(r"--\s*(\d+)\s*(minute|hour|day|week)s?\s*--")


class Console:
    """One client in a terminal. `say` takes what they type; `show` prints what we say."""

    def __init__(self, app: App, client: str, show: Callable[[str], None], at: datetime | None = None) -> None:
        self._app = app
        self._client = client
        self._address = f"terminal:{client}"
        self._show = show
        self._shift = timedelta(0)
        self._frozen = at is not None
        if at is not None:
            self._moment = self._aware(at)

    def open(self) -> None:
        """Begin, or show where we were."""
        self._tell("/start")

    def say(self, line: str) -> None:
        """Take one line: an answer, a number of a choice, or time that passes."""
        passes = _TIME_PASSES.fullmatch(line.strip())
        if passes:
            self._pass_time(timedelta(**{f"{passes[2]}s": int(passes[1])}))
            return
        self._wake_up()
        self._tell(self._meant(line))
        if self._frozen:
            self._moment += BETWEEN_LINES

    def run(self, lines: Iterable[str], *, echo: bool) -> None:
        """Take line after line; with `echo` each is printed, so that a pipe leaves a transcript."""
        for line in lines:
            self._wake_up()
            if echo:
                self._show(f"{self._client[:5]:<6}{line.rstrip()}")
            self.say(line.rstrip("\n"))

    # --- time --------------------------------------------------------------------

    def _aware(self, at: datetime) -> datetime:
        if at.tzinfo is not None:
            return at.astimezone(UTC)
        chat = self._chat()
        zone = agenda.zone_of(chat.progress) if chat else ZoneInfo("UTC")
        return at.replace(tzinfo=zone).astimezone(UTC)

    def _now(self) -> datetime:
        return self._moment if self._frozen else datetime.now(UTC) + self._shift

    def _pass_time(self, time: timedelta) -> None:
        if self._frozen:
            self._moment += time
        else:
            self._shift += time
        self._wake_up()

    def _wake_up(self) -> None:
        """Let everything happen that had to happen by now, each at its own instant."""
        while (chat := self._chat()) is not None:
            due = chat.wake_at
            if due is None or due > self._now():
                return
            at = max(due, chat.progress.heard or due)
            if not self._app.conversation.wake(chat.client, due, at):
                return
            self._drain()

    # --- speaking ----------------------------------------------------------------

    def _chat(self) -> Chat | None:
        with self._app.store.begin() as work:
            return work.clients.at(self._address)

    def _meant(self, line: str) -> str:
        """The label that a typed number stands for, unless the step asks for numbers itself."""
        chat = self._chat()
        if chat is None or not chat.progress.runs:
            return line
        run = chat.progress.runs[-1]
        found = self._app.prompts.offers_of(run, chat.progress, self._now())
        labels = [offer.label for offer in found if offer.key != FINISHED]
        several = any(offer.key.startswith(PICK) for offer in found)
        parts = re.split(r"[\s,]+", line.strip())
        if not all(part.isdecimal() for part in parts) or any(label.isdecimal() for label in labels):
            return line
        if (len(parts) > 1 and not several) or any(not 1 <= int(part) <= len(labels) for part in parts):
            return line
        return ", ".join(labels[int(part) - 1] for part in parts)

    def _tell(self, text: str) -> None:
        key = f"terminal:{secrets.token_hex(8)}"
        self._app.conversation.receive(
            InboundEvent(key, self._address, Said(self._now(), text), payload=text.encode())
        )
        self._drain()

    def _drain(self) -> None:
        """Print what waits for this client, and mark it as sent."""
        with self._app.store.begin() as work:
            for notice in work.erasure_notices.due(channel_of(self._address), self._now()):
                if notice.address == self._address:
                    for message in notice.messages:
                        self._print(message)
                    work.erasure_notices.done(notice.id)
            chat = work.clients.at(self._address)
            while chat is not None and (waiting := work.outbox.next_of(chat.client)) is not None:
                if isinstance(waiting.content, Message):
                    self._print(waiting.content)
                elif isinstance(waiting.content, ExportFile):
                    self._save_export(waiting.content, *self._app.export(work, chat.client))
                work.outbox.sent(Sent(chat.client, waiting.id, None, self._now()))

    def _save_export(self, message: ExportFile, name: str, content: bytes) -> None:
        exports = self._app.settings.data_dir / "exports"
        folder = exports / self._client
        for made in (exports, folder):  # not sealed, so for their owner's eyes only, also where they were made before
            made.mkdir(parents=True, exist_ok=True)
            made.chmod(0o700)
        with open(folder / name, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(content)
        (folder / name).chmod(0o600)
        self._print(Message(message.caption))
        self._show(f"      {folder / name}")

    def _print(self, message: Message) -> None:
        lines = [part for line in message.text.split("\n") for part in textwrap.wrap(line, WIDTH) or [""]]
        self._show("\n".join(f"{'bot' if number == 0 else '':<6}{line}" for number, line in enumerate(lines)))
        labels = [choice.label for row in message.choices for choice in row]
        if not labels:
            return
        figures = [label for label in labels if label.isdecimal()]
        shown = [f"[{figures[0]}–{figures[-1]}]"] if len(figures) > 1 else []
        others = [label for label in labels if label not in figures or len(figures) == 1]
        numbered = [f"[{label}]" if figures else f"[{number} {label}]" for number, label in enumerate(others, 1)]
        self._show(
            textwrap.fill(
                "  ".join(shown + numbered),
                WIDTH + 12,
                initial_indent=" " * 6,
                subsequent_indent=" " * 6,
                break_on_hyphens=False,
            )
        )
