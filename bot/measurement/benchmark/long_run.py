"""Measures sixteen weeks of one client in the engine and the words, to see whether a turn grows with the history."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from bot.measurement.benchmark.check_ins import IDLE, MOOD, START
from bot.measurement.benchmark.cost import Cost
from dialogues.rendering.prompts import Prompts
from state_machine.engine import step
from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.events import Said
from state_machine.programme.tables import CHECK_IN
from state_machine.turn.machine import Machines

DAYS = 16 * 7
WEEK = 7
MOST_ANSWERS = 40
"""A dialogue that has not ended after so many answers is left with *later*."""


@dataclass
class LongRun:
    """Total costs of the engine and the words; of the engine also by week."""

    engine: Cost = field(default_factory=Cost)
    words: Cost = field(default_factory=Cost)
    weeks: dict[int, Cost] = field(default_factory=dict)
    turns_of_week: dict[int, int] = field(default_factory=dict)

    @property
    def turns(self) -> int:
        """Number of turns."""
        return sum(self.turns_of_week.values())

    @property
    def first_week(self) -> Cost:
        """Mean cost of the engine for a turn of the first week."""
        return self.weeks[0].per(self.turns_of_week[0])

    @property
    def last_week(self) -> Cost:
        """Mean cost of the engine for a turn of the last week."""
        return self.weeks[max(self.weeks)].per(self.turns_of_week[max(self.weeks)])

    @property
    def words_a_turn(self) -> Cost:
        """Mean cost of the words of a turn."""
        return self.words.per(self.turns)


def long_run(machines: Machines, prompts: Prompts) -> LongRun:
    """Every day, answer what is due to its end, then a check-in with everything that can be added to it."""
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
        self.progress = IDLE
        self.now = START
        self._machines = machines
        self._prompts = prompts

    def says(self, text: str, run: LongRun, week: int) -> None:
        cost, event = Cost(), Said(self.now, text)
        with cost.measuring():
            turn = step(self._machines, self.progress, event)
        with run.words.measuring():
            self._prompts.outgoing(turn.effects, self.now)
        run.engine += cost
        run.weeks[week] = run.weeks.get(week, Cost()) + cost
        run.turns_of_week[week] = run.turns_of_week.get(week, 0) + 1
        self.progress = turn.progress

    def answer(self) -> str:
        """The next answer: a name if one is asked for, `MOOD` if it is offered, else the first button."""
        front = self.progress.runs[-1]
        labels = [offer.label for offer in self._prompts.offers_of(front, self.progress, front.asked)]
        here = self._machines.script.dialogues[front.dialogue].steps[front.step]
        if here.way_for(AnswerKind.NEW_NAME) is not None:
            return f"Somebody {self.progress.next_person}"
        return MOOD if MOOD in labels else (labels or ["words of their own"])[0]
