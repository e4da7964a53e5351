"""What must be true of every wake-up, told by rules of its own: it does not ask the agenda what the agenda did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.measurement.simulation.recorder import ClientRecord, Recorder
from state_machine.model.progress import Progress
from state_machine.model.script import Part, Script
from state_machine.programme.tables import GO_ON

ON_TIME = timedelta(minutes=2)
"""A wake-up is this late at most, unless the bot was away when it was due."""
LATEST = timedelta(hours=4)
"""After a night off a slot is kept this long after its hour, or not at all."""
HERE = timedelta(minutes=45)
SILENT = timedelta(days=3)
QUIET_FROM, QUIET_UNTIL = time(21, 30), time(8)
HOURS = {"talk": "look_in", "gentle_word": "look_in", "check_in": "remind_at"}
"""The memory with the hour a client chose, by reason."""
USUAL = {"talk": time(18), "gentle_word": time(18), "retention": time(10)}
EATING, SUITABILITY = "gates/eating", "assessment/is_it_for_me"
ROUNDS = {"measures/phq_9": 14, "measures/gad_7": 28, EATING: 30, SUITABILITY: 14}
"""After so many days this comes round again, or is offered anew to whoever put it off; other parts after a week."""
A_DAY = {"talk", "check_in", "gentle_word"}
MOST_OFFERS = 3
DAYS = {"daily": range(7), "three": (0, 2, 4), "weekdays": range(5), "weekends": (5, 6)}
NEVER = "never"


@dataclass(frozen=True, slots=True)
class Woken:
    """One wake-up after its commit. `there_since`: since when the bot and the client could both be reached.

    `decided_at`: when it was decided to wake them then.
    """

    book: ClientRecord
    before: Progress
    due: datetime
    now: datetime
    spoke: bool
    there_since: datetime
    decided_at: datetime
    script: Script

    @property
    def in_danger(self) -> bool:
        """Whether a talk of danger was open, in front or with something over it."""
        dialogues = (self.script.dialogues.get(run.dialogue) for run in self.before.runs)
        return any(dialogue is not None and dialogue.safety for dialogue in dialogues)


def judge(recorder: Recorder, woken: Woken) -> None:
    """Hold one wake-up against the rules, and count what it did."""
    after, before = woken.book.progress, woken.before
    if woken.now - max(woken.due, woken.there_since, woken.decided_at) > ON_TIME:
        _wrong(recorder, woken, f"woken {woken.now - woken.due} late")
    for reason, slot in after.slots.items():
        if before.slots.get(reason) != slot:
            _dealt_with(recorder, woken, reason, slot)
    if after.unasked is not None and after.unasked != before.unasked:
        recorder.reasons[after.unasked.reason] += 1
        recorder.said.append(after.unasked)
        _one_a_day(recorder, woken, after.unasked.reason)
        _not_for_ever(recorder, woken, after.unasked.reason)
        _at_their_hour(recorder, woken, after.unasked.reason, after.unasked.due)
    elif woken.spoke:
        recorder.reasons["silence in a dialogue"] += 1
        run = before.runs[-1] if before.runs else None
        if is_quiet(woken.now.astimezone(zone_of(before)).time()) and not woken.in_danger:
            recorder.counts["out of hours"] += 1
            _wrong(recorder, woken, f"silence at {run.dialogue if run else '?'} spoke in the quiet hours")


def _at_their_hour(recorder: Recorder, woken: Woken, reason: str, due: datetime) -> None:
    zone = zone_of(woken.before)
    chosen = hour_of(woken.before, reason)
    if reason != "snooze" and (chosen is None or due not in slots(due.astimezone(zone).date(), chosen, zone)):
        recorder.counts["out of hours"] += 1
        _wrong(recorder, woken, f"{reason} due at {due.astimezone(zone)}, chosen was {chosen}")
    late = woken.now - due
    if late > ON_TIME and due > woken.there_since:
        _wrong(recorder, woken, f"{reason} spoke {late} after its hour")
    if late > LATEST and reason != "retention":
        _wrong(recorder, woken, f"{reason} spoke {late} after its hour, and that is too late")
    if late > ON_TIME:
        recorder.counts["kept after being away"] += 1
        if is_quiet(woken.now.astimezone(zone).time()):
            recorder.counts["out of hours"] += 1
            _wrong(recorder, woken, f"{reason}, due at {due.astimezone(zone):%H:%M}, spoke late in the quiet hours")


def _one_a_day(recorder: Recorder, woken: Woken, reason: str) -> None:
    """One unasked message on each of the client's dates; a check-in put off for an hour was asked for by them."""
    before, zone = woken.before.unasked, zone_of(woken.before)
    today = woken.now.astimezone(zone).date()
    if before is not None and before.at.astimezone(zone).date() == today and {reason, before.reason} <= A_DAY:
        _wrong(recorder, woken, f"{reason} on the day on which {before.reason} was said already")


