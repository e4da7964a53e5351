"""Performs a `.chat` file: types the client's lines, and writes down everything else anew.

The grammar, line by line: `# sentence`, `at ISO-TIME`, `given DIALOGUE`, `given NAME = VALUE [CODE]`,
`given phase = PHASE`, `given person NAME`, `-- 3 days --`; `bot`, choices in brackets, `ends` and `kept`
are what we answer; every other line is the client's, after a word for who speaks.
`(what it is)` stands for something that is not text, `tap LABEL` for a tap on the last buttons that were sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from dialogues.rendering.prompts import Prompts, Tap
from state_machine.engine import step
from state_machine.model.events import Edited, Event, Said, Shared, Tapped, Woke
from state_machine.model.outgoing import Choice, Edit, ExportFile, Message, Outgoing, TapAnswer
from state_machine.model.progress import Fact, Person, Progress
from state_machine.schedule import triggers
from state_machine.turn.flow import Flow
from state_machine.turn.machine import Machines

BETWEEN_LINES = timedelta(seconds=20)
_TIME_PASSES = re.compile(r"--\s*(\d+)\s*(minute|hour|day|week)s?\s*--")
_MADE_BY_US = ("bot ", "      ", "ends ", "kept ")


class Stage(Protocol):
    """Where a chat is performed: in memory, or through conversation and database."""

    def begin(self, progress: Progress) -> None: ...
    def happens(self, event: Event) -> list[Outgoing]: ...
    def progress(self) -> Progress: ...
    def wake_at(self) -> datetime | None: ...


class InMemory:
    """The engine and the words, nothing else."""

    def __init__(self, machines: Machines, prompts: Prompts) -> None:
        self._machines, self._prompts = machines, prompts
        self._progress = Progress()

    def begin(self, progress: Progress) -> None:
        self._progress = progress

    def happens(self, event: Event) -> list[Outgoing]:
        turn = step(self._machines, self._progress, event)
        self._progress = turn.progress
        tap = Tap("tap", 1, "") if isinstance(event, Tapped) else None
        return self._prompts.outgoing(turn.effects, event.at, tap)

    def progress(self) -> Progress:
        return self._progress

    def wake_at(self) -> datetime | None:
        return triggers.next_wake(self._machines.script, self._progress)


class Performance:
    """One chat file on one stage."""

    def __init__(self, machines: Machines, prompts: Prompts, stage: Stage) -> None:
        self._machines, self._prompts, self._stage = machines, prompts, stage
        self._now = datetime(2026, 1, 5, 18, 0, tzinfo=UTC)
        self._choices: list[Choice] = []
        self._first_dialogue: str | None = None

    def perform(self, text: str) -> str:
        """The file as it comes out: the client's lines as they stand, all others made anew."""
        lines = [line.rstrip() for line in text.splitlines()]
        head = [line for line in lines if line.startswith(("#", "given ", "at "))]
        body = [line for line in lines if line not in head and line and not line.startswith(_MADE_BY_US)]
        out = list(head)
        out.append("")
        out += self._set_up(head)
        for line in body:
            out.append(line)
            out += self._line(line)
        out += self._ending()
        return "\n".join(out).rstrip() + "\n"

    # --- before ------------------------------------------------------------------

    def _set_up(self, head: list[str]) -> Iterator[str]:
        for line in head:
            if line.startswith("at "):
                self._now = datetime.fromisoformat(line[3:]).replace(tzinfo=UTC)
        given = [line.removeprefix("given ") for line in head if line.startswith("given ")]
        progress, dialogue = self._given(given)
        if dialogue is None:
            self._stage.begin(progress)
            return
        self._first_dialogue = dialogue
        flow = Flow(self._machines, progress, self._now)
        flow.open(dialogue)
        turn = flow.finish()
        self._stage.begin(turn.progress)
        yield from self._shown(self._prompts.outgoing(turn.effects, self._now))

    def _given(self, given: list[str]) -> tuple[Progress, str | None]:
        progress = Progress(
            phase="assessment", begun=self._now.date(), consent=f"1 {self._now.date()}", heard=self._now
        )
        if not given:
            return Progress(), None
        dialogue = None
        for line in given:
            name, found, value = line.partition(" = ")
            if name.startswith("person "):
                person = Person(progress.next_person, name.removeprefix("person "))
                progress = replace(progress, people=(*progress.people, person), next_person=person.id + 1)
            elif name == "nobody known":
                progress = Progress()
            elif not found:
                dialogue = name
            elif name == "phase":
                progress = replace(progress, phase=value)
            elif name == "day":
                progress = replace(progress, begun=self._now.date() - timedelta(days=int(value) - 1))
            else:
                words, _, code = value.partition(" [")
                fact = Fact(words, self._now, code.removesuffix("]") or None)
                progress = replace(progress, facts={**progress.facts, name: fact})
        return progress, dialogue

    # --- line by line ------------------------------------------------------------

    def _line(self, line: str) -> Iterator[str]:
        passes = _TIME_PASSES.fullmatch(line)
        if passes:
            yield from self._time_passes(timedelta(**{f"{passes[2]}s": int(passes[1])}))
            return
        self._now += BETWEEN_LINES
        said = line.partition(" ")[2].strip()
        yield from self._shown(self._stage.happens(self._event(said)))

    def _event(self, said: str) -> Event:
        if said.startswith("tap "):
            label = said.removeprefix("tap ")
            choice = next(c for c in self._choices if c.label == label)
            return Tapped(self._now, choice.button) if choice.button else Said(self._now, label)
        if said.startswith("changes an earlier message: "):
            return Edited(self._now, said.partition(": ")[2])
        shared = re.fullmatch(r"\((\w+)\)(.*)", said)
        if shared:
            return Shared(self._now, shared[1], shared[2].strip())
        return Said(self._now, said)

    def _time_passes(self, time: timedelta) -> Iterator[str]:
        until = self._now + time
        while True:
            due = self._stage.wake_at()
            if due is None or due > until:
                break
            self._now = max(due, self._now)
            shown = self._stage.happens(Woke(self._now))
            yield from self._shown(shown)
        self._now = until

    def _shown(self, outgoing: list[Outgoing]) -> Iterator[str]:
        for item in outgoing:
            match item:
                case Message(text, choices):
                    first, *rest = text.split("\n")
                    yield f"bot   {first}"
                    yield from (f"      {line}" for line in rest)
                    if choices:
                        self._choices = [choice for row in choices for choice in row]
                        yield "      " + " ".join(f"[{_ticked(c)}]" for c in self._choices)
                case Edit(choices=choices) if choices:
                    self._choices = [choice for row in choices for choice in row]
                    yield "      " + " ".join(f"[{_ticked(c)}]" for c in self._choices)
                case TapAnswer(text=text) if text:
                    yield f"      ({text})"
                case ExportFile():
                    yield "      (a file: my-notebook.json)"
                case _:
                    pass

    def _ending(self) -> Iterator[str]:
        progress = self._stage.progress()
        if self._first_dialogue and (done := progress.done.get(self._first_dialogue)):
            yield f"ends  {done.outcome}"
            for name, fact in progress.facts.items():
                if name in self._machines.script.dialogues[self._first_dialogue].memories:
                    code = f" [{fact.code}]" if fact.code and fact.code != fact.value else ""
                    yield f"kept  {name} = {fact.value}{code}"


def _ticked(choice: Choice) -> str:
    return f"✓ {choice.label}" if choice.picked else choice.label


def chat_files() -> list[Path]:
    """Every transcript, by name."""
    return sorted((Path(__file__).parent / "transcripts").rglob("*.chat"))
