"""Progress, entries and messages are written as JSON and read unchanged; malformed data are refused."""

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
from storage.errors import Malformed
from storage.repositories.chats import read_progress, write_progress
from storage.repositories.entries import read_entry, write_entry
from storage.repositories.outbox import read_message, write_message

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
    """Any value of a type; for a dataclass with every field set, also those that have a default."""
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
def test_progress_is_read_as_it_was_written(progress: Progress) -> None:
    assert read_progress(write_progress(progress)) == progress


@given(anything(Entry))
def test_an_entry_is_read_as_it_was_written(entry: Entry) -> None:
    assert read_entry(write_entry(entry)) == entry


@given(st.one_of(anything(Message), anything(Edit), anything(TapAnswer), anything(ExportFile)))
def test_a_message_is_read_as_it_was_written_and_of_the_same_class(message: Outgoing) -> None:
    again = read_message(write_message(message))
    assert type(again) is type(message)
    assert again == message


@pytest.mark.parametrize("read", [read_progress, read_entry, read_message])
@given(data=st.binary(max_size=60))
def test_malformed_data_are_refused_without_being_quoted(read: Any, data: bytes) -> None:
    with pytest.raises(Malformed) as fault:
        read(b"}" + data)
    assert str(fault.value) == ""
    assert fault.value.__cause__ is None


@given(data=st.binary(max_size=60))
def test_arbitrary_bytes_raise_no_other_exception(data: bytes) -> None:
    for read in (read_progress, read_entry, read_message):
        with suppress(Malformed):
            read(data)


def test_mappings_of_any_kind_are_written() -> None:
    progress = Progress(facts=ChainMap({"wish": Fact("words", datetime(2026, 1, 5, tzinfo=UTC))}))
    assert read_progress(write_progress(progress)) == progress


def test_a_message_of_an_unknown_class_is_refused() -> None:
    with pytest.raises(Malformed):
        read_message(b'{"type": "Picture", "text": "a"}')


def test_missing_fields_take_defaults_and_unknown_fields_are_skipped() -> None:
    assert read_progress(b'{"phase": "treatment", "dropped": [1, {"a": 2}]}') == Progress(phase="treatment")
