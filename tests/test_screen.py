"""The screen: properties that hold for any text, and rates on a corpus of our own messages."""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.reading import signals
from state_machine.safety import DangerKind, RiskReading, Screen, Tier
from state_machine.safety.reading import strength

CORPUS = Path(__file__).with_name("safety") / "corpus_en.jsonl"
EXPLICIT = (
    "I want to die",
    "I am going to kill myself tonight",
    "I cut myself again last night",
    "I took 30 pills an hour ago",
    "My husband hit me again tonight",
    "I don't want to live anymore",
    "I think about suicide all day",
)
ORDINARY = (
    "We had soup for dinner.",
    "My sister called about the weekend.",
    "Work was long today.",
    "Nobody else was in the office.",
    "It rained, so I stayed in.",
    "I never liked that street.",
    "My friend moved to another town.",
)


def screen() -> Screen:
    return signals.screen()


@cache
def corpus() -> tuple[Mapping[str, Any], ...]:
    return tuple(json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines())


def readings(**wanted: str) -> list[tuple[str, RiskReading]]:
    return [
        (row["text"], screen().read(row["text"], row.get("before", [])))
        for row in corpus()
        if all(row[key] == value for key, value in wanted.items())
    ]


def share(found: list[tuple[str, RiskReading]], *tiers: Tier) -> float:
    return sum(reading.tier in tiers for _, reading in found) / len(found)


@given(st.text(max_size=400), st.lists(st.text(max_size=80), max_size=3))
@settings(max_examples=300, deadline=None)
def test_no_text_whatever_makes_the_screen_raise(text: str, before: list[str]) -> None:
    assert screen().read(text, before).signal != "a fault in the screen"


@given(
    st.lists(
        st.sampled_from(
            [
                "die",
                "kill",
                "myself",
                "i",
                "want",
                "to",
                "not",
                "never",
                "pills",
                "my",
                '"',
                "'",
                ",",
                ".",
                "!",
                "*",
                "1",
                "$",
                "…",
                "🔫",
                "\n",
                "é",
            ]
        )
    )
)
@settings(max_examples=300, deadline=None)
def test_no_heap_of_dangerous_words_makes_it_raise(words: list[str]) -> None:
    assert screen().read(" ".join(words)).signal != "a fault in the screen"


def test_a_fault_inside_counts_as_a_question() -> None:
    assert screen().read(None).tier is Tier.ASK  # type: ignore[arg-type]


def test_a_text_as_long_as_a_book_is_read_to_its_end() -> None:
    assert screen().read("We walked along the river and talked. " * 400 + "I want to die").tier is Tier.EXPLICIT
    assert screen().read("we walked along the river and talked " * 400 + "i want to die").tier is Tier.EXPLICIT


@given(
    st.sampled_from(EXPLICIT),
    st.lists(st.sampled_from(ORDINARY), max_size=4),
    st.lists(st.sampled_from(ORDINARY), max_size=4),
)
@settings(max_examples=200, deadline=None)
def test_ordinary_words_around_it_never_make_a_plain_sentence_less(
    sentence: str, ahead: list[str], behind: list[str]
) -> None:
    assert screen().read(" ".join([*ahead, f"{sentence}.", *behind])).tier is Tier.EXPLICIT
    assert screen().read(sentence, ahead[-2:]).tier is Tier.EXPLICIT


def disguises(text: str) -> dict[str, str]:
    return {
        "capitals": text.upper(),
        "curly quotes": text.replace("'", "’"),
        "no apostrophes": text.replace("'", ""),
        "accents": unicodedata.normalize("NFC", text.replace("i", "i\u0301").replace("e", "e\u0300")),
        "zero width": "\u200b".join(text),
        "wide letters": "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
        "stretched": text + text[-1] * 6,
        "exclaimed": text + "!!!",
        "spaces": f"  {text.replace(' ', '   ')}  ",
        "lines": text + "\r\n\r\n",
    }


@pytest.mark.parametrize("text", EXPLICIT)
@pytest.mark.parametrize("disguise", list(disguises("x")))
def test_a_disguise_changes_nothing(text: str, disguise: str) -> None:
    plain, disguised = screen().read(text), screen().read(disguises(text)[disguise])
    assert (disguised.tier, disguised.kind) == (plain.tier, plain.kind)


def test_denial_and_past_lower_to_a_question_and_never_to_nothing() -> None:
    for text, reading in readings(**{"class": "denied"}) + readings(**{"class": "past"}):
        assert reading.tier in (Tier.ASK, Tier.EXPLICIT), text


@pytest.mark.parametrize(
    "beside",
    ["My friend wants to die.", "I don't want to die.", "Years ago I was suicidal.", "My brother killed himself."],
)
@pytest.mark.parametrize("text", EXPLICIT)
def test_nothing_beside_it_hides_a_sign_in_the_first_person(text: str, beside: str) -> None:
    assert screen().read(f"{beside} {text}").tier is Tier.EXPLICIT
    assert screen().read(f"{text}. {beside}").tier is Tier.EXPLICIT


