"""Which part of the programme is due, and what is open.

Pure functions of progress: nothing is scheduled, so nothing scheduled can be lost or doubled.
Days count on the client's own calendar, from the day of consent, which is day 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from state_machine.model import local_time
from state_machine.model.context import Context
from state_machine.model.progress import Offered, Progress, Run
from state_machine.model.script import Part, Script, Step
from state_machine.programme.tables import (
    ASKED_AGAIN,
    CHECK_IN,
    DEPARTURES,
    HEALTH_FIRST,
    NEXT_TURN,
    OFFERED_AGAIN,
    PLAN,
    PLAN_MAKING,
    REPEATED,
)
from state_machine.rules.predicates import CONDITIONS

USUAL_LOOK_IN = "18:00"
"""When to look in as long as the client has not said when, on their own clock."""
NEVER = "never"
"""The code of the answer that they will come by themselves."""
WEEKDAYS = {
    "daily": frozenset(range(7)),
    "three": frozenset({0, 2, 4}),
    "weekdays": frozenset(range(5)),
    "weekends": frozenset({5, 6}),
}
"""The days on which a check-in is asked for, by the code of the answer."""
PLAN_PAGES = frozenset({PLAN, PLAN_MAKING})
"""Safe ground, but no talk that has something left to say: nothing waits for them where they are covered."""


def zone_of(progress: Progress) -> ZoneInfo:
    """The client's time zone; UTC as long as it is not known."""
    fact = progress.facts.get("zone")
    for run in progress.runs:
        fact = next((answer.fact for answer in run.answers if answer.memory == "zone"), fact)
    return local_time.zone_named(fact.code if fact else None)


def hour_of(progress: Progress, memory: str, usual: str | None) -> time | None:
    """The hour kept under `memory`; `usual` if none was, or none that can be read; None if the client wants none."""
    fact = progress.facts.get(memory)
    for said in ((fact.code or fact.value) if fact else usual, usual):
        if said is None or said == NEVER:
            return None
        with suppress(ValueError):
            return time.fromisoformat(said)
    return None


def due(context: Context, on: date) -> Part | None:
    """The first part that has come by the client's date `on`, is not done, and does not rest."""
    return next((part for part in come(context, on) if not rests(context.progress, part, on)), None)


class Holds(dict[str, bool]):
    """Which conditions are true of a view: each is asked at most once, when it is first needed."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._view = context

    def __missing__(self, name: str) -> bool:
        self[name] = CONDITIONS[name](self._view)
        return self[name]


def written_about(context: Context, on: date, holds: Holds | None = None) -> Part | None:
    """The part that is written about unasked on `on`.

    On a day for which a check-in was chosen, no part that was offered before takes its place.
    """
    progress = context.progress
    for part in come(context, on, holds):
        again = was_offered(progress, part, on) and part.dialogue not in HEALTH_FIRST
        if not rests(progress, part, on) and not (again and on.weekday() in check_in_days(progress)):
            return part
    return None


def to_start(context: Context, on: date) -> Part | None:
    """The part that comes when the client asks for it on `on`: the one that is due, else one that rests."""
    return due(context, on) or next(come(context, on), None)


def next_part(context: Context, on: date) -> Part | None:
    """The part that comes next after `on`, on its own day; None if none does as things stand."""
    day = first_day_due(context, on)
    return written_about(context, day) if day is not None else None


def come(context: Context, on: date, holds: Holds | None = None) -> Iterator[Part]:
    """Whatever of the present phase has come by the client's date `on` and is not done, the first one first."""
    progress = context.progress
    if progress.begun is None:
        return
    holds = Holds(context) if holds is None else holds
    rounds = tuple(repeated(context, on, holds))
    yield from (part for part in rounds if part.dialogue in HEALTH_FIRST)
    if progress.phase in ASKED_AGAIN and (again := asked_again(context, on)) is not None:
        yield again
    yield from (part for part in rounds if part.dialogue not in HEALTH_FIRST)
    if progress.phase not in ASKED_AGAIN:
        yield from _of_contents(context, progress.begun, on, holds)


