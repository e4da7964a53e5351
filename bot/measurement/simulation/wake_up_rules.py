"""Checks every wake-up against rules written independently of the scheduling code that they check."""

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
"""A wake-up is at most this late, unless the bot was down when it was due."""
LATEST = timedelta(hours=4)
"""After a downtime a message is sent at most this long after its hour, or not at all."""
RECENTLY_ACTIVE = timedelta(minutes=45)
"""No trigger fires so soon after the client's last message."""
SILENT = timedelta(days=3)
"""No trigger fires so long after the client's last message."""
QUIET_FROM, QUIET_UNTIL = time(21, 30), time(8)
HOURS = {"talk": "look_in", "gentle_word": "look_in", "check_in": "remind_at"}
"""The memory that holds the hour a client chose, by trigger."""
DEFAULT_HOURS = {"talk": time(18), "gentle_word": time(18), "retention": time(10)}
EATING, SUITABILITY = "gates/eating", "assessment/is_it_for_me"
INTERVALS = {"measures/phq_9": 14, "measures/gad_7": 28, EATING: 30, SUITABILITY: 14}
"""After so many days this comes again, or is offered again to a client who put it off; other parts after a week."""
ONE_A_DAY = {"talk", "check_in", "gentle_word"}
MOST_OFFERS = 3
DAYS = {"daily": range(7), "three": (0, 2, 4), "weekdays": range(5), "weekends": (5, 6)}
NEVER = "never"


@dataclass(frozen=True, slots=True)
class WakeUpRecord:
    """One wake-up after its commit.

    `before`: the client's progress before it. `spoke`: whether it put a message into the outbox.
    `reachable_since`: since when the bot runs, Telegram can be reached and the client does not block the bot.
    `decided_at`: when `due` was set.
    """

    record: ClientRecord
    before: Progress
    due: datetime
    now: datetime
    spoke: bool
    reachable_since: datetime
    decided_at: datetime
    script: Script

    @property
    def in_danger(self) -> bool:
        """Whether a safety dialogue was open, in front or suspended."""
        dialogues = (self.script.dialogues.get(run.dialogue) for run in self.before.runs)
        return any(dialogue is not None and dialogue.safety for dialogue in dialogues)


def check_wake_up(recorder: Recorder, wake_up: WakeUpRecord) -> None:
    """Check one wake-up against the rules, and count what it did."""
    after, before = wake_up.record.progress, wake_up.before
    if wake_up.now - max(wake_up.due, wake_up.reachable_since, wake_up.decided_at) > ON_TIME:
        _violation(recorder, wake_up, f"woken {wake_up.now - wake_up.due} late")
    for reason, scheduled in after.slots.items():
        if before.slots.get(reason) != scheduled:
            _check_trigger(recorder, wake_up, reason, scheduled)
    if after.unasked is not None and after.unasked != before.unasked:
        recorder.unasked_by_reason[after.unasked.reason] += 1
        recorder.unasked.append(after.unasked)
        _check_one_a_day(recorder, wake_up, after.unasked.reason)
        _check_offers(recorder, wake_up, after.unasked.reason)
        _check_hour(recorder, wake_up, after.unasked.reason, after.unasked.due)
    elif wake_up.spoke:
        recorder.unasked_by_reason["silence in a dialogue"] += 1
        run = before.runs[-1] if before.runs else None
        if is_quiet(wake_up.now.astimezone(zone_of(before)).time()) and not wake_up.in_danger:
            recorder.counts["out of hours"] += 1
            _violation(recorder, wake_up, f"silence at {run.dialogue if run else '?'} spoke in the quiet hours")


def _check_hour(recorder: Recorder, wake_up: WakeUpRecord, reason: str, due: datetime) -> None:
    zone = zone_of(wake_up.before)
    chosen = hour_of(wake_up.before, reason)
    if reason != "snooze" and (chosen is None or due not in instants_of(due.astimezone(zone).date(), chosen, zone)):
        recorder.counts["out of hours"] += 1
        _violation(recorder, wake_up, f"{reason} due at {due.astimezone(zone)}, chosen was {chosen}")
    late = wake_up.now - due
    if late > ON_TIME and due > wake_up.reachable_since:
        _violation(recorder, wake_up, f"{reason} spoke {late} after its hour")
    if late > LATEST and reason != "retention":
        _violation(recorder, wake_up, f"{reason} spoke {late} after its hour, and that is too late")
    if late > ON_TIME:
        recorder.counts["sent late after a downtime"] += 1
        if is_quiet(wake_up.now.astimezone(zone).time()):
            recorder.counts["out of hours"] += 1
            _violation(
                recorder, wake_up, f"{reason}, due at {due.astimezone(zone):%H:%M}, spoke late in the quiet hours"
            )


