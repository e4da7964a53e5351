"""What the tables ask to be done, done. Each act is a small change of progress, or an effect."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from state_machine import looking_back
from state_machine.conditions import CONDITIONS
from state_machine.effects import Erase, Export, Strike
from state_machine.programme import CONSENT_VERSION, LOOKING_BACK
from state_machine.progress import Progress, Run
from state_machine.repair import find_places
from state_machine.rows import Act, Action, Ask, Forget, OfLast, Open, Pause

if TYPE_CHECKING:
    from state_machine.flow import Flow

SNOOZE = timedelta(hours=1)
UNTIL_THEY_WRITE = datetime.max.replace(tzinfo=UTC)
"""A pause without an end of its own."""


def act(flow: Flow, action: Action, run: Run) -> None:
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
        case Act():
            _simply(flow, action, run)


def _simply(flow: Flow, action: Act, run: Run) -> None:
    match action:
        case Act.NEXT:
            if not flow.open_due():
                flow.remark("nothing_due")
        case Act.GO_ON if flow.front is not None:
            flow.take_up(flow.front)
        case Act.PUT_ASIDE if flow.front is not None:
            flow.close_as_left(flow.front)
            flow.resume()
        case Act.CLEAR:
            for open_run in flow.progress.runs:
                flow.close_as_left(open_run)
        case Act.ERASE | Act.FORGET:
            flow.change(**{name: getattr(Progress(), name) for name in ("runs", "aside", "facts", "people")})
            flow.effects.append(Erase("erased" if action is Act.ERASE else None))
        case Act.LOOK_BACK:
            subject = looking_back.stands_out(flow.progress, flow.today())
            if subject is not None and not CONDITIONS["after_danger"](flow.view(run)):
                flow.open(LOOKING_BACK, part=looking_back.key(subject))
        case Act.EXPORT:
            flow.effects.append(Export())
        case Act.REMOVE_PERSON:
            flow.change(people=tuple(p for p in flow.progress.people if p.id != run.person))
            find_places(flow)
            flow.effects.append(Strike(person=run.person))
        case Act.PERSON_DIED | Act.RENAME_PERSON:
            _change_person(flow, action, run)
        case _:
            _without_a_word(flow, action, run)


def _without_a_word(flow: Flow, action: Act, run: Run) -> None:
    """What only changes what is kept."""
    put_off = {**flow.progress.put_off, run.dialogue: flow.today()}
    asked_for = run.day or flow.view(run).local(run.opened).date()
    match action:
        case Act.BEGIN:
            # Heard twice: at the yes, and when the first talk ends and the client's clock is known.
            given = flow.view(run).fact("consent")
            day = flow.view(run).local(given.at if given else flow.now).date()
            flow.change(begun=day, consent=f"{CONSENT_VERSION} {day}")
        case Act.NOT_SO_MEANT:
            flow.change(misread=flow.progress.alarmed)
        case Act.UNPAUSE:
            flow.change(paused_until=None, suspended=False)
        case Act.REST:
            flow.change(suspended=True, snoozed_until=None)
        case Act.SNOOZE:
            flow.change(snoozed_until=flow.now + SNOOZE, snoozed_for=asked_for)
        case Act.NOT_TODAY:
            flow.change(put_off={**put_off, run.dialogue: asked_for}, snoozed_until=None)
        case Act.POSTPONE:
            done = {name: past for name, past in flow.progress.done.items() if name != run.dialogue}
            flow.change(done=done, put_off=put_off)
        case _:
            pass


def _forget(flow: Flow, memory: str) -> None:
    def without(runs: tuple[Run, ...]) -> tuple[Run, ...]:
        return tuple(replace(run, answers=tuple(a for a in run.answers if a.memory != memory)) for run in runs)

    open_runs = (*flow.progress.runs, *flow.progress.aside)
    known = [fact for name, fact in flow.progress.facts.items() if name == memory]
    known += [answer.fact for run in open_runs for answer in run.answers if answer.memory == memory]
    forgotten = {fact.value for fact in known}
    flow.change(
        facts={name: fact for name, fact in flow.progress.facts.items() if name != memory},
        recent=tuple(heard for heard in flow.progress.recent if heard.words.strip() not in forgotten),
        runs=without(flow.progress.runs),
        aside=without(flow.progress.aside),
    )


def _change_person(flow: Flow, action: Act, run: Run) -> None:
    new_name = next((a.fact.value for a in run.answers if a.memory == "new_name"), None)
    changed = [
        replace(p, died=True) if action is Act.PERSON_DIED else replace(p, name=new_name or p.name)
        for p in flow.progress.people
        if p.id == run.person
    ]
    flow.change(people=tuple(changed[0] if p.id == run.person else p for p in flow.progress.people))


def _of_last(flow: Flow, what: str, dialogue: str) -> None:
    done = flow.progress.done.get(dialogue)
    if dialogue not in flow.script.dialogues or (done is None and what != "for_yesterday"):
        flow.remark("nothing_open")
        return
    if done is not None and what == "strike":
        gone = flow.script.dialogues[dialogue].memories
        flow.effects.append(Strike(run=done.run))
        flow.change(
            check_ins=looking_back.without(flow.progress.check_ins, done.run),
            facts={name: fact for name, fact in flow.progress.facts.items() if name not in gone},
            done={name: past for name, past in flow.progress.done.items() if name != dialogue},
        )
        return
    if done is not None and what == "change":
        number, day = done.run, None if done.day == flow.today() else done.day
    else:
        number, day = flow.new_run_id(), flow.today() - timedelta(days=1)
    flow.begin(Run(number, dialogue, flow.script.dialogues[dialogue].first, flow.now, flow.now, day=day))
