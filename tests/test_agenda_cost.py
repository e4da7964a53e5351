"""What is due, and on which day, is the same as if every part were asked about for every day; only it costs less."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from state_machine.model.context import Context
from state_machine.model.progress import Done, Fact, Offered, Progress
from state_machine.model.script import Part, Script
from state_machine.programme.tables import ASKED_AGAIN, DEPARTURES, EATING_GATE, HEALTH_FIRST, REPEATED
from state_machine.rules.predicates import CONDITIONS
from state_machine.schedule import agenda
from state_machine.turn.machine import Machines

BEGUN = date(2026, 1, 5)
PHASES = ("assessment", "treatment", "not_now")
ASKED = ("hour_not_chosen", "quiet_notices", "nothing_is_kept_yet", "has_people")
"""Conditions that contents may name; some are true of the generated progresses, some are not."""


# --- the plain way: every part is looked at for every day ------------------------------------


def _come(context: Context, on: date) -> Iterator[Part]:
    progress = context.progress
    if progress.begun is None:
        return
    rounds = [*_repeated(context, on)]
    yield from (part for part in rounds if part.dialogue in HEALTH_FIRST)
    if progress.phase in ASKED_AGAIN and (again := _asked_again(context, on)) is not None:
        yield again
    yield from (part for part in rounds if part.dialogue not in HEALTH_FIRST)
    if progress.phase in ASKED_AGAIN:
        return
    seen: dict[str, int] = {}
    waiting_for_words = False
    for part in context.script.contents:
        seen[part.name] = seen.get(part.name, 0) + 1
        done = progress.done.get(part.name)
        if part.phase != progress.phase or on < progress.begun + timedelta(days=part.day - 1):
            continue
        if part.dialogue is None:
            if done is None and not waiting_for_words:
                yield part
            waiting_for_words = True
            continue
        is_done = done is not None and done.times >= seen[part.name]
        if not is_done and (part.when is None or CONDITIONS[part.when](context)):
            yield part


def _repeated(context: Context, on: date) -> Iterator[Part]:
    progress = context.progress
    placed = {part.dialogue for part in context.script.contents}
    if any((done := progress.done.get(name)) is not None and done.day == on for name, _, _ in REPEATED):
        return
    for dialogue, days, only_if in REPEATED:
        if (dialogue in placed and dialogue not in progress.done) or dialogue not in context.script.dialogues:
            continue
        due_on = agenda.repeats_on(progress, dialogue, days)
        if due_on is not None and due_on <= on and CONDITIONS[only_if](context):
            yield Part(progress.phase, 1, context.script.dialogues[dialogue].title, dialogue)


def _asked_again_on(context: Context) -> date | None:
    dialogue, days = ASKED_AGAIN[context.progress.phase]
    led_here = {(row.dialogue, row.outcome) for row in DEPARTURES if row.to == context.progress.phase}
    done = context.progress.done.items()
    since = [past.last for name, past in done if name == dialogue or (name, past.outcome) in led_here]
    return max(since).astimezone(agenda.zone_of(context.progress)).date() + timedelta(days) if since else None


def _asked_again(context: Context, on: date) -> Part | None:
    dialogue, _ = ASKED_AGAIN[context.progress.phase]
    day = _asked_again_on(context)
    if day is None or on < day:
        return None
    title = context.script.dialogues[dialogue].title if dialogue in context.script.dialogues else dialogue
    return Part(context.progress.phase, 1, title, dialogue)


def _written_about(context: Context, on: date) -> Part | None:
    for part in _come(context, on):
        again = agenda.was_offered(context.progress, part, on) and part.dialogue not in HEALTH_FIRST
        taken = again and on.weekday() in agenda.check_in_days(context.progress)
        if not agenda.rests(context.progress, part, on) and not taken:
            return part
    return None


def _first_day(context: Context, on: date) -> date | None:
    """Day after day, for longer than anything in the book takes."""
    days = (on + timedelta(days=later) for later in range(400))
    return next((day for day in days if _written_about(context, day) is not None), None)


# --- both ways, over many progresses ---------------------------------------------------------


def _contents(chance: random.Random, script: Script) -> tuple[Part, ...]:
    dialogues = [name for name in script.dialogues if not name.startswith("always/")]
    dialogues += [f"made_up/{number}" for number in range(6)]
    day, found = 1, []
    for number in range(chance.randint(0, 25)):
        day += chance.choice((0, 0, 1, 1, 2, 9))
        planned = chance.random() < 0.2
        found.append(
            Part(
                phase=chance.choice(PHASES[:2]),
                day=max(1, day - chance.choice((0, 0, 0, 3))),
                title=f"Part {number}",
                dialogue=None if planned else chance.choice(dialogues),
                when=chance.choice(ASKED) if chance.random() < 0.4 else None,
                planned=f"part_{number}" if planned else None,
            )
        )
    return tuple(found)


def _progress(chance: random.Random, contents: tuple[Part, ...], on: date) -> Progress:
    def instant(before: int) -> datetime:
        return datetime.combine(on, datetime.min.time(), UTC) - timedelta(days=chance.randint(0, before))

    names = sorted({part.name for part in contents} | {"assessment/is_it_for_me", EATING_GATE})
    outcomes = ("done", "danger", "not_now", "go_on")
    done = {}
    for name in names:
        if chance.random() < 0.5:
            last = instant(40)
            done[name] = Done(chance.randint(1, 3), last, chance.choice(outcomes), 1, day=last.date())
    offered = {}
    for name in names:
        if chance.random() < 0.3:
            first = on - timedelta(days=chance.randint(0, 9))
            offered[name] = Offered(chance.randint(1, 4), first, first + timedelta(days=chance.randint(0, 3)))
    facts = {
        "remind_days": chance.choice(("daily", "three", "weekdays", "weekends", "never")),
        "remind_at": chance.choice(("18:00", "never")),
        "phone": chance.choice(("own", "shared")),
        "eating": chance.choice(("yes", "no")),
        "zone": chance.choice(("Pacific/Auckland", "America/Los_Angeles", "UTC")),
    }
    return Progress(
        phase=chance.choice(PHASES),
        begun=chance.choice((BEGUN, BEGUN, BEGUN, None)),
        consent=chance.choice(("1 2026-01-05", None)),
        done=done,
        offered=offered,
        put_off={name: on - timedelta(days=chance.randint(0, 1)) for name in names if chance.random() < 0.2},
        facts={name: Fact(code, instant(9), code) for name, code in facts.items() if chance.random() < 0.7},
    )


def test_what_is_due_and_when_is_what_asking_every_part_for_every_day_gives(machines: Machines) -> None:
    chance = random.Random(7)  # noqa: S311 - made-up progresses, the same at every run
    days: set[int | None] = set()
    for _ in range(1500):
        script = replace(machines.script, contents=_contents(chance, machines.script))
        on = BEGUN + timedelta(days=chance.randint(0, 45))
        context = Context(
            script, _progress(chance, script.contents, on), None, datetime.combine(on, datetime.min.time(), UTC)
        )
        assert [*agenda.come(context, on)] == [*_come(context, on)]
        assert agenda.written_about(context, on) == _written_about(context, on)
        first = agenda.first_day_due(context, on)
        assert first == _first_day(context, on), (context.progress, script.contents)
        days.add(None if first is None else (first - on).days)
    assert days >= {None, 0, 1, 2, 3, 7}, "all kinds of answers were compared"
