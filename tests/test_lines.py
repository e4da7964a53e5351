"""In every country only verified help lines and numbers are shown."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.operator.help_lines import CARDS
from dialogues import book
from dialogues.book import Book
from dialogues.helplines.rows import KINDS, NOT_VERIFIED, HelpLine, HelpLineRow, HelpLinesError
from dialogues.helplines.tables import Emergency, HelpCard, HelpLines
from dialogues.rendering.prompts import Prompts
from state_machine.model.context import Context
from state_machine.model.progress import Fact, Progress

LINES = HelpLines.read()
TODAY = date(2026, 12, 1)
LONG_AFTER = date(2027, 12, 1)
ALL_COUNTRIES = sorted(LINES.numbers)
GENERAL_WORDS = "the emergency number where you are"
DIRECTORY = "findahelpline.com"


@pytest.fixture(scope="module")
def the_book() -> Book:
    return book.read()


@pytest.fixture(scope="module")
def prompts(the_book: Book) -> Prompts:
    return Prompts(the_book, LINES, "Nobody")


def shown(prompts: Prompts, the_book: Book, refrain: str, country: str | None, on: date = TODAY) -> str:
    """A refrain as a client of that country reads it."""
    now = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    facts = {"country": Fact("in words", now, country)} if country else {}
    return prompts.said_refrain(refrain, Context(the_book.script, Progress(facts=facts), None, now))


def test_every_iso_country_is_in_the_table() -> None:
    assert len(ALL_COUNTRIES) == 249
    assert sum(not emergency for emergency in LINES.numbers.values()) == 33


@pytest.mark.parametrize("country", ALL_COUNTRIES)
def test_a_card_has_exactly_what_somebody_vouched_for(country: str, prompts: Prompts, the_book: Book) -> None:
    card = LINES.card(country, TODAY)
    text = shown(prompts, the_book, "help_card", country)
    trusted = [r for r in LINES.rows if (r.country, r.kind) == (country, "crisis") and r.confidence in {"H", "H*"}]
    assert [line.name for line in card.crisis] == [row.name for row in trusted]
    assert card.country
    for line in card.crisis:
        assert f"{line.name}: {line.contact} (" in text
    if not card.crisis:
        assert card.directory in text
    if card.emergency:
        label = "Emergency" if card.emergency.general else "Ambulance"
        assert text.startswith(f"{label} ({card.country}): {card.emergency}")
    else:
        assert GENERAL_WORDS in text
    for row in LINES.rows:
        if (row.country, row.kind) == (country, "crisis") and row not in trusted:
            assert row.name not in text


def as_shown(row: HelpLineRow) -> str:
    """A row as a card should show it, computed from the table alone."""
    hours = "check opening hours" if row.hours == NOT_VERIFIED else row.hours
    return f"{row.name}: {', '.join(part.strip() for part in row.contact.split(';'))} ({hours})"


def fallback_card(country: str, kind: str) -> list[str]:
    """The expected card of a country without a line of that kind, computed from the table of numbers alone.

    The card for poison has no directory, because minutes count; that for bereavement has no emergency number.
    """
    emergency = LINES.numbers[country]
    if kind == "suicide_bereavement":
        return [DIRECTORY]
    number = (kind == "violence" and emergency.police) or str(emergency)
    first = f"({LINES.card(country, TODAY).country}): {number}" if number else GENERAL_WORDS
    return [first] if kind == "poison" else [first, f"Lines: {DIRECTORY}"]


def trusted_rows(country: str, kind: str) -> list[str]:
    """The rows of a kind with a trusted confidence, as a card should show them."""
    of_kind = [row for row in LINES.rows if (row.country, row.kind) == (country, kind)]
    return [as_shown(row) for row in of_kind if row.confidence in {"H", "H*"}]


@pytest.mark.parametrize("kind", KINDS)
def test_every_country_and_kind_shows_what_is_vouched_for_or_the_number_and_the_directory_and_never_a_guess(
    kind: str, prompts: Prompts, the_book: Book
) -> None:
    for country in ALL_COUNTRIES:
        trusted = trusted_rows(country, kind)
        if kind == "suicide_bereavement":
            # Lines for this kind of grief are rare; the line for hard hours listens to it as well.
            trusted = trusted or trusted_rows(country, "crisis")
        for day, expected in ((TODAY, trusted), (LONG_AFTER, [])):
            said = shown(prompts, the_book, CARDS[kind], country, day).splitlines()
            number, *rest = fallback_card(country, kind)
            if kind == "suicide_bereavement":
                assert said == (expected or [number]), (country, day)
                continue
            assert number in said[0], (country, kind)
            assert said[1:] == (expected or rest), (country, kind, day)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_shown_as_a_list_for_authors(kind: str) -> None:
    for country in ALL_COUNTRIES:
        of_kind = [row for row in LINES.rows if (row.country, row.kind) == (country, kind)]
        of_card = getattr(LINES.card(country, TODAY), kind)
        assert of_card == tuple(row.line() for row in of_kind if row.confidence in {"H", "H*"})


def test_the_table_has_rows_of_every_kind_and_every_confidence_that_is_shown() -> None:
    """Otherwise the tests above would prove nothing."""
    assert {row.kind for row in LINES.rows} == set(KINDS)
    assert {"H", "H*", "M", "K"} <= {row.confidence for row in LINES.rows}
    shown_kinds = {row.kind for row in LINES.rows if row.status(TODAY).shown}
    assert {"crisis", "child", "sexual_violence", "poison"} <= shown_kinds


@pytest.mark.parametrize("country", ALL_COUNTRIES)
@pytest.mark.parametrize("refrain", ["emergency_line", "police_line", "rescue_card"])
def test_no_country_is_left_without_a_way_to_get_help(
    country: str, refrain: str, prompts: Prompts, the_book: Book
) -> None:
    text = shown(prompts, the_book, refrain, country)
    emergency = LINES.numbers[country]
    expected = (refrain == "police_line" and emergency.police) or str(emergency) or GENERAL_WORDS
    assert expected in text
    assert len(text.splitlines()[0].split()) <= 40


@pytest.mark.parametrize("country", [None, "XX", "ZZ"])
def test_an_unknown_country_gets_the_general_words_and_the_directory(
    country: str | None, prompts: Prompts, the_book: Book
) -> None:
    card = LINES.card(country, TODAY)
    assert card == HelpCard(None, Emergency(), DIRECTORY, DIRECTORY)
    for kind, refrain in CARDS.items():
        text = shown(prompts, the_book, refrain, country)
        assert kind == "suicide_bereavement" or GENERAL_WORDS in text
        assert kind == "poison" or text.endswith(DIRECTORY)


def test_a_row_older_than_180_days_gives_way_to_the_directory(prompts: Prompts, the_book: Book) -> None:
    checked = date(2026, 11, 23)
    assert LINES.card("GB", checked + timedelta(days=180)).crisis
    late = checked + timedelta(days=181)
    assert LINES.card("GB", late).crisis == ()
    text = shown(prompts, the_book, "help_card", "GB", late)
    assert text == "Emergency (United Kingdom): 999\nLines: findahelpline.com"


def test_hours_that_nobody_verified_are_said_to_be_unverified(prompts: Prompts, the_book: Book) -> None:
    assert LINES.card("DK", TODAY).crisis == (HelpLine("Livslinien", "70 201 201", None),)
    assert "Livslinien: 70 201 201 (check opening hours)" in shown(prompts, the_book, "help_card", "DK")


def test_a_number_few_sources_agree_on_is_named_with_112(prompts: Prompts, the_book: Book) -> None:
    assert shown(prompts, the_book, "emergency_line", "HN") == "Emergency (Honduras): 911, or 112 from a mobile"
    assert LINES.numbers["LS"] == Emergency("112"), "112 is not offered beside itself"


def test_a_number_stands_once_even_if_it_serves_for_everything() -> None:
    assert LINES.numbers["GB"] == Emergency(general="999")
    assert LINES.numbers["AT"] == Emergency(general="112", medical="144", police="133")
    assert LINES.numbers["BR"] == Emergency(medical="192", police="190")
    assert str(LINES.numbers["BR"]) == "192"


def test_poison_advice_stands_beside_the_number_where_it_is_known(prompts: Prompts, the_book: Book) -> None:
    assert "Poison Help: 1-800-222-1222" in shown(prompts, the_book, "rescue_card", "US")
    assert shown(prompts, the_book, "rescue_card", "GB") == "Emergency (United Kingdom): 999"


def test_every_row_says_when_and_where_it_was_checked() -> None:
    assert all(isinstance(row, HelpLineRow) and row.source and row.checked_on.year >= 2026 for row in LINES.rows)


_GOOD_NUMBERS = (
    "country,medical,police,general,agree,conflict,note,checked_on,source\nGB,999,999,999,8,,,2026-11-23,a list\n"
)
_HEAD = "country,kind,name,contact,hours,confidence,checked_on,source\n"
_DIRECTORY = "*,crisis,Find A Helpline,findahelpline.com,directory,H,2026-11-23,a list\n"


@pytest.mark.parametrize(
    ("lines", "numbers", "sentence"),
    [
        ("country,kind\n", _GOOD_NUMBERS, "help_lines.csv:1: the columns are"),
        (
            _HEAD + "GBR,crisis,S,1,24/7,H,2026-11-23,a list\n",
            _GOOD_NUMBERS,
            "csv:2: “GBR” is not a country",
        ),
        (_HEAD + "GB,crises,S,1,24/7,H,2026-11-23,a list\n", _GOOD_NUMBERS, "there is no kind “crises”"),
        (_HEAD + "GB,crisis,S,1,24/7,Z,2026-11-23,a list\n", _GOOD_NUMBERS, "the confidence is one of"),
        (_HEAD + "GB,crisis,S,1,24/7,H,yesterday,a list\n", _GOOD_NUMBERS, "“yesterday” is not a date"),
        (_HEAD + "GB,crisis,S,,24/7,H,2026-11-23,a list\n", _GOOD_NUMBERS, "can't be empty"),
        (_HEAD + "GB,crisis,S,1,24/7,H,2026-11-23\n", _GOOD_NUMBERS, "7 cells instead of 8"),
        (
            _HEAD + 2 * "GB,crisis,S,1,24/7,H,2026-11-23,a list\n",
            _GOOD_NUMBERS,
            "help_lines.csv:3: “GB crisis S” appears twice",
        ),
        (_HEAD, _GOOD_NUMBERS, "add the directory"),
        (_HEAD + _DIRECTORY, _GOOD_NUMBERS.replace("GB,999", "GB,9 9"), "a number has digits only"),
        (_HEAD + _DIRECTORY, _GOOD_NUMBERS.replace(",8,", ",many,"), "number of agreeing sources"),
        (_HEAD + _DIRECTORY, _GOOD_NUMBERS.replace("GB", "gb"), "“gb” is not a country"),
    ],
)
def test_a_table_that_cannot_be_trusted_stops_the_start_with_its_line(
    tmp_path: Path, lines: str, numbers: str, sentence: str
) -> None:
    (tmp_path / "help_lines.csv").write_text(lines, encoding="utf-8")
    (tmp_path / "emergency_numbers.csv").write_text(numbers, encoding="utf-8")
    with pytest.raises(HelpLinesError) as fault:
        HelpLines.read(tmp_path)
    assert sentence in str(fault.value)


def test_reading_the_lines_waits_for_no_large_library() -> None:
    code = "import sys, dialogues.helplines.tables as lines; lines.HelpLines.read(); sys.exit('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
