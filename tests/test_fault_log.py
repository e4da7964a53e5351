"""Faults in the log: the first of a kind is a line, those that follow are a number, and what is over begins anew."""

from __future__ import annotations

import logging

import pytest

from bot.fault_log import MOST_KINDS, SAY_AGAIN_AFTER, FaultLog


class Clock:
    """Seconds, as a test sets them."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def faults(clock: Clock) -> FaultLog:
    return FaultLog(logging.getLogger("bot.made_up"), clock)


def test_of_a_fault_that_comes_again_and_again_one_line_is_written_and_the_rest_counted(
    faults: FaultLog, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(6300):
        faults.say("full", "The disk is full.")
    assert caplog.messages == ["The disk is full."]
    clock.at = SAY_AGAIN_AFTER
    faults.say("full", "The disk is full.")
    assert caplog.messages[1:] == ["The disk is full. (6299 more of this kind since the last line)"]
    clock.at *= 2
    faults.say("full", "The disk is full.")
    assert caplog.messages[2:] == ["The disk is full."]


def test_faults_of_different_kinds_do_not_hide_each_other(faults: FaultLog, caplog: pytest.LogCaptureFixture) -> None:
    for kind in ("full", "locked", "full", "locked"):
        faults.say(kind, kind)
    assert caplog.messages == ["full", "locked"]


def test_what_is_over_is_told_by_its_number_and_said_at_once_when_it_comes_back(
    faults: FaultLog, caplog: pytest.LogCaptureFixture
) -> None:
    for kind in ("store full", "store full", "store locked", "line lost"):
        faults.say(kind, kind)
    assert faults.over("store ") == 3
    assert faults.over("store ") == 0
    faults.say("store full", "again")
    faults.say("line lost", "not again")
    assert caplog.messages == ["store full", "store locked", "line lost", "again"]


def test_no_more_kinds_are_remembered_than_there_is_room_for(faults: FaultLog) -> None:
    for number in range(MOST_KINDS + 50):
        faults.say(f"kind {number}", "a fault")
    assert faults.over("kind") == MOST_KINDS
