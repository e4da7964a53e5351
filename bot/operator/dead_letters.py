"""What was set aside, as the operator sees it: events whose turn failed, and bubbles that could not be carried.

Listed, and after a fix taken up again. A line says when, what kind, whose and why; never a word, a name or a chat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from bot.app import App
from bot.conversation import AlreadyHandled, ClientBlocked, InboundEvent
from bot.settings import Settings
from state_machine.model.events import Said
from state_machine.model.outgoing import Priority
from storage.errors import DatabaseFault
from storage.repositories.dead_letters import DeadLetter, DeadLetters
from storage.repositories.inbox import FailedEvent
from storage.store import DATA_FILE, Store

EVENT, WAKE_UP, BUBBLE = "event", "wake-up", "bubble"
TAKEN_UP, WAITS, CLEARED, DROPPED, GONE = "Taken up", "Waiting again", "Cleared", "Dropped", "Gone"
AWAITED, LEFT = "Kept until they are back", "Set aside"
OUTCOMES = (TAKEN_UP, WAITS, CLEARED, DROPPED, GONE, AWAITED, LEFT)
"""What can become of one thing, in the order in which it is told."""
FRESH = timedelta(days=1)
"""How old a bubble may be that is carried after all."""
NOTHING = "Nothing is set aside."
REMEDY = (
    "Look in the log for what failed (`turn failed`, `refused for good`), put it right, restart the bot, "
    "and then run `ipt-bot replay`."
)


def is_empty(settings: Settings) -> bool:
    """Whether nothing has been kept there yet, so that there is nothing to open."""
    return not (settings.data_dir / DATA_FILE).exists()


def listed(settings: Settings) -> Iterator[str]:
    """What is set aside, a line each, the oldest first; then how much, and what to do. Raises `StoreRefused`."""
    store = Store.open(settings.data_dir, settings.key_bytes())
    try:
        with store.begin(immediate=False) as work:
            events, bubbles = work.inbox.failed(), DeadLetters(work).all()
    finally:
        store.close()
    found: list[tuple[datetime | None, str, str, str]] = [
        *((event.seen, _kind(event), event.client, event.reason) for event in events),
        *((bubble.created, BUBBLE, bubble.client, bubble.reason) for bubble in bubbles),
    ]
    if not found:
        yield NOTHING
        return
    for at, kind, client, reason in sorted(found, key=lambda one: one[0].timestamp() if one[0] else 0.0):
        yield f"{_line(at, kind, client)}  {reason}"
    yield f"{LEFT}: {_numbers(Counter(kind for _, kind, _, _ in found))}."
    yield REMEDY


def replayed(app: App, now: Callable[[], datetime]) -> Iterator[str]:
    """Take up all that is set aside, and say of each what came of it; then how much, and what to do.

    Bubbles first, because what the events lead to is said after them. Safe beside a bot that runs.
    """
    became: dict[str, Counter[str]] = {}
    for done in chain(_bubbles(app.store, now()), _events(app, now)):
        yield f"{_line(done.at, done.kind, done.client)}  {done.became.lower()}{done.more}"
        became.setdefault(done.became, Counter())[done.kind] += 1
    if not became:
        yield NOTHING
        return
    yield " ".join(f"{what}: {_numbers(became[what])}." for what in OUTCOMES if what in became)
    if LEFT in became:
        yield REMEDY
    if TAKEN_UP in became or WAITS in became:
        yield "What waits now is carried within seconds by the bot that runs, or else at its next start."


@dataclass(frozen=True, slots=True)
class _Done:
    """One thing, what became of it, and why."""

    at: datetime | None
    kind: str
    client: str
    became: str
    more: str = ""


# --- bubbles -------------------------------------------------------------------------


def _bubbles(store: Store, now: datetime) -> list[_Done]:
    with store.begin() as work:
        letters = DeadLetters(work)
        return [_bubble(letters, bubble, now) for bubble in letters.all()]


def _bubble(letters: DeadLetters, bubble: DeadLetter, now: datetime) -> _Done:
    why_not = _too_late(bubble, now)
    if why_not is None:
        letters.put_back(bubble.id)
        return _Done(bubble.created, BUBBLE, bubble.client, WAITS)
    letters.drop(bubble.id)
    return _Done(bubble.created, BUBBLE, bubble.client, DROPPED, f": {why_not}")


def _too_late(bubble: DeadLetter, now: datetime) -> str | None:
    """Why a bubble would only confuse whoever it was said to; None if it is still the last thing said to them."""
    if not bubble.readable:
        return "it can't be opened any more"
    if bubble.blocked:
        return "the client blocked the bot"
    if bubble.superseded:
        return "other words were said to them after it"
    if bubble.priority is Priority.REMINDER:
        return "it would have come unasked, and its hour is over"
    if bubble.created is None or now - bubble.created > FRESH:
        return "it is more than a day old"
    return None


# --- events --------------------------------------------------------------------------


def _events(app: App, now: Callable[[], datetime]) -> Iterator[_Done]:
    with app.store.begin(immediate=False) as work:
        parked = work.inbox.failed()
    for event in parked:
        if not event.key:
            became, more = _cleared(app.store, event), ": what it was can't be opened any more"
        else:
            became, more = _again(app, event, now())
        yield _Done(event.seen, _kind(event), event.client, became, more)


def _cleared(store: Store, event: FailedEvent) -> str:
    with store.begin() as work:
        work.inbox.resolve(event)
    return CLEARED


def _again(app: App, event: FailedEvent, now: datetime) -> tuple[str, str]:
    """What became of one event, and why."""
    try:
        if _kind(event) == WAKE_UP:
            fault = app.conversation.wake_again(event, now)
        else:
            fault = app.conversation.replay(event, _read(event, now))
    except DatabaseFault:
        raise
    except ClientBlocked:
        return AWAITED, ": the client blocked the bot"
    except AlreadyHandled:
        return GONE, ": taken up meanwhile, or erased"
    except Exception as failure:  # one client's fault must not keep the others waiting
        fault = _noted(app.store, event, failure)
    return (TAKEN_UP, "") if fault is None else (LEFT, f": {fault}")


def _noted(store: Store, event: FailedEvent, failure: Exception) -> str:
    name = type(failure).__name__
    with store.begin() as work:
        work.inbox.failed_again(event, name)
    return name


def _read(event: FailedEvent, now: datetime) -> InboundEvent:
    """An event as its edge heard it. Whose it is stands beside it, so that no address is needed."""
    if event.key.startswith("terminal:"):
        return InboundEvent(event.key, "", Said(now, event.payload.decode()), payload=event.payload)
    from bot.telegram.payloads import read_again  # noqa: PLC0415 - not needed where nothing came by Telegram

    return read_again(event.key, event.payload, now)


# --- words ---------------------------------------------------------------------------


def _kind(event: FailedEvent) -> str:
    return WAKE_UP if event.key.startswith("wake:") else EVENT


def _line(at: datetime | None, kind: str, client: str) -> str:
    when = "at a time not noted " if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
    return f"{when}  {kind:<7}  {client}"


def _numbers(kinds: Counter[str]) -> str:
    """Such as `1 event, 2 bubbles`."""
    there = ((kind, kinds[kind]) for kind in (EVENT, WAKE_UP, BUBBLE) if kinds[kind])
    return ", ".join(f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in there)
