"""The same conversation in a terminal or a pipe.

Choices are numbered and may be typed as numbers, however people write them; an empty line only shows the choices
again. Time can be moved with a line such as `-- 3 days --`.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.app import App
from bot.conversation import InboundEvent
from bot.delivery.messenger import TERMINAL
from state_machine.model.events import Said
from state_machine.model.outgoing import Choice, ExportFile, Message
from state_machine.schedule import agenda
from state_machine.turn.options import FINISHED, PICK
from storage.repositories.chats import Chat
from storage.repositories.outbox import Sent
from storage.tables import channel_of

BETWEEN_LINES = timedelta(seconds=15)
"""How far a clock that was set moves on with each line."""
WIDTH = 90
"""Columns of a line where nothing else is known, as in a pipe."""
INDENT = 6
"""Columns before the words, where the name of the speaker stands."""
_TIME_PASSES = re.compile(r"--\s*(\d+)\s*(minute|hour|day|week)s?\s*--")
_A_NUMBER = r"(?:(?:no|nr|number)\b\.?\s*|№\s*|#\s*)?[(\[]?\s*(\d{1,4})\s*[])]?[.):]?"
_NUMBERS = re.compile(rf"{_A_NUMBER}(?:(?:\s*[,;&+]\s*(?:and\s+)?|\s+and\s+|\s+){_A_NUMBER})*", re.IGNORECASE)
"""One or more numbers of choices: `1`, `1.`, `(1)`, `[1]`, `#1`, `no. 1`, `1, 3`, `1 and 3`."""
_WITH_LABEL = re.compile(rf"{_A_NUMBER}\s+(.*?)\s*]?", re.IGNORECASE)
"""A choice as it stands on the screen, its number before its label."""


def width_of_screen() -> int:
    """Columns of the terminal, at most `WIDTH`; `WIDTH` where the output is no terminal."""
    return min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns) if sys.stdout.isatty() else WIDTH


def prepare_streams() -> None:
    """Make a byte that is no text a replacement sign instead of an error, and let arrow keys edit the line."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if sys.stdin.isatty():
        with suppress(ImportError):  # not every system has it
            import readline  # noqa: F401, PLC0415 - `input` uses it once it is there


class Console:
    """One client in a terminal. `say` takes what they type; `show` prints what we say."""

    def __init__(
        self,
        app: App,
        client: str,
        show: Callable[[str], None],
        at: datetime | None = None,
        width: int = WIDTH,
    ) -> None:
        self._app = app
        self._client = client
        self._address = f"{TERMINAL}{client}"
        self._show = show
        self._width = max(width, 4 * INDENT)
        self._shift = timedelta(0)
        self._frozen = at is not None
        if at is not None:
            self._moment = self._aware(at)

    def open(self) -> None:
        """Begin, or show where we were."""
        self._tell("/start")

    def say(self, line: str) -> None:
        """Take one line: an answer, the number of a choice, nothing at all, or time that passes."""
        passes = _TIME_PASSES.fullmatch(line.strip())
        if passes:
            self._pass_time(timedelta(**{f"{passes[2]}s": int(passes[1])}))
            return
        self._wake_up()
        if not line.strip():
            self._show_choices(self._open_choices())
            return
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
        with self._app.store.begin(read_only=True) as work:
            chat = work.chats.find(self._address)
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
            return work.chats.find(self._address)

    def _meant(self, line: str) -> str:
        """The label that a typed number stands for, unless the step asks for numbers itself."""
        with self._app.store.begin(read_only=True) as work:
            chat = work.chats.find(self._address)
            if chat is None or not chat.progress.runs:
                return line
            found = self._app.prompts.offers_of(chat.progress.runs[-1], chat.progress, self._now())
        several = any(offer.key.startswith(PICK) for offer in found)
        return meant(line, [offer.label for offer in found if offer.key != FINISHED], several)

    def _open_choices(self) -> Sequence[Sequence[Choice]]:
        with self._app.store.begin(read_only=True) as work:
            chat = work.chats.find(self._address)
            if chat is None or not chat.progress.runs:
                return ()
            return self._app.prompts.choices(chat.progress.runs[-1], chat.progress, self._now())

    def _tell(self, text: str) -> None:
        key = f"terminal:{secrets.token_hex(8)}"
        self._app.conversation.receive(
            InboundEvent(key, self._address, Said(self._now(), text), payload=text.encode("utf-8", "replace"))
        )
        self._drain()

    def _drain(self) -> None:
        """Print what waits for this client, and mark it as sent."""
        with self._app.store.begin() as work:
            for notice in work.erasure_notices.due(channel_of(self._address), self._now()):
                if notice.address == self._address:
                    for message in notice.messages:
                        self._print(message)
                    work.erasure_notices.delete(notice.id)
            chat = work.chats.find(self._address)
            while chat is not None and (waiting := work.outbox.next_for(chat.client)) is not None:
                if isinstance(waiting.content, Message):
                    self._print(waiting.content)
                elif isinstance(waiting.content, ExportFile):
                    self._save_export(waiting.content, *self._app.export(work, chat.client))
                work.outbox.mark_sent(Sent(chat.client, waiting.id, None, self._now()))

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
        width = self._width - INDENT
        lines = [part for line in message.text.split("\n") for part in textwrap.wrap(line, width) or [""]]
        self._show("\n".join(f"{'bot' if number == 0 else '':<{INDENT}}{line}" for number, line in enumerate(lines)))
        self._show_choices(message.choices)

    def _show_choices(self, rows: Sequence[Sequence[Choice]]) -> None:
        """Print choices with their numbers: in one line where they fit, else long ones on a line each."""
        labels = [choice.label for row in rows for choice in row]
        if not labels:
            return
        figures = [label for label in labels if label.isdecimal()]
        shown = [f"[{figures[0]}–{figures[-1]}]"] if len(figures) > 1 else []
        others = [label for label in labels if label not in figures or len(figures) == 1]
        shown += [f"[{label}]" if figures else f"[{number} {label}]" for number, label in enumerate(others, 1)]
        lines, is_list = [shown[0]], len(rows) == len(labels)
        whole = "  ".join(shown)
        for choice in shown[1:]:
            longer = f"{lines[-1]}  {choice}"
            if len(longer) > self._width - INDENT or (is_list and len(whole) > self._width - INDENT):
                lines.append(choice)
            else:
                lines[-1] = longer
        margin = " " * INDENT
        for line in lines:
            wrapped = textwrap.wrap(line, self._width - INDENT, subsequent_indent="  ", break_on_hyphens=False)
            self._show("\n".join(margin + part for part in wrapped))


def meant(line: str, labels: Sequence[str], several: bool) -> str:
    """The labels that the numbers in a line stand for, counted from 1; the line itself where it means none.

    Where a label is a number itself, a number is an answer. Of `several` choices more than one may be named.
    """
    typed = line.strip()
    if any(label.isdecimal() for label in labels):
        return line
    if _NUMBERS.fullmatch(typed):
        numbers = [int(number) for number in re.findall(r"\d+", typed)]
        if (several or len(numbers) == 1) and all(1 <= number <= len(labels) for number in numbers):
            return ", ".join(labels[number - 1] for number in numbers)
        return line
    copied = _WITH_LABEL.fullmatch(typed)
    if copied and 1 <= (number := int(copied[1])) <= len(labels):
        label = labels[number - 1]
        return label if copied[2].casefold() == label.casefold() else line
    return line