def _of_contents(context: Context, begun: date, on: date, holds: Holds) -> Iterator[Part]:
    """The parts of the contents that have come. A planned one, not yet written, comes once, and only one of them."""
    progress, day = context.progress, _day_number(on, begun)
    done = progress.done
    waiting_for_words = False
    for place in context.script.parts_of.get(progress.phase, ()):
        part = place.part
        if part.day > day:
            continue
        is_done = place.name in done and done[place.name].times >= place.times
        if part.dialogue is None:
            if place.name not in done and not waiting_for_words:
                yield part
            waiting_for_words = True
        elif not is_done and (part.when is None or holds[part.when]):
            yield part


# --- what was offered, and put off -----------------------------------------------------


def rests(progress: Progress, part: Part, on: date) -> bool:
    """Whether a part is left alone on `on`: it was put off on that date, or offered often enough for this turn."""
    name = part.name
    if progress.put_off.get(name) == on:
        return True
    offered = progress.offered.get(name)
    if offered is None or offered.times <= OFFERED_AGAIN:
        return False
    return offered.last < on < next_turn(name, offered)


def was_offered(progress: Progress, part: Part, on: date) -> bool:
    """Whether a part was offered in this turn of it already, on a date before `on`."""
    name = part.name
    offered = progress.offered.get(name)
    return offered is not None and offered.first < on < next_turn(name, offered)


def offered_today(progress: Progress, name: str, today: date) -> Offered:
    """How often the part `name` was offered, with today."""
    before = progress.offered.get(name)
    if before is None or today >= next_turn(name, before):
        return Offered(1, today, today)
    return before if before.last == today else Offered(before.times + 1, before.first, today)


def next_turn(name: str, offered: Offered) -> date:
    """The client's date on which a part that was not done is offered anew, as if for the first time."""
    return offered.first + timedelta(_TURNS.get(name, NEXT_TURN))


_TURNS = {dialogue: days for dialogue, days, _ in REPEATED} | dict(ASKED_AGAIN.values())


def check_in_days(progress: Progress) -> frozenset[int]:
    """The weekdays (Monday is 0) on which the client chose to be asked for a check-in, at an hour they chose."""
    days = progress.facts.get("remind_days")
    if days is None or hour_of(progress, "remind_at", None) is None:
        return frozenset()
    return WEEKDAYS.get(days.code or "", frozenset())


def is_checked_in(progress: Progress, day: date) -> bool:
    """Whether the check-in of the client's date `day` was done, or put off for that day."""
    done = progress.done.get(CHECK_IN)
    return (done is not None and done.kept and done.day == day) or progress.put_off.get(CHECK_IN) == day


def is_instead_of_check_in(progress: Progress, day: date) -> bool:
    """Whether what is said unasked on the client's date `day` takes the place of a check-in that they chose."""
    return day.weekday() in check_in_days(progress) and not is_checked_in(progress, day)


# --- what comes round again ------------------------------------------------------------


def repeated(context: Context, on: date, holds: Holds) -> Iterator[Part]:
    """What comes round again in every phase by the client's date `on`, by the table. One of them a day."""
    progress = context.progress
    if any((done := progress.done.get(name)) is not None and done.day == on for name, _, _ in REPEATED):
        return
    for dialogue, days, only_if in REPEATED:
        first_comes_by_contents = dialogue in context.script.placed and dialogue not in progress.done
        if first_comes_by_contents or dialogue not in context.script.dialogues:
            continue
        due_on = repeats_on(progress, dialogue, days)
        if due_on is not None and due_on <= on and holds[only_if]:
            yield Part(progress.phase, 1, context.script.dialogues[dialogue].title, dialogue)


def repeats_on(progress: Progress, dialogue: str, days: int) -> date | None:
    """The client's date on which what comes round every so many days comes next; None before day 1."""
    done = progress.done.get(dialogue)
    last = done.last.astimezone(zone_of(progress)).date() if done is not None else progress.begun
    return None if last is None else last + timedelta(days)


