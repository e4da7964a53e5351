"""Dead letters for the operator: events whose turn failed, and bubbles that could not be sent.

They can be listed, and replayed after a fix. A line has the time, the kind, the pseudonymous id of the client and the
reason; never text, names or chat ids.
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
REPLAYED, REQUEUED, CLEARED, DROPPED = "Replayed", "Queued again", "Cleared", "Dropped"
ALREADY_HANDLED, KEPT, FAILED_AGAIN = "Already handled", "Kept", "Failed again"
RESULTS = (REPLAYED, REQUEUED, CLEARED, DROPPED, ALREADY_HANDLED, KEPT, FAILED_AGAIN)
"""The possible results of one dead letter, in the order in which they are counted."""
MAX_AGE = timedelta(days=1)
"""The greatest age of a bubble that is queued again."""
NOTHING = "There are no dead letters."
REMEDY = (
    "Find the cause in the log (`turn failed`, `rejected for good`), fix it, restart the bot, "
    "and then run `ipt-bot replay`."
)


def is_empty(settings: Settings) -> bool:
    """Whether there is no database yet."""
    return not (settings.data_dir / DATA_FILE).exists()


def list_dead_letters(settings: Settings) -> Iterator[str]:
    """Yield a line for each dead letter, oldest first, then their number and the remedy. Raises `StoreRefused`."""
    store = Store.open(settings.data_dir, settings.key_bytes())
    try:
        with store.begin(read_only=True) as work:
            events, bubbles = work.inbox.all_failed(), DeadLetters(work).all()
    finally:
        store.close()
    rows: list[tuple[datetime | None, str, str, str]] = [
        *((event.seen, _kind(event), event.client, event.reason) for event in events),
        *((bubble.created, BUBBLE, bubble.client, bubble.reason) for bubble in bubbles),
    ]
    if not rows:
        yield NOTHING
        return
    for at, kind, client, reason in sorted(rows, key=lambda one: one[0].timestamp() if one[0] else 0.0):
        yield f"{_line(at, kind, client)}  {reason}"
    yield f"Dead letters: {_counts(Counter(kind for _, kind, _, _ in rows))}."
    yield REMEDY


def replay(app: App, now: Callable[[], datetime]) -> Iterator[str]:
    """Process all dead letters again. Yield a line with the result of each, then their numbers and what to do.

    Bubbles come first, because the answers to the events must be sent after them. Safe while the bot is running.
    """
    counts: dict[str, Counter[str]] = {}
    for entry in chain(_replay_bubbles(app.store, now()), _replay_events(app, now)):
        yield f"{_line(entry.at, entry.kind, entry.client)}  {entry.result.lower()}{entry.detail}"
        counts.setdefault(entry.result, Counter())[entry.kind] += 1
    if not counts:
        yield NOTHING
        return
    yield " ".join(f"{what}: {_counts(counts[what])}." for what in RESULTS if what in counts)
    if FAILED_AGAIN in counts:
        yield REMEDY
    if REPLAYED in counts or REQUEUED in counts:
        yield "Queued messages are sent within seconds if the bot is running, or else at its next start."


@dataclass(frozen=True, slots=True)
class _Result:
    """One dead letter: its time, kind and client, and the result. `detail`: the reason, after a colon."""

    at: datetime | None
    kind: str
    client: str
    result: str
    detail: str = ""


# --- bubbles -------------------------------------------------------------------------


def _replay_bubbles(store: Store, now: datetime) -> list[_Result]:
    with store.begin() as work:
        letters = DeadLetters(work)
        return [_replay_bubble(letters, bubble, now) for bubble in letters.all()]


def _replay_bubble(letters: DeadLetters, bubble: DeadLetter, now: datetime) -> _Result:
    drop_reason = _drop_reason(bubble, now)
    if drop_reason is None:
        letters.put_back(bubble.id)
        return _Result(bubble.created, BUBBLE, bubble.client, REQUEUED)
    letters.drop(bubble.id)
    return _Result(bubble.created, BUBBLE, bubble.client, DROPPED, f": {drop_reason}")


def _drop_reason(bubble: DeadLetter, now: datetime) -> str | None:
    """Why a bubble would only confuse the client by now; None if it should be sent."""
    if not bubble.readable:
        return "it can no longer be decrypted"
    if bubble.blocked:
        return "the client blocked the bot"
    if bubble.superseded:
        return "a later message was sent"
    if bubble.priority is Priority.REMINDER:
        return "it is a reminder whose time has passed"
    if bubble.created is None or now - bubble.created > MAX_AGE:
        return "it is more than a day old"
    return None


# --- events --------------------------------------------------------------------------


def _replay_events(app: App, now: Callable[[], datetime]) -> Iterator[_Result]:
    with app.store.begin(read_only=True) as work:
        failed = work.inbox.all_failed()
    for event in failed:
        if not event.key:
            result, detail = _clear(app.store, event), ": it can no longer be decrypted"
        else:
            result, detail = _replay_event(app, event, now())
        yield _Result(event.seen, _kind(event), event.client, result, detail)


def _clear(store: Store, event: FailedEvent) -> str:
    with store.begin() as work:
        work.inbox.resolve(event)
    return CLEARED


def _replay_event(app: App, event: FailedEvent, now: datetime) -> tuple[str, str]:
    """Replay one event, and return the result and its reason."""
    try:
        if _kind(event) == WAKE_UP:
            fault = app.conversation.wake_again(event, now)
        else:
            fault = app.conversation.replay(event, _inbound_event(event, now))
    except DatabaseFault:
        raise
    except ClientBlocked:
        return KEPT, ": the client blocked the bot"
    except AlreadyHandled:
        return ALREADY_HANDLED, ": replayed meanwhile, or erased"
    except Exception as failure:  # the events of other clients must still be replayed
        fault = _record_failure(app.store, event, failure)
    return (REPLAYED, "") if fault is None else (FAILED_AGAIN, f": {fault}")


def _record_failure(store: Store, event: FailedEvent, failure: Exception) -> str:
    name = type(failure).__name__
    with store.begin() as work:
        work.inbox.record_retry_failure(event, name)
    return name


def _inbound_event(event: FailedEvent, now: datetime) -> InboundEvent:
    """Rebuild the event from its payload. The address is empty, because the client is known."""
    if event.key.startswith("terminal:"):
        return InboundEvent(event.key, "", Said(now, event.payload.decode()), payload=event.payload)
    from bot.telegram.payloads import read_again  # noqa: PLC0415 - not needed where nothing came by Telegram

    return read_again(event.key, event.payload, now)


# --- text ----------------------------------------------------------------------------


def _kind(event: FailedEvent) -> str:
    return WAKE_UP if event.key.startswith("wake:") else EVENT


def _line(at: datetime | None, kind: str, client: str) -> str:
    when = "time unknown        " if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
    return f"{when}  {kind:<7}  {client}"


def _counts(kinds: Counter[str]) -> str:
    """The numbers by kind, such as `1 event, 2 bubbles`."""
    present = ((kind, kinds[kind]) for kind in (EVENT, WAKE_UP, BUBBLE) if kinds[kind])
    return ", ".join(f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in present)
