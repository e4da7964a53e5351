"""Sixteen weeks of one client through the engine and the words, without storage: does a turn grow with the story?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from bot.measurement.benchmark.measured import Cost
from bot.measurement.benchmark.rounds import A_FAIR_MOOD, BEGUN, CALM
from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.events import Said
from state_machine.programme.tables import CHECK_IN
from state_machine.turn.machine import Machines

DAYS = 16 * 7
WEEK = 7
MOST_ANSWERS = 40
"""A dialogue that is not at its end after so many answers is put aside."""


@dataclass
class LongRun:
    """What it cost: `engine` in all, the others per turn."""

    engine: Cost = field(default_factory=Cost)
    words: Cost = field(default_factory=Cost)
    weeks: dict[int, Cost] = field(default_factory=dict)
    turns_of_week: dict[int, int] = field(default_factory=dict)

    @property
    def turns(self) -> int:
        """Turns in all."""
        return sum(self.turns_of_week.values())

    @property
    def first_week(self) -> Cost:
        """The engine, a turn of the first week."""
        return self.weeks[0].per(self.turns_of_week[0])

    @property
    def last_week(self) -> Cost:
        """The engine, a turn of the last week."""
        return self.weeks[max(self.weeks)].per(self.turns_of_week[max(self.weeks)])

    @property
    def words_a_turn(self) -> Cost:
        """The words of a turn."""
        return self.words.per(self.turns)


def long_run(machines: Machines, prompts: Prompts) -> LongRun:
    """Every day what is due, answered to its end, and a check-in with all that can be added to it."""
    run, client = LongRun(), _Client(machines, prompts)
    command = f"/{machines.script.dialogues[CHECK_IN].opened_by}"
    for day in range(DAYS):
        client.now += timedelta(days=1)
        for opening in ("hello", command):
            client.says(opening, run, day // WEEK)
            for _ in range(MOST_ANSWERS):
                if client.progress.runs:
                    client.says(client.answer(), run, day // WEEK)
            while client.progress.runs:
                client.says(machines.script.later[0], run, day // WEEK)
    return run


class _Client:
    def __init__(self, machines: Machines, prompts: Prompts) -> None:
        self.progress = CALM
        self.now = BEGUN
        self._machines = machines
        self._prompts = prompts

    def says(self, text: str, run: LongRun, week: int) -> None:
        spent, event = Cost(), Said(self.now, text)
        with spent.counting():
            turn = step(self._machines, self.progress, event)
        with run.words.counting():
            self._prompts.outgoing(turn.effects, self.now)
        run.engine += spent
        run.weeks[week] = run.weeks.get(week, Cost()) + spent
        run.turns_of_week[week] = run.turns_of_week.get(week, 0) + 1
        self.progress = turn.progress

    def answer(self) -> str:
        """The next answer: a fair mood, a name where one is asked for, else the first button."""
        front = self.progress.runs[-1]
        labels = [offer.label for offer in self._prompts.offers_of(front, self.progress, front.asked)]
        here = self._machines.script.dialogues[front.dialogue].steps[front.step]
        if here.way_for(AnswerKind.NEW_NAME) is not None:
            return f"Somebody {self.progress.next_person}"
        return A_FAIR_MOOD if A_FAIR_MOOD in labels else (labels or ["words of their own"])[0]
