"""What clients type, in the many ways they type it: which answer it is read as, and where reading ends."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from dialogues.rendering.prompts import Prompts
from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.context import Context
from state_machine.model.progress import Fact, Person, Progress
from state_machine.model.script import Label, Numbers, Script, Step, Takes, Way
from state_machine.turn.answers import Accepted, NotUnderstood, read, read_date, read_number, read_time
from state_machine.turn.machine import Machines
from tests.talking import DAY_ONE, Story, label_to

NOW = datetime(2026, 3, 4, 18, 0, tzinfo=UTC)
ON_THE_MAP = ("Ben", "Cy", "Di", "Mum and Dad", "Smith, John", "O’Neil", "A.", "Zoë")


def _read(script: Script, text: str, *takes: Takes, **facts: str) -> Accepted | NotUnderstood:
    people = tuple(Person(number, name) for number, name in enumerate(ON_THE_MAP, 1))
    known = {name: Fact(value, NOW, value) for name, value in facts.items()}
    step = Step("here", (), tuple(Way(each, "there", "memory", str(place)) for place, each in enumerate(takes)))
    if not isinstance(takes[0], Label):
        step = Step("here", (), tuple(Way(each, "there", "memory") for each in takes))
    return read(step, text, Context(script, Progress(people=people, facts=known), None, NOW))


def _value(taken: Accepted | NotUnderstood) -> str:
    return taken.refrain if isinstance(taken, NotUnderstood) else taken.value


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("that's it", 0),
        ("THAT’S IT", 0),
        ("That's it!", 0),
        (" that's   it ", 0),
        ("👍 That's it", 0),
        ("“That’s it.”", 0),
        ("yes, keep it", 1),
        ("Yes, keep it 🙂", 1),
        ("no.", 2),
        ("NO!!!", 2),
    ],
)
def test_a_button_may_be_typed_without_its_capitals_quotes_and_emoji(
    text: str, index: int, machines: Machines
) -> None:
    taken = _read(machines.script, text, Label("That’s it"), Label("👍 Yes, keep it"), Label("No"))
    assert isinstance(taken, Accepted)
    assert taken.index == index


@pytest.mark.parametrize("text", ["nope", "no way", "that is it", "not that's it"])
def test_other_words_than_the_button_s_are_not_guessed_at(text: str, machines: Machines) -> None:
    taken = _read(machines.script, text, Label("That’s it"), Label("No"))
    assert taken == NotUnderstood("kept_with_today", note=True)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (said, "6")
        for said in ("6", "six", "SIX", " 6 ", "6.", "6!", "6/10", "6 / 10", "about six", "a 6", "I'd say 6")
    ]
    + [("0", "0"), ("zero", "0"), ("10", "10"), ("ten", "10"), ("6️⃣", "6")],
)
def test_numbers_are_read_in_figures_and_words(text: str, number: str, machines: Machines) -> None:
    taken = _read(machines.script, text, Numbers(0, 10))
    assert isinstance(taken, Accepted)
    assert (taken.value, taken.code) == (number, number)


@pytest.mark.parametrize("text", ["-1", "3.5", "3,5", "11", "100", "6 or 7", "five or six", "5" * 40])
def test_what_is_no_whole_number_of_the_row_is_asked_for_again(text: str, machines: Machines) -> None:
    assert _read(machines.script, text, Numbers(0, 10)) == NotUnderstood("not_that_number")


def test_a_sentence_with_a_number_in_it_is_words_and_not_an_answer(machines: Machines) -> None:
    context = Context(machines.script, Progress(), None, NOW)
    assert read_number("my sister rang at 6 and hung up", Numbers(0, 10), context) is None


@pytest.mark.parametrize(("number", "way"), [("0", 0), ("3", 0), ("4", 1), ("10", 1)])
def test_two_rows_of_numbers_share_them_out(number: str, way: int, machines: Machines) -> None:
    taken = _read(machines.script, number, Numbers(0, 3), Numbers(4, 10))
    assert isinstance(taken, Accepted)
    assert taken.index == way


@pytest.mark.parametrize(
    ("text", "words", "codes"),
    [
        ("sad", "sad", "sad"),
        ("Sad, Angry", "sad, angry", "sad,angry"),
        ("sad and angry", "sad, angry", "sad,angry"),
        ("sad; lonely", "sad, lonely", "sad,lonely"),
        ("SAD + guilty", "sad, guilty", "sad,guilty"),
        ("sad\nhurt", "sad, hurt", "sad,hurt"),
        ("a burden", "a burden", "a_burden"),
        ("sad, tired of it all", "sad, tired of it all", "sad"),
        ("sort of grey", "sort of grey", None),
    ],
)
def test_feelings_are_read_from_lists_and_words_of_their_own_stay(
    text: str, words: str, codes: str | None, machines: Machines
) -> None:
    taken = _read(machines.script, text, AnswerKind.SOME_FEELINGS)
    assert isinstance(taken, Accepted)
    assert (taken.value, taken.code) == (words, codes)


@pytest.mark.parametrize(
    ("text", "names", "ids"),
    [
        ("ben", "Ben", "1"),
        ("ben, CY", "Ben, Cy", "1,2"),
        ("Ben and Di", "Ben, Di", "1,3"),
        ("Ben & Di", "Ben, Di", "1,3"),
        ("o'neil", "O’Neil", "6"),
        ("ZOË", "Zoë", "8"),
        ("Mum and Dad", "Mum and Dad", "4"),
        ("Ben, mum and dad", "Ben, Mum and Dad", "1,4"),
        ("Smith, John", "Smith, John", "5"),
    ],
)
def test_people_are_found_however_they_are_typed(text: str, names: str, ids: str, machines: Machines) -> None:
    taken = _read(machines.script, text, AnswerKind.SOME_PEOPLE)
    assert isinstance(taken, Accepted), taken
    assert set(taken.value.split(", ")) == set(names.split(", "))
    assert set((taken.code or "").split(",")) == set(ids.split(","))


def test_people_with_an_and_in_their_name_can_be_picked_by_taps(machines: Machines, prompts: Prompts) -> None:
    ana = Story(machines, prompts).says("/start").answers(DAY_ONE).knows("Mum and Dad", "Ben")
    ana.says("/checkin").answers({"mood": "6"}, until="always/check_in#who")
    place = ana.place
    ana.taps("Mum and Dad").taps("Ben").taps(ana.script.finished)
    assert ana.remarks == []
    assert ana.place != place


@pytest.mark.parametrize("text", ["Fred", "Ben and Fred", "my sister"])
def test_whoever_is_not_on_the_map_is_not_guessed_at(text: str, machines: Machines) -> None:
    assert _read(machines.script, text, AnswerKind.SOME_PEOPLE) == NotUnderstood("not_on_the_map")


@pytest.mark.parametrize("text", ["Ben", "ben", "BEN!", " Ben. ", "A"])
def test_a_name_that_could_be_mistaken_for_another_is_taken(text: str, machines: Machines) -> None:
    assert _read(machines.script, text, AnswerKind.NEW_NAME) == NotUnderstood("name_taken")


@pytest.mark.parametrize("text", ["...", "?!", "Eve\nAdam"])
def test_what_can_be_no_name_is_asked_for_again(text: str, machines: Machines) -> None:
    assert _read(machines.script, text, AnswerKind.NEW_NAME) == NotUnderstood("not_followed")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ana", "Ana"),
        ("my name is Ana", "Ana"),
        ("I’m Ana.", "Ana"),
        ("call me Ana!", "Ana"),
        ("Hi, I'm Ana", "Ana"),
        ("It's Ana", "Ana"),
        ("Iamina", "Iamina"),
        ("my name is", "my name is"),
    ],
)
def test_a_name_is_taken_out_of_the_sentence_around_it(text: str, name: str, machines: Machines) -> None:
    assert _value(_read(machines.script, text, AnswerKind.CALLED)) == name


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("9", "09:00"),
        ("at 8", "08:00"),
        ("09:00", "09:00"),
        ("9.30", "09:30"),
        ("9h30", "09:30"),
        ("8pm", "20:00"),
        ("at 8 PM.", "20:00"),
        ("8 p.m.", "20:00"),
        ("8.30pm", "20:30"),
        ("12 am", "00:00"),
        ("12 pm", "12:00"),
        ("around 7", "07:00"),
        ("7 o'clock", "07:00"),
        ("at noon", "12:00"),
        ("Midnight!", "00:00"),
    ],
)
def test_times_are_read_as_people_write_them(text: str, time: str) -> None:
    assert read_time(text) == time


@pytest.mark.parametrize(
    "text",
    [
        *("half eight", "half past 7", "quarter past 6", "8 in the evening", "evening"),
        *("24:00", "25:00", "8:75", "13 pm", "0 am", "2030", "8:5", "19 30", "-3", ""),
    ],
)
def test_a_time_that_could_mean_two_things_or_none_is_asked_for_again(text: str) -> None:
    assert read_time(text) is None


@pytest.mark.parametrize(
    "text", ["2026-03-01", "1.3.2026", "01.03.2026", "1/3/2026", "1 March 2026", "1 mar 2026", "March 1, 2026"]
)
def test_dates_are_read_with_the_day_first_where_it_could_be_either(text: str) -> None:
    assert read_date(text, NOW.date()) == date(2026, 3, 1)


@pytest.mark.parametrize("text", ["31.2.2026", "1 March", "tomorrow", "soon", "13/13/2026"])
def test_a_date_that_is_none_is_asked_for_again(text: str) -> None:
    assert read_date(text, NOW.date()) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Ireland", "IE"),
        ("ireland.", "IE"),
        ("ie", "IE"),
        ("Dublin", "IE"),
        ("the Netherlands", "NL"),
        ("in Germany", "DE"),
        ("Deutschland", "DE"),
        ("UK", "GB"),
        ("U.K.", "GB"),
        ("Scotland", "GB"),
        ("USA", "US"),
        ("Turkey", "TR"),
        ("Türkiye", "TR"),
        ("cote d'ivoire", "CI"),
    ],
)
def test_countries_are_known_by_their_names_codes_and_cities(text: str, code: str, machines: Machines) -> None:
    taken = _read(machines.script, text, AnswerKind.COUNTRY)
    assert isinstance(taken, Accepted)
    assert taken.code == code


def test_a_country_that_is_none_is_asked_for_again(machines: Machines) -> None:
    assert _read(machines.script, "Atlantis", AnswerKind.COUNTRY) == NotUnderstood("not_that_country")


@pytest.mark.parametrize(
    ("text", "zone"), [("05:00", "Australia/Sydney"), ("4:50 am", "Australia/Sydney"), ("02:00", "Australia/Perth")]
)
def test_the_clock_finds_the_zone_also_when_it_is_ten_minutes_off(text: str, zone: str, machines: Machines) -> None:
    taken = _read(machines.script, text, AnswerKind.CLOCK, country="AU")
    assert isinstance(taken, Accepted)
    assert taken.code == zone


def test_a_clock_that_fits_no_zone_of_the_country_is_asked_for_again(machines: Machines) -> None:
    assert _read(machines.script, "12:00", AnswerKind.CLOCK, country="AU") == NotUnderstood("not_that_time")


@pytest.mark.parametrize(
    "kind", [AnswerKind.FEW_WORDS, AnswerKind.CALLED, AnswerKind.NEW_NAME, AnswerKind.TIME, AnswerKind.COUNTRY]
)
def test_what_is_far_too_long_for_an_answer_is_kept_and_asked_for_again(kind: AnswerKind, machines: Machines) -> None:
    assert _read(machines.script, "word " * 100, kind) == NotUnderstood("too_long", note=True)


def test_a_button_comes_before_free_text_and_a_number_before_own_words(machines: Machines) -> None:
    skip = _read(machines.script, "skip", AnswerKind.OWN_WORDS, AnswerKind.SKIP)
    assert isinstance(skip, Accepted)
    assert skip.way.takes is AnswerKind.SKIP
    label = _read(machines.script, "nobody!", Label("Nobody"), AnswerKind.NEW_NAME)
    assert isinstance(label, Accepted)
    assert label.index == 0


def test_renaming_somebody_to_another_s_name_is_not_done_unseen(machines: Machines, prompts: Prompts) -> None:
    ana = Story(machines, prompts).says("/start").answers(DAY_ONE).knows("Ben", "Cy")
    ana.says("/people")
    ana.says(label_to(ana, "who_changes")).says("Ben")
    ana.says(label_to(ana, "name")).says("Cy")
    assert [person.name for person in ana.progress.people].count("Cy") == 1
