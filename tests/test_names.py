"""Two names are one only if they are: in any script, with emoji, and however a keyboard composes its signs."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dialogues.rendering.prompts import Prompts
from state_machine.model.progress import Fact, Person, Run
from state_machine.model.text import find_name, folded, name_key, normalise
from state_machine.rules import person_gates
from state_machine.turn.machine import Machines
from state_machine.turn.options import FINISHED, token
from tests.talking import DAY_ONE, START, Story, label_to

SCRIPTS = {
    "Latin": ("abcdefghijklmnopqrstuvwxyzøłđħ", "\u0301\u0308\u0303\u0327\u030c"),
    "Greek": ("αβγδεζηθικλμνξοπρστυφχψω", "\u0301\u0308"),
    "Cyrillic": ("абвгдежзиклмнопрстуфхцчшщыэюя", "\u0306\u0308"),
    "Devanagari": ("कखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह", "ािीुूृेैोौ्ंँ"),
    "Bengali": ("কখগঘচছজঝটঠডঢণতথদধনপফবভমযরলশষসহ", "ািীুূেৈ্ং"),
    "Tamil": ("கஙசஞடணதநபமயரலவழளறன", "ாிீுூெேை்"),
    "Thai": ("กขคฆงจฉชซณดตถทธนบปผพฟภมยรลวสหอ", "ิีึืุู่้๊"),
    "Arabic": ("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", "\u064b\u064e\u064f\u0650\u0651\u0652"),
    "Hebrew": ("אבגדהוזחטיכלמנסעפצקרשת", "\u05b0\u05b4\u05b5\u05b6\u05b7\u05b8\u05bc"),
    "Khmer": ("កខគឃងចឆជញដតថទធនបផពភមយរលវសហអ", "ាិីឹុូេែៃ"),
    "Myanmar": ("ကခဂငစဆဇညတထဒနပဖဗမယရလဝသဟအ", "ာိီုူေံ့း"),
    "Georgian": ("აბგდევზთიკლმნოპრსტუფქღყშჩცძწჭხჯჰ", "\u0301"),
    "Han": ("明红丽伟芳娜敏静强磊军洋勇艳杰娟涛超", "\u3099"),
    "Hangul": ("민수지영희철진호준서연", "\u302e"),
}
EMOJI = ("🐍", "🦋", "👩", "👨‍👧", "👍🏽", "👍", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🇩🇪", "🇫🇷")
NEAR = [
    *(("मीना", "मोना"), ("মিনা", "মুনা"), ("மீனா", "மேனா"), ("นิดา", "นุดา"), ("مُنى", "مِنى"), ("דַנָה", "דִינָה")),
    *(("សុភា", "សិភា"), ("မီနာ", "မူနာ"), ("José", "Jose"), ("Zoë", "Zoe"), ("Ana 🐍", "Ana 🦋"), ("🐍", "🦋")),
    *(("J.", "K."), ("Dr. Kay", "Dr Kay"), ("Anne-Marie", "Annemarie"), ("O'Neil", "Oneil"), ("Ann", "Anna")),
    *(("Jo", "Joe"), ("मन", "मना"), ("小明", "小红"), ("👍", "👍🏽"), ("👨", "👨‍👧"), ("İlker", "Ilker")),
]
"""Two people each, whose names differ by little."""


def name_of(script: str) -> st.SearchStrategy[str]:
    letters, marks = SCRIPTS[script]
    syllable = st.tuples(st.sampled_from(letters), st.sampled_from(["", *marks])).map("".join)
    return st.lists(syllable, min_size=1, max_size=6).map("".join)


NAMES = st.sampled_from(sorted(SCRIPTS)).flatmap(name_of)
CALLED = st.tuples(NAMES, st.sampled_from(["", *EMOJI])).map(lambda each: " ".join(each).strip())


@settings(max_examples=400, deadline=None)
@given(CALLED, CALLED)
def test_two_different_names_are_never_one(one: str, other: str) -> None:
    assume(unicodedata.normalize("NFC", one) != unicodedata.normalize("NFC", other))
    assert name_key(one) != name_key(other)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(SCRIPTS)), st.data())
def test_a_name_with_one_sign_more_is_another_and_does_not_contain_it(script: str, data: st.DataObject) -> None:
    name = data.draw(name_of(script))
    longer = name + data.draw(st.sampled_from(SCRIPTS[script][1]))
    assume(len(unicodedata.normalize("NFC", longer)) != len(unicodedata.normalize("NFC", name)))
    assert name_key(longer) != name_key(name)
    assert find_name(name_key(name), folded(longer)) is None


@settings(max_examples=400, deadline=None)
@given(CALLED, st.booleans(), st.sampled_from([str, str.upper, str.lower, str.title]))
def test_one_name_is_the_same_however_it_is_typed(name: str, composed: bool, case: Callable[[str], str]) -> None:
    typed = f" {case(unicodedata.normalize('NFC', name))}."
    typed = unicodedata.normalize("NFC", typed) if composed else unicodedata.normalize("NFD", typed)
    assume(case(name).lower().upper() == name.upper())  # in a few scripts a change of case changes the letters
    assert name_key(typed) == name_key(name)
    assert name_key(name_key(name)) == name_key(name)
    assert find_name(name_key(name), folded(f"with {name}, again")) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("José", "Jose\u0301"),
        ("O’Neil", "o'neil"),
        ("Anne-Marie", "ANNE‑MARIE"),
        ("J.", "j"),
        ("Mum  and Dad", "mum and dad"),
        ("❤️", "❤"),
        ("Kim\u200e", "Kim"),
    ],
)
def test_what_only_a_keyboard_tells_apart_is_one_name(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("typed", "label"), [("yes ❤️", "Yes"), ("1️⃣", "1"), ("That’s it!", "That's it"), ("🙂", "🙂")]
)
def test_a_label_is_found_with_and_without_an_emoji(typed: str, label: str) -> None:
    assert normalise(typed) == normalise(label)


@pytest.fixture
def ana_with_both(request: pytest.FixtureRequest, machines: Machines, prompts: Prompts) -> Story:
    """Ana after day one, with the two people of the case on her map, the first put there by a release before."""
    one, other = request.param
    story = Story(machines, prompts).says("/start").answers(DAY_ONE).knows(one)
    story.says("/people").says(label_to(story, "add")).says(other)
    assert [person.name for person in story.progress.people] == [one, other], story.remarks
    while story.progress.runs:
        story.says("later")
    return story


both = pytest.mark.parametrize("ana_with_both", NEAR, ids=" and ".join, indirect=True)


@both
def test_who_is_said_to_have_died_is_the_one_who_was_named(ana_with_both: Story) -> None:
    other = ana_with_both.progress.people[1].name
    ana_with_both.says("/people").says(label_to(ana_with_both, "who_died")).says(other)
    ana_with_both.answers({}, until=None)
    assert [person.died for person in ana_with_both.progress.people] == [False, True]


@both
def test_each_of_them_is_found_in_a_list_and_picked_by_a_tap(ana_with_both: Story) -> None:
    one, other = (person.name for person in ana_with_both.progress.people)
    for said, ids in ((f"{one}, {other}", {"1", "2"}), (other, {"2"}), (f"{one}.", {"1"})):
        ana_with_both.says("/checkin")
        if ana_with_both.front.dialogue != "always/check_in":
            ana_with_both.says(label_to(ana_with_both, "another"))
        ana_with_both.answers({"mood": "6"}, until="always/check_in#who").says(said)
        assert set((_people(ana_with_both) or "").split(",")) == ids, said
        ana_with_both.answers({})
    ana_with_both.says("/checkin").says(label_to(ana_with_both, "another"))
    ana_with_both.answers({"mood": "6"}, until="always/check_in#who").taps(other).taps(ana_with_both.script.finished)
    assert _people(ana_with_both) == "2"


@both
def test_either_name_again_is_taken_and_neither_takes_the_name_of_the_other(ana_with_both: Story) -> None:
    for name in [person.name for person in ana_with_both.progress.people]:
        ana_with_both.says("/people").says(label_to(ana_with_both, "add"))
        ana_with_both.says(unicodedata.normalize("NFD", name))
        assert ana_with_both.remarks == ["name_taken"]
        ana_with_both.says("later")


def _people(story: Story) -> str | None:
    return next((answer.fact.code for answer in story.front.answers if answer.memory == "day_people"), None)


@pytest.mark.parametrize("name", ["Skip", "Done", "More", "That's all", "Stop", "Back", "Ty", "Thanks", "🦋"])
def test_somebody_called_like_a_button_can_be_picked(name: str, machines: Machines, prompts: Prompts) -> None:
    ana = Story(machines, prompts).says("/start").answers(DAY_ONE).knows("Ben", name)
    ana.says("/checkin").answers({"mood": "6"}, until="always/check_in#who")
    ana.taps(name).taps("Ben").taps_token(token(ana.front, FINISHED))
    assert _people(ana) == "2,1"


@pytest.mark.parametrize("name", ["Ty", "Thanks", "Stop", "Done", "Skip", "🦋"])
def test_a_name_on_a_button_that_is_typed_is_that_person(name: str, machines: Machines, prompts: Prompts) -> None:
    ana = Story(machines, prompts).says("/start").answers(DAY_ONE).knows("Ben", name)
    ana.says("/people").says(label_to(ana, "who_changes")).says(name)
    assert ana.front.dialogue == "people/change"
    assert ana.front.person == 2


def test_a_command_is_heard_beside_a_name_that_only_begins_with_it(machines: Machines, prompts: Prompts) -> None:
    ana = Story(machines, prompts).says("/start").answers(DAY_ONE).knows("Ben", "Stop 🐍")
    ana.says("/people").says(label_to(ana, "who_changes")).says("stop")
    assert "left" in ana.remarks


def test_what_was_picked_under_the_release_before_stays_picked(machines: Machines, prompts: Prompts) -> None:
    ana = Story(machines, prompts).says("/start").answers(DAY_ONE).knows("Ben", "Cy")
    ana.says("/checkin").answers({"mood": "6"}, until="always/check_in#who")
    ana.progress = replace(ana.progress, runs=(replace(ana.front, picked=("Cy",)),))
    ana.taps("Ben").taps(ana.script.finished)
    assert _people(ana) == "2,1"


def test_a_name_may_be_spelled_anew_but_not_as_somebody_else_s(machines: Machines, prompts: Prompts) -> None:
    ana = Story(machines, prompts).says("/start").answers(DAY_ONE).knows("jose", "मीना")
    for new, names in (("मीना", ["jose", "मीना"]), ("JOSE", ["JOSE", "मीना"]), ("मोना", ["मोना", "मीना"])):
        ana.says("/people").says(label_to(ana, "who_changes")).says(ana.progress.people[0].name)
        ana.says(label_to(ana, "name")).says(new)
        assert [person.name for person in ana.progress.people] == names
        while ana.progress.runs:
            ana.says("later")


def test_the_client_may_be_called_by_an_emoji(machines: Machines, prompts: Prompts) -> None:
    story = Story(machines, prompts).says("/start").answers(DAY_ONE, until="welcome/first_words#name").says("🦋")
    assert story.place == "welcome/first_words#mood"


@pytest.mark.parametrize(
    ("name", "words", "named"),
    [
        ("मीना", "मोना से बात हुई", False),
        ("मन", "मना किया", False),
        ("मीना", "मीना से बात हुई", True),
        ("小明", "我怕小明", True),
        ("นก", "นก ตะโกน", True),
        ("José", "Jose\u0301 shouted", True),
        ("J.", "J., Ana", True),
        ("Jo", "Jo shouted at me", True),
        ("Jo", "jo-jo, the toy", False),
        ("Al", "all of it", False),
        ("Anne-Marie", "I saw anne-marie", True),
        ("O'Neil", "O’Neil was there", True),
        ("🐍", "the 🐍 again", True),
        ("👨", "the 👨‍👧 next door", False),
    ],
)
def test_the_file_leaves_out_whoever_is_named_and_nobody_else(name: str, words: str, *, named: bool) -> None:
    assert person_gates.names(words, [Person(1, name)]) is named


def test_a_name_is_offered_only_if_nobody_has_it(machines: Machines, prompts: Prompts) -> None:
    ana = Story(machines, prompts).says("/start").answers({**DAY_ONE, "moment_person": "मोना"}).knows("मीना")
    run = Run(99, "assessment/first_people", _naming(machines), START, START)
    facts = {**ana.progress.facts, "moment_person": Fact("मोना", START)}
    ana.progress = replace(ana.progress, runs=(run,), facts=facts)
    assert "मोना" in {offer.label for offer in ana.offers}
    ana.knows("मोना")
    assert "मोना" not in {offer.label for offer in ana.offers}


def _naming(machines: Machines) -> str:
    steps = machines.script.dialogues["assessment/first_people"].steps.values()
    return next(step.name for step in steps for way in step.ways if way.code == "moment_person")
