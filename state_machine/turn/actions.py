"""What the tables ask to be done, done. Each act is a small change of progress, or an effect."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from state_machine.conditions import CONDITIONS
from state_machine.model.context import Context
from state_machine.model.effects import DeleteEntries, Effect, Erase, Export
from state_machine.model.progress import Fact, Person, Progress, Run, with_facts, without_facts
from state_machine.model.script import Script
from state_machine.programme.rows import Action, Ask, Forget, OfLast, Open, Pause, SimpleAction
from state_machine.programme.tables import CONSENT_VERSION, LOOKING_BACK, TODAY
from state_machine.rules import clocks, mood_trends, person_gates
from state_machine.rules.person_release import Why, renamed

SNOOZE = timedelta(hours=1)
UNTIL_THEY_WRITE = datetime.max.replace(tzinfo=UTC)
"""A pause without an end of its own."""


class Moves(Protocol):
    """What an act needs of the turn in the making: to look at it, and the moves by which dialogues follow."""

    script: Script
    progress: Progress
    now: datetime
    effects: list[Effect]

    @property
    def front(self) -> Run | None: ...
    def context(self, run: Run | None = None) -> Context: ...
    def today(self) -> date: ...
    def change(self, **fields: object) -> None: ...
    def new_run_id(self) -> int: ...
    def remark(self, refrain: str, *, again: bool = False) -> None: ...
    def release(self, person: Person, why: Why, but: int | None = None) -> None: ...
    def open(self, name: str, *, person: int | None = None, part: str | None = None, because: str = "") -> None: ...
    def begin(self, run: Run) -> None: ...
    def ask(self, memory: str) -> bool: ...
    def open_due(self, *, asked_for: bool = False) -> bool: ...
    def take_up(self, run: Run) -> None: ...
    def close_as_left(self, run: Run) -> None: ...
    def resume(self, after: Run | None = None) -> None: ...


def perform(flow: Moves, action: Action, run: Run) -> None:
    """Do what a table says, about `run`."""
    match action:
        case Open(dialogue, same_person, because):
            flow.open(dialogue, person=run.person if same_person else None, because=because)
        case Ask(memory):
            flow.ask(memory)
        case Pause(days):
            flow.change(paused_until=flow.now + timedelta(days) if days else UNTIL_THEY_WRITE)
        case OfLast(what, dialogue):
            _of_last(flow, what, dialogue)
        case Forget(memory):
            _forget(flow, memory)
        case SimpleAction():
            _simply(flow, action, run)


def _simply(flow: Moves, action: SimpleAction, run: Run) -> None:
    match action:
        case SimpleAction.NEXT | SimpleAction.START:
            if not flow.open_due(asked_for=action is SimpleAction.START):
                flow.open(TODAY)
        case SimpleAction.GO_ON if flow.front is not None:
            flow.take_up(flow.front)
        case SimpleAction.PUT_ASIDE if flow.front is not None:
            flow.close_as_left(flow.front)
            flow.resume()
        case SimpleAction.CLEAR:
            for open_run in flow.progress.runs:
                flow.close_as_left(open_run)
        case SimpleAction.ERASE | SimpleAction.FORGET:
            flow.change(**{name: getattr(Progress(), name) for name in ("runs", "aside", "facts", "people")})
            flow.effects.append(Erase("erased" if action is SimpleAction.ERASE else None))
        case SimpleAction.LOOK_BACK:
            subject = mood_trends.stands_out(flow.progress, flow.today())
            if subject is not None and not CONDITIONS["after_danger"](flow.context(run)):
                flow.open(LOOKING_BACK, part=mood_trends.key(subject))
        case SimpleAction.EXPORT:
            flow.effects.append(Export())
        case SimpleAction.REMOVE_PERSON | SimpleAction.PERSON_DIED | SimpleAction.RENAME_PERSON:
            _of_person(flow, action, run)
        case _:
            _without_a_word(flow, action, run)


def _without_a_word(flow: Moves, action: SimpleAction, run: Run) -> None:
    """What only changes what is kept."""
    put_off = {**flow.progress.put_off, run.dialogue: flow.today()}
    asked_for = flow.context(run).day()
    match action:
        case SimpleAction.BEGIN:
            # Heard twice: at the yes, and when the first talk ends and the client's clock is known.
            given = flow.context(run).fact("consent")
            day = flow.context(run).local(given.at if given else flow.now).date()
            flow.change(begun=day, consent=f"{CONSENT_VERSION} {day}")
        case SimpleAction.NOT_SO_MEANT:
            flow.change(misread=flow.progress.alarmed)
        case SimpleAction.SETTLE_ZONE:
            zones = clocks.fitting(flow.context(run), flow.now)
            if zones and flow.context(run).code("zone") not in zones:
                flow.change(facts=with_facts(flow.progress.facts, {"zone": Fact(zones[0], flow.now, zones[0])}))
        case SimpleAction.UNPAUSE:
            flow.change(paused_until=None, suspended=False)
        case SimpleAction.WRITE_AGAIN:
            flow.change(suspended=False)
        case SimpleAction.REST:
            flow.change(suspended=True, snoozed_until=None)
        case SimpleAction.SNOOZE:
            flow.change(snoozed_until=flow.now + SNOOZE, snoozed_for=asked_for)
        case SimpleAction.NOT_TODAY:
            flow.change(put_off={**put_off, run.dialogue: asked_for}, snoozed_until=None)
        case SimpleAction.POSTPONE:
            flow.change(put_off=put_off)
        case _:
            pass


def _forget(flow: Moves, memory: str) -> None:
    def without(runs: tuple[Run, ...]) -> tuple[Run, ...]:
        return tuple(replace(run, answers=tuple(a for a in run.answers if a.memory != memory)) for run in runs)

    open_runs = (*flow.progress.runs, *flow.progress.aside)
    fact = flow.progress.facts.get(memory)
    known = [] if fact is None else [fact]
    known += [answer.fact for run in open_runs for answer in run.answers if answer.memory == memory]
    forgotten = {fact.value for fact in known}
    flow.change(
        facts=without_facts(flow.progress.facts, [memory]),
        recent=tuple(heard for heard in flow.progress.recent if heard.words.strip() not in forgotten),
        runs=without(flow.progress.runs),
        aside=without(flow.progress.aside),
    )


def _of_person(flow: Moves, action: SimpleAction, run: Run) -> None:
    person = person_gates.person_of(flow.progress, run)
    new_name = next((a.fact.value for a in run.answers if a.memory == "new_name"), None)
    if person is None:
        return
    if action is SimpleAction.REMOVE_PERSON:
        flow.release(person, Why.REMOVED)
    elif action is SimpleAction.PERSON_DIED:
        flow.release(person, Why.DIED)
    elif new_name is not None:
        flow.progress = renamed(flow.script, flow.progress, person, new_name)


def _of_last(flow: Moves, what: str, dialogue: str) -> None:
    done = flow.progress.done.get(dialogue)
    if dialogue not in flow.script.dialogues or (done is None and what != "for_yesterday"):
        flow.remark("nothing_open")
        return
    if done is not None and what == "strike":
        gone = flow.script.dialogues[dialogue].memories
        flow.effects.append(DeleteEntries(run=done.run))
        flow.change(
            check_ins=mood_trends.without(flow.progress.check_ins, done.run),
            facts=without_facts(flow.progress.facts, gone),
            done={name: past for name, past in flow.progress.done.items() if name != dialogue},
        )
        return
    if done is not None and what == "change":
        number, day = done.run, None if done.day == flow.today() else done.day
    else:
        number, day = flow.new_run_id(), flow.today() - timedelta(days=1)
    flow.begin(Run(number, dialogue, flow.script.dialogues[dialogue].first, flow.now, flow.now, day=day))
