"""Telegram's limits hold, in fake time, whatever the order in which sends are asked for."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.pace import Line, Pace
from state_machine.model.outgoing import Priority

LANES = st.sampled_from(list(Priority))
ASKED = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9), LANES), min_size=1, max_size=120)


def run_line(
    asked: list[tuple[float, str | None, Priority]], pace: Pace | None = None
) -> list[tuple[float, str | None, Priority]]:
    """Let everybody through in fake time; when each went."""
    line = Line(pace or Pace())
    arrivals = sorted(asked, key=lambda one: one[0])
    gone: list[tuple[float, str | None, Priority]] = []
    at = arrivals[0][0] if arrivals else 0.0
    while True:
        while arrivals and arrivals[0][0] <= at:
            _, chat, priority = arrivals.pop(0)
            line.join(chat, priority)
        through, again = line.admit(at)
        gone += [(at, ticket.chat, ticket.priority) for ticket in through]
        moments = [moment for moment in (again, arrivals[0][0] if arrivals else None) if moment is not None]
        if not moments:
            return gone
        assert min(moments) > at, "time must go on"
        at = min(moments)


def most_in_a_second(instants: list[float]) -> int:
    """The fullest rolling second: closed at its beginning, open at its end."""
    return max((sum(1 for other in instants if start <= other < start + 1.0) for start in instants), default=0)


@given(ASKED)
@settings(deadline=None, max_examples=60)
def test_never_more_than_29_sends_in_any_rolling_second(asked: list[tuple[int, int, Priority]]) -> None:
    gone = run_line([(tenths / 10, f"chat {chat}", priority) for tenths, chat, priority in asked])
    assert len(gone) == len(asked)
    assert most_in_a_second([at for at, _, _ in gone]) <= 29


@given(ASKED)
@settings(deadline=None, max_examples=60)
def test_reminders_take_at_most_five_of_them(asked: list[tuple[int, int, Priority]]) -> None:
    gone = run_line([(tenths / 10, f"chat {chat}", priority) for tenths, chat, priority in asked])
    assert most_in_a_second([at for at, _, priority in gone if priority is Priority.REMINDER]) <= 5


@given(ASKED)
@settings(deadline=None, max_examples=60)
def test_a_chat_gets_three_at_once_and_then_one_a_second(asked: list[tuple[int, int, Priority]]) -> None:
    gone = run_line([(tenths / 10, f"chat {chat}", priority) for tenths, chat, priority in asked])
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
    gone = run_line([(tenths / 10, f"chat {chat}", priority) for tenths, chat, priority in asked])
    assert Counter((chat, priority) for _, chat, priority in gone) == wanted
    span = gone[-1][0] - min(tenths / 10 for tenths, _, _ in asked)
    busiest = max(Counter(chat for chat, _ in wanted.elements()).values())
    reminders = sum(count for (_, priority), count in wanted.items() if priority is Priority.REMINDER)
    # Arrivals span 3 s; then each limit empties at its own rate. A chat's share may come after its reminders.
    assert span <= 3 + busiest + reminders / 5 + len(asked) / 29 + 2


def test_thirty_chats_at_once_take_just_over_a_second() -> None:
    gone = run_line([(0.0, f"chat {number}", Priority.ANSWER) for number in range(30)])
    assert [at for at, _, _ in gone].count(0.0) == 29
    assert gone[-1][0] == 1.0


def test_safety_goes_before_answers_and_answers_before_reminders() -> None:
    crowd: list[tuple[float, str | None, Priority]] = [(0.0, f"chat {n}", Priority.ANSWER) for n in range(60)]
    late: list[tuple[float, str | None, Priority]] = [
        (0.5, "calm", Priority.REMINDER),
        (0.6, "crisis", Priority.SAFETY),
    ]
    gone = run_line(crowd + late)
    order = [chat for _, chat, _ in gone]
    assert order.index("crisis") == 29
    assert order.index("calm") == len(order) - 1


def test_one_chat_with_a_flood_does_not_delay_another() -> None:
    flood: list[tuple[float, str | None, Priority]] = [(0.0, "flood", Priority.ANSWER)] * 100
    gone = run_line([*flood, (0.01, "other", Priority.ANSWER)])
    assert next(at for at, chat, _ in gone if chat == "other") == 0.01


def test_when_shut_nothing_goes() -> None:
    pace = Pace()
    pace.shut(7.0)
    gone = run_line([(0.0, "a", Priority.SAFETY), (0.0, "b", Priority.ANSWER)], pace)
    assert [at for at, _, _ in gone] == [7.0, 7.0]


def test_the_answer_to_a_tap_does_not_wait_for_its_chat() -> None:
    busy: list[tuple[float, str | None, Priority]] = [(0.0, "chat", Priority.ANSWER)] * 5
    gone = run_line([*busy, (0.1, None, Priority.ANSWER)])
    assert (0.1, None, Priority.ANSWER) in gone


def test_a_chat_that_has_been_quiet_is_forgotten() -> None:
    pace = Pace()
    for number in range(3000):
        pace.take(f"chat {number}", Priority.ANSWER, number * 0.1)
    assert len(pace._chats) < 1100