def _not_for_ever(recorder: Recorder, woken: Woken, reason: str) -> None:
    """No part is offered more than three times in a turn, nor twice where a check-in was chosen for the day."""
    before, after = woken.before.offered, woken.book.progress.offered
    today = woken.now.astimezone(zone_of(woken.before)).date()
    chosen = woken.before.facts.get("remind_days")
    weekdays = DAYS.get(chosen.code or "", ()) if chosen and hour_of(woken.before, "check_in") else ()
    for name, offered in after.items():
        if reason != "talk" or before.get(name) == offered:
            continue
        if offered.times > MOST_OFFERS:
            _wrong(recorder, woken, f"{name} offered {offered.times} times since {offered.first}")
        if offered.times > 1 and today.weekday() in weekdays and name not in (EATING, SUITABILITY):
            _wrong(recorder, woken, f"{name} offered again in place of a check-in")


def _dealt_with(recorder: Recorder, woken: Woken, reason: str, slot: datetime) -> None:
    """A slot was kept or passed over: none before it was forgotten, and not being kept has its reason."""
    before, after = woken.before, woken.book.progress
    earlier = before.slots.get(reason)
    if earlier is not None and slot <= earlier:
        _wrong(recorder, woken, f"a slot of {reason} came twice")
    if reason == "check_in":
        missed = [one for one in _check_ins(before, slot) if one < woken.due and woken.due <= woken.there_since]
        forgotten = [one for one in _check_ins(before, slot) if one < woken.due and woken.due > woken.there_since]
        recorder.passed_over["check_in: the bot was away"] += len(missed)
        for one in forgotten:
            recorder.counts["missed"] += 1
            _wrong(recorder, woken, f"the check-in of {one} was missed")
        skipped = [one for one in _check_ins(before, slot) if woken.due < one < slot and woken.now - one < LATEST]
        here = before.heard is not None and woken.now - before.heard < HERE
        for one in skipped if not here else ():
            recorder.counts["missed"] += 1
            _wrong(recorder, woken, f"the check-in of {one:%F %T} was skipped with an older one")
    if after.unasked is not None and after.unasked != before.unasked and after.unasked.reason == reason:
        return
    why = why_passed_over(before, reason, woken)
    recorder.passed_over[f"{reason}: {why}"] += 1
    if why == "?":
        recorder.counts["missed"] += 1
        _wrong(recorder, woken, f"{reason} was passed over, and nobody knows why")


def why_passed_over(before: Progress, reason: str, woken: Woken) -> str:
    """Why a slot was not kept."""
    heard, now = before.heard, woken.now
    zone = zone_of(before)
    today = now.astimezone(zone).date()
    done = before.done.get("always/check_in")
    said = before.unasked
    causes = (
        ("too late after being away", now - woken.due > timedelta(minutes=5)),
        ("they were here just now", heard is not None and now - heard < HERE),
        ("paused", before.paused_until is not None and now < before.paused_until),
        ("asked to rest", before.suspended),
        ("silent for three days", heard is not None and now - heard > SILENT),
        ("done today", done is not None and done.day == today),
        ("put off for today", today in before.put_off.values()),
        ("one unasked message a day", said is not None and said.at.astimezone(zone).date() == today),
        ("the next part comes later on that day", reason == "check_in" and _talk_today(before, now, woken.script)),
        ("something else came first", woken.book.progress.unasked != before.unasked or woken.spoke),
        ("a talk of danger is open", woken.in_danger),
        ("the offer to go on stands there already", before.runs[-1:] != () and before.runs[-1].dialogue == GO_ON),
        ("shaken by a talk of danger", reason == "talk" and _shaken(before, now)),
        ("nothing is due", reason in {"talk", "snooze"}),
    )
    return next((cause for cause, so in causes if so), "?")