def test_an_idiom_takes_out_its_own_words_only() -> None:
    assert screen().read("I nearly died laughing").tier is Tier.NONE
    assert screen().read("I nearly died laughing and then I wanted to kill myself").tier is Tier.EXPLICIT


def test_a_sentence_split_over_three_messages_is_read_as_one() -> None:
    assert screen().read("myself", ["I want to", "kill"]).tier is Tier.EXPLICIT
    assert screen().read("myself").tier is Tier.NONE


def test_what_was_said_before_does_not_ring_again() -> None:
    assert screen().read("the kettle is on", ["I want to die", "sorry"]).tier is Tier.NONE


def test_another_persons_words_in_quotation_marks_ask() -> None:
    assert screen().read('She wrote "I want to die" on the wall').tier is Tier.ASK


def test_a_telling_of_a_death_by_suicide_does_not_alarm() -> None:
    told = readings(kind="after_suicide")
    assert len(told) >= 60
    assert sum(reading.tier is Tier.EXPLICIT for _, reading in told) <= 1
    assert share(told, Tier.NONE) >= 0.9


def test_a_fresh_loss_is_no_alarm_and_is_known() -> None:
    for text, reading in readings(kind="fresh_loss"):
        assert (reading.tier, reading.kind, reading.alarm) == (Tier.NONE, DangerKind.FRESH_LOSS, DangerKind.NONE), (
            text
        )


def test_somebody_elses_danger_is_about_them() -> None:
    third = readings(kind="someone_else")
    assert share(third, Tier.SOMEONE_ELSE) >= 0.9
    assert share(third, Tier.EXPLICIT) == 0


@pytest.mark.parametrize(
    ("label", "tiers", "floor"),
    [
        ("explicit", (Tier.EXPLICIT,), 0.92),
        ("explicit", (Tier.EXPLICIT, Tier.ASK), 0.95),
        ("possible", (Tier.EXPLICIT, Tier.ASK), 0.93),
    ],
)
def test_the_corpus_is_found(label: str, tiers: tuple[Tier, ...], floor: float) -> None:
    assert share(readings(tier=label), *tiers) >= floor


def test_everyday_talk_and_idioms_are_left_alone() -> None:
    for label in ("idioms", "everyday", "bereavement"):
        quiet = readings(**{"class": label})
        assert share(quiet, Tier.EXPLICIT) == 0, label
        assert share(quiet, Tier.NONE) >= 0.95, label


def test_the_corpus_is_large_and_says_what_each_message_is_about() -> None:
    count: dict[str, int] = defaultdict(int)
    for row in corpus():
        assert row["tier"] in ("explicit", "possible", "none")
        assert row["kind"] in set(DangerKind)
        count[row["class"]] += 1
    assert sum(count.values()) >= 600
    assert len({row["text"] for row in corpus()}) >= 600
    assert {"idioms", "everyday", "denied", "past", "third", "after", "fresh", "misspelt", "slang", "split"} <= set(
        count
    )


def test_kinds_are_told_apart() -> None:
    for kind in (DangerKind.MEDICAL, DangerKind.VIOLENCE, DangerKind.OTHERS):
        found = readings(kind=str(kind))
        assert sum(reading.kind is kind for _, reading in found) / len(found) >= 0.85, kind


@pytest.mark.parametrize("text", ["I'm 15 and I live with my dad", "I am in year 9", "my form teacher asked me"])
def test_signs_of_being_under_age_are_seen(text: str) -> None:
    assert screen().minor(text)


@pytest.mark.parametrize("text", ["I'm 15 minutes late", "My son is 15", "I turned 45 in May", "I am 34"])
def test_a_number_is_not_always_an_age(text: str) -> None:
    assert not screen().minor(text)


def test_the_signal_never_holds_the_clients_words() -> None:
    names = {section.signal.name for section in signals.read().sections} | {None}
    assert {reading.signal for _, reading in readings()} <= names


def test_of_two_readings_the_one_that_can_wait_less_is_kept() -> None:
    assert strength(RiskReading(Tier.EXPLICIT, DangerKind.MEDICAL)) > strength(
        RiskReading(Tier.EXPLICIT, DangerKind.SELF)
    )
    assert strength(RiskReading(Tier.ASK, DangerKind.OTHERS)) > strength(
        RiskReading(Tier.SOMEONE_ELSE, DangerKind.SOMEONE_ELSE)
    )


def test_a_message_of_fifteen_words_takes_less_than_two_milliseconds() -> None:
    text = "Yesterday I talked with my sister about the flat and she wants to move out soon"
    screen().read(text)
    times = []
    for _ in range(200):
        began = perf_counter()
        screen().read(text)
        times.append(perf_counter() - began)
    assert median(times) < 0.002