def asked_again(context: Context, on: date) -> Part | None:
    """What the present phase asks again by the client's date `on`."""
    dialogue, _ = ASKED_AGAIN[context.progress.phase]
    day = asked_again_on(context)
    if day is None or on < day:
        return None
    title = context.script.dialogues[dialogue].title if dialogue in context.script.dialogues else dialogue
    return Part(context.progress.phase, 1, title, dialogue)


def asked_again_on(context: Context) -> date | None:
    """The date of what the present phase asks again: so many days after it was last asked, or after what led here."""
    dialogue, days = ASKED_AGAIN[context.progress.phase]
    led_here = _LED_TO[context.progress.phase]
    asked = ((name, context.progress.done.get(name)) for name in {dialogue, *(name for name, _ in led_here)})
    since = [past.last for name, past in asked if past and (name == dialogue or (name, past.outcome) in led_here)]
    return max(since).astimezone(zone_of(context.progress)).date() + timedelta(days) if since else None


_LED_TO = {phase: {(row.dialogue, row.outcome) for row in DEPARTURES if row.to == phase} for phase in ASKED_AGAIN}


def planned_key(part: Part) -> str:
    """The name under which it is kept that a planned part has been spoken of."""
    return part.name


def day_of(part: Part, begun: date) -> date:
    """The client's date on which a part comes."""
    return begun + timedelta(days=part.day - 1)


def open_step(script: Script, run: Run | None) -> Step | None:
    """The step a run stands at, if both still exist."""
    dialogue = script.dialogues.get(run.dialogue) if run else None
    return dialogue.steps.get(run.step) if dialogue and run else None


def open_safety_talk(script: Script, progress: Progress) -> Run | None:
    """The talk about danger that is open, in front or below what was opened over it. The plan's pages are none."""
    safety = script.safety
    runs = (run for run in reversed(progress.runs) if run.dialogue in safety and run.dialogue not in PLAN_PAGES)
    return next((run for run in runs if not run.amends), None)


def first_day_due(context: Context, on: date) -> date | None:
    """The first of the client's dates, from `on`, on which a part is written about; None if none ever is."""
    begun = context.progress.begun
    if begun is None:
        return None
    holds, tomorrow = Holds(context), on + timedelta(days=1)
    for day in (on, tomorrow):
        if written_about(context, day, holds) is not None:
            return day
    last = _day_number(tomorrow, begun)
    later = _days_of_change(context, begun, holds)
    if context.progress.offered:
        later |= {*range(last + 1, last + 7)}  # weekdays without a check-in are among them
    later = {number for number in later if number > last}
    days = (begun + timedelta(days=number - 1) for number in sorted(later))
    return next((day for day in days if written_about(context, day, holds) is not None), None)


def _days_of_change(context: Context, begun: date, holds: Holds) -> set[int]:
    """The days of the programme on which something may come that has not come by the day before."""
    progress = context.progress
    if progress.phase in ASKED_AGAIN:
        dates = [asked_again_on(context)]
        found = set()
    else:
        dates = []
        found = _days_of_contents(context, holds)
    dates += [repeats_on(progress, dialogue, every) for dialogue, every, _ in REPEATED]
    dates += [next_turn(name, offered) for name, offered in progress.offered.items()]
    return found | {_day_number(day, begun) for day in dates if day is not None}


def _days_of_contents(context: Context, holds: Holds) -> set[int]:
    """The days on which a part comes that is not done. Nothing is called for one that is: there may be many."""
    done, found = context.progress.done, set()
    for place in context.script.parts_of.get(context.progress.phase, ()):
        part = place.part
        is_done = place.name in done and (part.dialogue is None or done[place.name].times >= place.times)
        if part.day not in found and not is_done and (part.dialogue is None or not part.when or holds[part.when]):
            found |= {part.day}
    return found


def _day_number(day: date, begun: date) -> int:
    """Which day of the programme a date is: 1 for the day of consent."""
    return (day - begun).days + 1