def _talk_today(before: Progress, now: datetime, script: Script) -> bool:
    """Whether a part that was not offered before has its hour later on that day."""
    zone, hour = zone_of(before), hour_of(before, "talk")
    today = now.astimezone(zone).date()
    if hour is None or not any(one >= now for one in slots(today, hour, zone)):
        return False
    return any(_is_new(before, part, today) for part in script.contents) or _comes_round(before, today)


def _is_new(before: Progress, part: Part, today: date) -> bool:
    """Whether a part of the contents has come and was neither done nor offered on an earlier day."""
    come = before.begun is not None and (today - before.begun).days >= part.day - 1
    name = part.dialogue or f"planned:{part.planned}"
    return come and part.phase == before.phase and name not in before.done and _may_come(before, name, today)


def _comes_round(before: Progress, today: date) -> bool:
    """Whether two weeks, four or a month have gone by since a scale or the questions that come round were done."""
    zone = zone_of(before)
    last = ((name, days, before.done.get(name)) for name, days in ROUNDS.items())
    gone = ((name, (today - done.last.astimezone(zone).date()).days >= days) for name, days, done in last if done)
    eating = before.begun is not None and (today - before.begun).days >= ROUNDS[EATING] and EATING not in before.done
    return any(over and _may_come(before, name, today) for name, over in gone) or eating


def _may_come(before: Progress, name: str, today: date) -> bool:
    offered = before.offered.get(name)
    turn = timedelta(ROUNDS.get(name, 7))
    return offered is None or today - offered.first >= turn or name in (EATING, SUITABILITY)


def _shaken(before: Progress, now: datetime) -> bool:
    told = before.done.get("always/sos")
    return told is not None and now - told.last < timedelta(hours=72)


def _check_ins(progress: Progress, until: datetime) -> Iterator[datetime]:
    """The slots of the check-in after the last one dealt with, up to `until`."""
    fact, at = progress.facts.get("remind_days"), hour_of(progress, "check_in")
    if fact is None or at is None or progress.begun is None:
        return
    zone = zone_of(progress)
    after = max(progress.slots.get("check_in", fact.at), fact.at)
    day = max(after.astimezone(zone).date(), progress.begun + timedelta(days=1))
    while day <= until.astimezone(zone).date():
        if day.weekday() in DAYS.get(fact.code or "", ()):
            yield from (one for one in slots(day, at, zone) if after < one <= until)
        day += timedelta(days=1)


def slots(day: date, at: time, zone: ZoneInfo) -> list[datetime]:
    """The instant of that hour on that date: the first minute at which the clock shows it, or has passed it.

    None on a date that the zone leaves out.
    """
    wall = datetime.combine(day, at)
    one = wall.replace(tzinfo=UTC) - timedelta(seconds=_offset(wall, zone)) - timedelta(hours=3)
    for _ in range(30 * 60):
        shown = one.astimezone(zone).replace(tzinfo=None)
        if shown >= wall and shown.date() == day:
            return [one]
        one += timedelta(minutes=1)
    return []


def _offset(wall: datetime, zone: ZoneInfo) -> float:
    offset = wall.replace(tzinfo=zone).utcoffset()
    return offset.total_seconds() if offset is not None else 0.0


def hour_of(progress: Progress, reason: str) -> time | None:
    """The hour a client chose for messages of that reason."""
    fact = progress.facts.get(HOURS.get(reason, ""))
    if fact is None:
        return USUAL.get(reason)
    said = fact.code or fact.value
    return None if said == NEVER else time.fromisoformat(said)


def zone_of(progress: Progress) -> ZoneInfo:
    """The zone on the client's page."""
    fact = progress.facts.get("zone")
    return ZoneInfo((fact.code if fact else None) or "UTC")


def is_quiet(at: time) -> bool:
    """Whether nothing is said at that hour that nobody chose it for."""
    return at >= QUIET_FROM or at < QUIET_UNTIL


def _wrong(recorder: Recorder, woken: Woken, what: str) -> None:
    recorder.wrong(f"{woken.now:%F %T} {woken.book.address}: {what}")
