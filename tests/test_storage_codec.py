"""Whatever progress, entries and messages hold, it comes back the same; what is not one of them is refused."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state_machine.model.outgoing import Edit, ExportFile, Message, Outgoing, TapAnswer
from state_machine.model.progress import Entry, Fact, Progress
from storage.codec import (
    Malformed,
    read_entry,
    read_farewell,
    read_message,
    read_progress,
    write_entry,
    write_farewell,
    write_message,
    write_progress,
)

INSTANTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=12),
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    type(None): st.none(),
    date: st.dates(),
    datetime: INSTANTS,
}


@cache
def anything(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type; of a shape with every field filled, also those that have a default, now or later."""
    if hint in PLAIN:
        return PLAIN[hint]
    arguments = get_args(hint)
    if get_origin(hint) is tuple:
        return st.lists(anything(arguments[0]), max_size=2).map(tuple)
    if get_origin(hint) is Mapping:
        return st.dictionaries(anything(arguments[0]), anything(arguments[1]), max_size=2)
    if arguments:
        return st.one_of(*(anything(argument) for argument in arguments))
    return st.builds(hint, **{name: anything(field) for name, field in get_type_hints(hint).items()})


@given(anything(Progress))
def test_progress_comes_back_the_same(progress: Progress) -> None:
    assert read_progress(write_progress(progress)) == progress


@given(anything(Entry))
def test_an_entry_comes_back_the_same(entry: Entry) -> None:
    assert read_entry(write_entry(entry)) == entry


@given(st.one_of(anything(Message), anything(Edit), anything(TapAnswer), anything(ExportFile)))
def test_a_message_comes_back_the_same_and_as_what_it_was(message: Outgoing) -> None:
    again = read_message(write_message(message))
    assert type(again) is type(message)
    assert again == message


@given(st.lists(anything(Message), max_size=3))
def test_a_farewell_comes_back_the_same(farewell: list[Message]) -> None:
    assert read_farewell(write_farewell(farewell)) == tuple(farewell)


@pytest.mark.parametrize("read", [read_progress, read_entry, read_message, read_farewell])
@given(data=st.binary(max_size=60))
def test_what_is_not_one_of_them_is_refused_without_being_quoted(read: Any, data: bytes) -> None:
    with pytest.raises(Malformed) as fault:
        read(b"}" + data)
    assert str(fault.value) == ""
    assert fault.value.__cause__ is None


@given(data=st.binary(max_size=60))
def test_whatever_bytes_there_are_nothing_but_a_refusal_comes_of_them(data: bytes) -> None:
    for read in (read_progress, read_entry, read_message, read_farewell):
        with suppress(Malformed):
            read(data)


def test_mappings_of_any_kind_are_written() -> None:
    progress = Progress(facts=ChainMap({"wish": Fact("words", datetime(2026, 1, 5, tzinfo=UTC))}))
    assert read_progress(write_progress(progress)) == progress


def test_a_message_of_an_unknown_shape_is_refused() -> None:
    with pytest.raises(Malformed):
        read_message(b'{"type": "Picture", "text": "a"}')


def test_what_a_release_added_takes_its_default_and_what_it_dropped_is_passed_over() -> None:
    assert read_progress(b'{"phase": "treatment", "dropped": [1, {"a": 2}]}') == Progress(phase="treatment")
