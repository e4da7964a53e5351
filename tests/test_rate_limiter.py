"""Telegram's limits hold, in fake time, whatever the order in which sends are asked for."""

from __future__ import annotations

from collections import Counter
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.rate_limiter import RateLimiter
from bot.delivery.ready import Ready, ReadyQueue
from state_machine.model.outgoing import Message, Priority, TapAnswer

LANES = st.sampled_from(list(Priority))
ASKED = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9), LANES), min_size=1, max_size=120)


def run_queue(
    asked: list[tuple[float, str | None, Priority]], limiter: RateLimiter | None = None
) -> list[tuple[float, str | None, Priority]]:
    """Let everything through in fake time; when each went."""
    queue = ReadyQueue(limiter or RateLimiter())
    arrivals = sorted(asked, key=lambda one: one[0])
    gone: list[tuple[float, str | None, Priority]] = []
    at = arrivals[0][0] if arrivals else 0.0
    numbers = count()
    while True:
        while arrivals and arrivals[0][0] <= at:
            _, chat, priority = arrivals.pop(0)
            content = TapAnswer("tap") if chat is None else Message("words")
            queue.add(Ready(priority, (1, next(numbers)), chat or "tapped", content, nothing_follows))
        while (ready := queue.take(at)) is not None:
            gone.append((at, ready.chat, ready.priority))
            queue.done(ready)
        moments = [m for m in (queue.next_at(at), arrivals[0][0] if arrivals else None) if m is not None]
        if not moments:
            return gone
        assert min(moments) > at, "time must go on"
        at = min(moments)


async def nothing_follows(_: Ready) -> None:
    return None


def most_in_a_second(instants: list[float]) -> int:
    """The fullest rolling second: closed at its beginning, open at its end."""
    return max((sum(1 for other in instants if start <= other < start + 1.0) for start in instants), default=0)


@given(ASKED)
@settings(deadline=None, max_examples=60)
def test_never_more_than_29_sends_in_any_rolling_second(asked: list[tuple[int, int, Priority]]) -> None:
    gone = run_queue([(tenths / 10, f"chat {chat}", priority) for tenths, chat, priority in asked])
    assert len(gone) == len(asked)
    assert most_in_a_second([at for at, _, _ in gone]) <= 29


@given(ASKED)
@settings(deadline=None, max_examples=60)
def test_reminders_take_at_most_five_of_them(asked: list[tuple[int, int, Priority]]) -> None:
    gone = run_queue([(tenths / 10, f"chat {chat}", priority) for tenths, chat, priority in asked])
    assert most_in_a_second([at for at, _, priority in gone if priority is Priority.REMINDER]) <= 5


@given(ASKED)
@settings(deadline=None, max_examples=60)
def test_a_chat_gets_three_at_once_and_then_one_a_second(asked: list[tuple[int, int, Priority]]) -> None:
    gone = run_queue([(tenths / 10, f"chat {chat}", priority) for tenths, chat, priority in asked])
    for chat in {name for _, name, _ in gone}:
        instants = [at for at, name, _ in gone if name == chat]
        for first in range(len(instants)):
            for last in range(first, len(instants)):
                assert last - first + 1 <= 3 + (instants[last] - instants[first]) + 1e-6


@given(ASKED)
@settings(deadline=None, max_examples=60)
def test_nobody_waits_while_they_could_go(asked: list[tuple[int, int, Priority]]) -> None:
    """A send that waits is kept waiting by a limit that is really full, and every one goes in the end."""
    wanted = Counter((f"chat {chat}", priority) for _, chat, priority in asked)
    gone = run_queue([(tenths / 10, f"chat {chat}", priority) for tenths, chat, priority in asked])
    assert Counter((chat, priority) for _, chat, priority in gone) == wanted
    span = gone[-1][0] - min(tenths / 10 for tenths, _, _ in asked)
    busiest = max(Counter(chat for chat, _ in wanted.elements()).values())
    reminders = sum(count for (_, priority), count in wanted.items() if priority is Priority.REMINDER)
    # Arrivals span 3 s; then each limit empties at its own rate. A chat's share may come after its reminders.
    assert span <= 3 + busiest + reminders / 5 + len(asked) / 29 + 2


def test_thirty_chats_at_once_take_just_over_a_second() -> None:
    gone = run_queue([(0.0, f"chat {number}", Priority.ANSWER) for number in range(30)])
    assert [at for at, _, _ in gone].count(0.0) == 29
    assert gone[-1][0] == 1.0


def test_safety_messages_are_sent_before_answers_and_answers_before_reminders() -> None:
    crowd: list[tuple[float, str | None, Priority]] = [(0.0, f"chat {n}", Priority.ANSWER) for n in range(60)]
    late: list[tuple[float, str | None, Priority]] = [
        (0.5, "calm", Priority.REMINDER),
        (0.6, "crisis", Priority.SAFETY),
    ]
    gone = run_queue(crowd + late)
    order = [chat for _, chat, _ in gone]
    assert order.index("crisis") == 29
    assert order.index("calm") == len(order) - 1


def test_one_chat_with_a_flood_does_not_delay_another() -> None:
    flood: list[tuple[float, str | None, Priority]] = [(0.0, "flood", Priority.ANSWER)] * 100
    gone = run_queue([*flood, (0.01, "other", Priority.ANSWER)])
    assert next(at for at, chat, _ in gone if chat == "other") == 0.01


def test_when_all_are_blocked_nothing_goes() -> None:
    limiter = RateLimiter()
    limiter.block(None, 7.0)
    gone = run_queue([(0.0, "a", Priority.SAFETY), (0.0, "b", Priority.ANSWER)], limiter)
    assert [at for at, _, _ in gone] == [7.0, 7.0]


def test_the_answer_to_a_tap_does_not_wait_for_its_chat() -> None:
    busy: list[tuple[float, str | None, Priority]] = [(0.0, "chat", Priority.ANSWER)] * 5
    gone = run_queue([*busy, (0.1, None, Priority.ANSWER)])
    assert (0.1, None, Priority.ANSWER) in gone


def test_a_chat_that_has_been_quiet_is_forgotten() -> None:
    limiter = RateLimiter()
    for number in range(3000):
        limiter.take(f"chat {number}", Priority.ANSWER, number * 0.1)
    assert len(limiter._chats) < 1100


def test_a_group_gets_twenty_messages_a_minute() -> None:
    gone = run_queue([(0.0, "telegram:7:-100", Priority.ANSWER)] * 45)
    instants = [at for at, _, _ in gone]
    assert max(sum(1 for other in instants if start <= other < start + 60.0) for start in instants) == 20


def test_a_chat_that_was_told_to_wait_keeps_no_other_waiting() -> None:
    limiter = RateLimiter()
    limiter.block("a", 7.0)
    gone = run_queue([(0.0, "a", Priority.SAFETY), (0.0, "b", Priority.REMINDER)], limiter)
    assert [(at, chat) for at, chat, _ in gone] == [(0.0, "b"), (7.0, "a")]