def _check_one_a_day(recorder: Recorder, wake_up: WakeUpRecord, reason: str) -> None:
    """One unasked message on each of the client's dates; a check-in put off for an hour was asked for by them."""
    before, zone = wake_up.before.unasked, zone_of(wake_up.before)
    today = wake_up.now.astimezone(zone).date()
    if before is not None and before.at.astimezone(zone).date() == today and {reason, before.reason} <= ONE_A_DAY:
        _violation(recorder, wake_up, f"{reason} on the day on which {before.reason} was said already")


def _check_offers(recorder: Recorder, wake_up: WakeUpRecord, reason: str) -> None:
    """No part is offered more than three times in a turn, nor twice where a check-in was chosen for the day."""
    before, after = wake_up.before.offered, wake_up.record.progress.offered
    today = wake_up.now.astimezone(zone_of(wake_up.before)).date()
    chosen = wake_up.before.facts.get("remind_days")
    weekdays = DAYS.get(chosen.code or "", ()) if chosen and hour_of(wake_up.before, "check_in") else ()
    for name, offered in after.items():
        if reason != "talk" or before.get(name) == offered:
            continue
        if offered.times > MOST_OFFERS:
            _violation(recorder, wake_up, f"{name} offered {offered.times} times since {offered.first}")
        if offered.times > 1 and today.weekday() in weekdays and name not in (EATING, SUITABILITY):
            _violation(recorder, wake_up, f"{name} offered again in place of a check-in")


def _check_trigger(recorder: Recorder, wake_up: WakeUpRecord, reason: str, scheduled: datetime) -> None:
    """Check a trigger that fired or was skipped: none before it was missed, and a skipped one has a known reason."""
    before, after = wake_up.before, wake_up.record.progress
    earlier = before.slots.get(reason)
    if earlier is not None and scheduled <= earlier:
        _violation(recorder, wake_up, f"{reason} was triggered twice for one hour")
    if reason == "check_in":
        while_down = [
            one
            for one in _check_ins(before, scheduled)
            if one < wake_up.due and wake_up.due <= wake_up.reachable_since
        ]
        forgotten = [
            one
            for one in _check_ins(before, scheduled)
            if one < wake_up.due and wake_up.due > wake_up.reachable_since
        ]
        recorder.skipped["check_in: the bot was down"] += len(while_down)
        for one in forgotten:
            recorder.counts["missed"] += 1
            _violation(recorder, wake_up, f"the check-in of {one} was missed")
        skipped = [
            one
            for one in _check_ins(before, scheduled)
            if wake_up.due < one < scheduled and wake_up.now - one < LATEST
        ]
        is_active = before.heard is not None and wake_up.now - before.heard < RECENTLY_ACTIVE
        for one in skipped if not is_active else ():
            recorder.counts["missed"] += 1
            _violation(recorder, wake_up, f"the check-in of {one:%F %T} was skipped together with an older one")
    if after.unasked is not None and after.unasked != before.unasked and after.unasked.reason == reason:
        return
    why = skip_reason(before, reason, wake_up)
    recorder.skipped[f"{reason}: {why}"] += 1
    if why == "?":
        recorder.counts["missed"] += 1
        _violation(recorder, wake_up, f"{reason} was skipped for no known reason")


def skip_reason(before: Progress, reason: str, wake_up: WakeUpRecord) -> str:
    """Why a trigger led to no message; `?` if no reason is known."""
    heard, now = before.heard, wake_up.now
    zone = zone_of(before)
    today = now.astimezone(zone).date()
    done = before.done.get("always/check_in")
    said = before.unasked
    causes = (
        ("too late after a downtime", now - wake_up.due > timedelta(minutes=5)),
        ("they were active just now", heard is not None and now - heard < RECENTLY_ACTIVE),
        ("paused", before.paused_until is not None and now < before.paused_until),
        ("asked to rest", before.suspended),
        ("silent for three days", heard is not None and now - heard > SILENT),
        ("done today", done is not None and done.day == today),
        ("put off for today", today in before.put_off.values()),
        ("one unasked message a day", said is not None and said.at.astimezone(zone).date() == today),
        ("the next part comes later on that day", reason == "check_in" and _talk_today(before, now, wake_up.script)),
        ("something else was sent", wake_up.record.progress.unasked != before.unasked or wake_up.spoke),
        ("a safety dialogue is open", wake_up.in_danger),
        ("the offer to go on is open already", before.runs[-1:] != () and before.runs[-1].dialogue == GO_ON),
        ("too soon after a safety dialogue", reason == "talk" and _is_soon_after_sos(before, now)),
        ("nothing is due", reason in {"talk", "snooze"}),
    )
    return next((cause for cause, so in causes if so), "?")


def _talk_today(before: Progress, now: datetime, script: Script) -> bool:
    """Whether a part that was not offered before has its hour later on that day."""
    zone, hour = zone_of(before), hour_of(before, "talk")
    today = now.astimezone(zone).date()
    if hour is None or not any(one >= now for one in instants_of(today, hour, zone)):
        return False
    return any(_is_new(before, part, today) for part in script.contents) or _comes_again(before, today)


def _is_new(before: Progress, part: Part, today: date) -> bool:
    """Whether a part of the contents has come and was neither done nor offered on an earlier day."""
    come = before.begun is not None and (today - before.begun).days >= part.day - 1
    name = part.dialogue or f"planned:{part.planned}"
    return come and part.phase == before.phase and name not in before.done and _may_come(before, name, today)


def _comes_again(before: Progress, today: date) -> bool:
    """Whether two weeks, four or a month have gone by since a scale or the questions that come round were done."""
    zone = zone_of(before)
    last = ((name, days, before.done.get(name)) for name, days in INTERVALS.items())
    gone = ((name, (today - done.last.astimezone(zone).date()).days >= days) for name, days, done in last if done)
    eating = (
        before.begun is not None and (today - before.begun).days >= INTERVALS[EATING] and EATING not in before.done
    )
    return any(over and _may_come(before, name, today) for name, over in gone) or eating


def _may_come(before: Progress, name: str, today: date) -> bool:
    offered = before.offered.get(name)
    turn = timedelta(INTERVALS.get(name, 7))
    return offered is None or today - offered.first >= turn or name in (EATING, SUITABILITY)


def _is_soon_after_sos(before: Progress, now: datetime) -> bool:
    sos = before.done.get("always/sos")
    return sos is not None and now - sos.last < timedelta(hours=72)


def _check_ins(progress: Progress, until: datetime) -> Iterator[datetime]:
    """The instants of check-ins after the last one that fired or was skipped, up to `until`."""
    fact, at = progress.facts.get("remind_days"), hour_of(progress, "check_in")
    if fact is None or at is None or progress.begun is None:
        return
    zone = zone_of(progress)
    after = max(progress.slots.get("check_in", fact.at), fact.at)
    day = max(after.astimezone(zone).date(), progress.begun + timedelta(days=1))
    while day <= until.astimezone(zone).date():
        if day.weekday() in DAYS.get(fact.code or "", ()):
            yield from (one for one in instants_of(day, at, zone) if after < one <= until)
        day += timedelta(days=1)


def instants_of(day: date, at: time, zone: ZoneInfo) -> list[datetime]:
    """The instant of this hour on this date: the first minute at which the zone's clock shows it or has passed it.

    Empty for a date that the zone leaves out.
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
    """The hour a client chose for messages of this trigger, else the default; None if they chose never."""
    fact = progress.facts.get(HOURS.get(reason, ""))
    if fact is None:
        return DEFAULT_HOURS.get(reason)
    chosen = fact.code or fact.value
    return None if chosen == NEVER else time.fromisoformat(chosen)


def zone_of(progress: Progress) -> ZoneInfo:
    """The client's time zone."""
    fact = progress.facts.get("zone")
    return ZoneInfo((fact.code if fact else None) or "UTC")


def is_quiet(at: time) -> bool:
    """Whether this hour is in the quiet hours, in which only messages at an hour the client chose are sent."""
    return at >= QUIET_FROM or at < QUIET_UNTIL


def _violation(recorder: Recorder, wake_up: WakeUpRecord, what: str) -> None:
    recorder.add_violation(f"{wake_up.now:%F %T} {wake_up.record.address}: {what}")
