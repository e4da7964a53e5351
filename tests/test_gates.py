"""The gates: what may be aimed at whom, who is kept out of lists and files, and what comes round every month."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

import dialogues
from bot.export import export_file
from dialogues import book as books
from dialogues import signals
from dialogues.known import known
from dialogues.lines import Lines
from dialogues.prompts import Prompts
from state_machine import agenda, chart, gates
from state_machine.chart import Charts
from state_machine.effects import TakeOut
from state_machine.gates import GOOD_FOR, OWN, THEIRS, Gate
from state_machine.messages import ExportFile, Message
from state_machine.programme import MAP, PERSON_GATE, REPEATED
from state_machine.progress import Answer, Done, Entry, Fact, Person, Progress, Run
from state_machine.rows import PHASES
from state_machine.script import Script
from state_machine.view import View
from tests.standing import NOW, lives
from tests.talking import START, Story, label_to

ALL_FOUR = (*THEIRS, OWN)
EATING = "gates/eating"
AIMED, ASKS_WHOM = "skills/saying_it", "skills/saying_it_to_whom"
AIMED_WORDS = """---
about: a person
aimed: at the person
outcomes: said, fell_quiet
quiet: said, fell_quiet
opened_by: /sayingit
reviewed: not yet
---

# Saying it

Only for tests.

## line

What would you say to {{ person.name }}?

- [*In your own words*](#said "line_for_them")
- [`after 2 hours`](#fell_quiet)

## said

Kept.

## fell_quiet
"""
ASKING_WORDS = (
    AIMED_WORDS.replace("/sayingit", "/towhom")
    .replace("## line", '## whom\n\nTo whom?\n\n- [*One of your people*](#line "person")\n\n## line', 1)
    .replace("line_for_them", "line_for_somebody")
)


def facts(**codes: str) -> dict[str, Fact]:
    return {f"gate_{name}": Fact(code, START, code) for name, code in codes.items()}


NO = facts(fear="no", control="no", hurt="no", frightened="no")


# --- how a gate stands ---------------------------------------------------------------------


def test_nobody_was_asked_about_so_the_gate_is_unasked() -> None:
    assert gates.gate(Person(1, "Rob"), START) is Gate.UNASKED


@pytest.mark.parametrize("missing", ALL_FOUR)
def test_one_question_left_out_leaves_the_gate_unasked(missing: str) -> None:
    rob = Person(1, "Rob", {name: fact for name, fact in NO.items() if name != missing})
    assert gates.gate(rob, START) is Gate.UNASKED


@pytest.mark.parametrize("yes", ALL_FOUR)
def test_a_single_yes_closes_the_gate_and_time_does_not_open_it(yes: str) -> None:
    rob = Person(1, "Rob", {**NO, yes: Fact("Yes", START, "yes")})
    for years in (0, 1, 5):
        assert gates.gate(rob, START + timedelta(days=365 * years)) is Gate.CLOSED
    assert gates.kept_out(rob) is (yes in THEIRS)


def test_four_noes_are_good_for_sixty_days_from_the_oldest() -> None:
    later = {**NO, "gate_fear": Fact("No", START + timedelta(days=40), "no")}
    rob = Person(1, "Rob", later)
    assert gates.gate(rob, START + GOOD_FOR) is Gate.OPEN
    assert gates.gate(rob, START + GOOD_FOR + timedelta(seconds=1)) is Gate.LAPSED


def test_what_is_left_unsaid_takes_back_a_no_and_never_a_yes() -> None:
    unsaid = {"gate_unsaid": Fact("I'd rather not say", START + timedelta(days=1), "yes")}
    assert gates.gate(Person(1, "Rob", {**NO, **unsaid}), START + timedelta(days=2)) is Gate.UNASKED
    yes = {**NO, "gate_hurt": Fact("Yes", START, "yes"), **unsaid}
    assert gates.gate(Person(1, "Rob", yes), START + timedelta(days=2)) is Gate.CLOSED
    answered_since = {name: replace(fact, at=START + timedelta(days=3)) for name, fact in NO.items()}
    assert gates.gate(Person(1, "Rob", {**answered_since, **unsaid}), START + timedelta(days=4)) is Gate.OPEN


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("Rob", True),
        ("Ana, rob", True),
        ("We quarrelled, Rob's voice was in it", True),
        ("the robin came back", False),
        ("Ana", False),
        ("", False),
    ],
)
def test_words_name_somebody_only_by_the_whole_name(words: str, *, named: bool) -> None:
    assert gates.names(words, [Person(1, "Rob")]) is named


def test_a_letter_for_a_name_counts_only_where_it_stands_by_itself() -> None:
    assert gates.names("Ana, A", [Person(1, "A")])
    assert not gates.names("a long day", [Person(1, "A")])


# --- the talk about somebody ---------------------------------------------------------------


@pytest.fixture
def ana(charts: Charts, prompts: Prompts) -> Story:
    """Ana with Rob and Cy on her map."""
    return Story(charts, prompts, replace(next(lives()), heard=START)).knows("Rob", "Cy")


def asked_about(story: Story, name: str) -> Story:
    """The gate of somebody, opened by the door on the map."""
    story.says("/people")
    story.says(label_to(story, "who_is_asked_about")).says(name)
    assert story.front.dialogue == PERSON_GATE
    return story


def through(story: Story, **codes: str) -> Story:
    """Answer the gate: yes or no by memory, no where nothing is given."""
    story.taps(label_to(story, "fear"))
    while story.progress.runs and story.front.dialogue == PERSON_GATE:
        here = story.script.dialogues[PERSON_GATE].steps[story.front.step]
        memory = next((way.memory for way in here.ways if way.memory in ALL_FOUR), None)
        if memory is None:
            break
        story.taps({"no": "No", "yes": "Yes", "unsaid": "I'd rather not say"}[codes.get(memory[5:], "no")])
    return story


def person(story: Story, name: str = "Rob") -> Person:
    return next(each for each in story.progress.people if each.name == name)


def test_four_noes_open_the_gate(ana: Story) -> None:
    through(asked_about(ana, "Rob"))
    assert ana.progress.done[PERSON_GATE].outcome == "open"
    assert gates.gate(person(ana), ana.now) is Gate.OPEN
    assert gates.gate(person(ana, "Cy"), ana.now) is Gate.UNASKED


@pytest.mark.parametrize("memory", ["fear", "control", "hurt"])
def test_a_yes_is_believed_before_anything_else_and_nothing_more_is_asked(memory: str, ana: Story) -> None:
    through(asked_about(ana, "Rob"), **{memory: "yes"})
    assert ana.place == f"{PERSON_GATE}#believed"
    assert ana.bubbles[0].startswith("That is not a quarrel to be solved by talking better. It is not your doing.")
    ana.taps(label_to(ana, "closed"))
    assert ana.progress.done[PERSON_GATE].outcome == "closed"
    assert gates.kept_out(person(ana))


def test_who_has_frightened_somebody_is_told_who_helps(ana: Story) -> None:
    through(asked_about(ana, "Rob"), frightened="yes")
    ana.taps(label_to(ana, "help_to_stop"))
    assert "findahelpline.com" in ana.bubbles[0]
    ana.taps(label_to(ana, "harmed"))
    assert ana.progress.done[PERSON_GATE].outcome == "harmed"
    assert gates.gate(person(ana), ana.now) is Gate.CLOSED
    assert not gates.kept_out(person(ana))


@pytest.mark.parametrize("memory", ["fear", "control", "hurt", "frightened"])
def test_not_saying_leaves_it_unasked(memory: str, ana: Story) -> None:
    through(asked_about(ana, "Rob"), **{memory: "unsaid"})
    assert ana.progress.done[PERSON_GATE].outcome == "unsaid"
    assert gates.gate(person(ana), ana.now) is Gate.UNASKED


def test_asked_again_four_noes_open_what_was_closed(ana: Story) -> None:
    through(asked_about(ana, "Rob"), hurt="yes").taps(label_to(ana, "closed"))
    through(asked_about(ana, "Rob"))
    assert gates.gate(person(ana), ana.now) is Gate.OPEN


def test_asked_again_what_is_left_unsaid_opens_nothing(ana: Story) -> None:
    through(asked_about(ana, "Rob"), hurt="yes").taps(label_to(ana, "closed"))
    through(asked_about(ana, "Rob"), hurt="unsaid")
    assert gates.kept_out(person(ana))


def test_the_phone_is_asked_about_before_anybody_else_is(ana: Story) -> None:
    known = {name: fact for name, fact in ana.progress.facts.items() if name != "phone"}
    ana.progress = replace(ana.progress, facts=known)
    ana.says("/people")
    ana.says(label_to(ana, "who_is_asked_about")).says("Rob")
    assert ana.front.amends
    ana.says("Not sure")
    assert ana.place == f"{PERSON_GATE}#before"
    assert "My notices say nothing of it." in ana.bubbles[0]


def test_everything_in_it_is_taken_out_of_the_chat_and_each_question_is_one_message(ana: Story) -> None:
    asked_about(ana, "Rob")
    assert "out of this chat" in ana.bubbles[0]
    while ana.front.dialogue == PERSON_GATE:
        assert len([m for m in ana.outgoing if isinstance(m, Message)]) == 1
        first = ana.offers[0] if ana.front.step in {"before", "believed"} else ana.offers[1]
        if ana.front.step in {"line", "quiet_way"}:
            first = next(offer for offer in ana.offers if offer.label == label_to(ana, "closed"))
        ana.taps(first.label)
        assert ana.turn is not None
        assert any(isinstance(effect, TakeOut) for effect in ana.turn.effects)
        if not ana.progress.runs:
            break


def test_what_stays_in_the_chat_is_the_same_after_every_answer(charts: Charts, prompts: Prompts) -> None:
    gate = charts.script.dialogues[PERSON_GATE]
    endings = {gate.steps[name].bubbles[0].wordings for name in ("open", "closed", "harmed", "unsaid")}
    assert len(endings) == 1
    last = prompts.refrain("gate_done")
    assert not any(word in last.lower() for word in ("afraid", "hurt", "closed", "fear"))


def test_nothing_in_it_says_what_to_do_about_them(charts: Charts) -> None:
    words = " ".join(
        wording.lower()
        for here in charts.script.dialogues[PERSON_GATE].steps.values()
        for bubble in here.bubbles
        for wording in bubble.wordings
    )
    for advice in ("leave them", "leave him", "confront", "forgive", "you should", "talk to them"):
        assert advice not in words


# --- aimed at somebody ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def aimed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Charts, Prompts]:
    """The real book, and in it two dialogues that are aimed at a person."""
    folder = tmp_path_factory.mktemp("book") / "en"
    shutil.copytree(Path(dialogues.__file__).parent / "en", folder)
    (folder / "skills").mkdir(exist_ok=True)
    (folder / f"{AIMED}.md").write_text(AIMED_WORDS, encoding="utf-8")
    (folder / f"{ASKS_WHOM}.md").write_text(ASKING_WORDS, encoding="utf-8")
    made = books.read(folder)
    assert {AIMED, ASKS_WHOM} <= made.script.dialogues.keys()
    return chart.build(made.script, signals.screen()), Prompts(made, Lines.read(), "Robin")


@pytest.fixture
def ana_aiming(aimed: tuple[Charts, Prompts]) -> Story:
    return Story(*aimed, replace(next(lives()), heard=START)).knows("Rob", "Cy")


def tell(story: Story, known: dict[str, Fact], name: str = "Rob") -> Story:
    told = [replace(p, facts=known) if p.name == name else p for p in story.progress.people]
    story.progress = replace(story.progress, people=tuple(told))
    return story


def aims(story: Story, name: str = "Rob") -> Story:
    return story.says("/towhom").says(name)


def test_what_is_aimed_at_somebody_asks_their_gate_first_and_goes_on_when_it_is_open(ana_aiming: Story) -> None:
    aims(ana_aiming)
    assert ana_aiming.place == f"{PERSON_GATE}#before"
    assert f"{ASKS_WHOM}#line" not in ana_aiming.steps_said
    through(ana_aiming)
    assert ana_aiming.place == f"{ASKS_WHOM}#line"
    assert ana_aiming.says("please call first").progress.done[ASKS_WHOM].outcome == "said"


def test_an_open_gate_is_not_asked_again(ana_aiming: Story) -> None:
    tell(ana_aiming, NO)
    assert aims(ana_aiming).place == f"{ASKS_WHOM}#line"


def test_an_open_gate_lapses_after_sixty_days_and_is_asked_again(ana_aiming: Story) -> None:
    tell(ana_aiming, {name: replace(fact, at=START - GOOD_FOR) for name, fact in NO.items()})
    assert aims(ana_aiming).place == f"{PERSON_GATE}#before"


@pytest.mark.parametrize("yes", ALL_FOUR)
def test_what_is_aimed_at_somebody_whose_gate_is_closed_ends_without_a_reason(yes: str, ana_aiming: Story) -> None:
    tell(ana_aiming, {**NO, yes: Fact("Yes", START, "yes")})
    aims(ana_aiming)
    assert ana_aiming.remarks == ["gate_closed"]
    assert not ana_aiming.progress.runs
    assert ASKS_WHOM not in ana_aiming.progress.done


@pytest.mark.parametrize(("answer", "leaves"), [("yes", "closed"), ("unsaid", "")])
def test_a_gate_that_does_not_open_ends_what_asked_for_it(answer: str, leaves: str, ana_aiming: Story) -> None:
    through(aims(ana_aiming), fear=answer)
    if leaves:
        ana_aiming.taps(label_to(ana_aiming, leaves))
    assert "gate_closed" in ana_aiming.remarks
    assert not ana_aiming.progress.runs


def test_not_now_and_later_and_silence_end_it_too_and_ask_nothing_twice(ana_aiming: Story) -> None:
    aims(ana_aiming).taps(label_to(ana_aiming, "unsaid"))
    assert not ana_aiming.progress.runs
    aims(ana_aiming).says("/later")
    assert not ana_aiming.progress.runs
    aims(ana_aiming)
    ana_aiming.passes(hours=3)
    assert ASKS_WHOM not in {run.dialogue for run in ana_aiming.progress.runs}


def test_a_gate_half_answered_about_one_is_not_gone_on_with_about_another(ana_aiming: Story) -> None:
    asked_about(ana_aiming, "Rob").taps(label_to(ana_aiming, "fear"))
    asked_about(ana_aiming, "Cy")
    assert ana_aiming.place == f"{PERSON_GATE}#before"
    assert "Cy" in ana_aiming.bubbles[-1]


# --- what a closed gate changes ------------------------------------------------------------


@pytest.fixture
def ana_afraid(ana: Story) -> Story:
    """Ana, who is afraid of Rob."""
    return tell(ana, {**facts(fear="yes"), "circle": Fact("Right beside me", START, "inner")})


def test_who_frightens_them_is_not_offered_in_a_check_in(ana_afraid: Story) -> None:
    ana_afraid.says("/checkin").says("6").says("Was alone")
    ana_afraid.says(label_to(ana_afraid, "more")).says("Skip")
    assert [offer.label for offer in ana_afraid.offers if offer.key.startswith("+")] == ["Cy"]


def test_whose_name_is_typed_is_heard_all_the_same(ana_afraid: Story) -> None:
    ana_afraid.says("/checkin").says("6").says("Was alone")
    ana_afraid.says(label_to(ana_afraid, "more")).says("Skip").says("Rob")
    assert "not_on_the_map" not in ana_afraid.remarks


def test_with_nobody_left_to_offer_nobody_is_asked_for(ana_afraid: Story) -> None:
    ana_afraid.progress = replace(ana_afraid.progress, people=ana_afraid.progress.people[:1])
    ana_afraid.says("/checkin").says("6").says("Was alone")
    ana_afraid.says(label_to(ana_afraid, "more")).says("Skip")
    assert ana_afraid.front.step == "own_line"


def test_on_the_map_they_are_shown_and_can_be_changed_taken_off_and_asked_about(ana_afraid: Story) -> None:
    ana_afraid.says("/people")
    assert "Right beside you: Rob." in ana_afraid.bubbles[0]
    for door in ("who_changes", "who_goes", "who_died", "who_is_asked_about"):
        ana_afraid.says("/people").says(label_to(ana_afraid, door))
        assert "Rob" in [offer.label for offer in ana_afraid.offers], door
        ana_afraid.says("/later")


def test_every_other_dialogue_speaks_as_if_they_were_not_there(ana_afraid: Story) -> None:
    everybody = {name for name in ana_afraid.script.dialogues if name not in gates.EVERYBODY_IS_SHOWN}
    for name in everybody:
        here = ana_afraid.script.dialogues[name]
        run = Run(1, name, here.first, START, START)
        words = known(View(ana_afraid.script, ana_afraid.progress, run, START))
        assert [each.name for each in words["people"]] == ["Cy"]
        assert words["circles"]["inner"] == []


def test_the_file_asks_before_it_leaves_somebody_out_and_says_no_name(ana_afraid: Story) -> None:
    ana_afraid.says("/export")
    assert ana_afraid.place == "always/export#who_is_in_it"
    assert "Rob" not in "".join(ana_afraid.bubbles)


def test_with_nobody_to_leave_out_the_file_asks_nothing_more(ana: Story) -> None:
    assert ana.says("/export").place == "always/export#what_it_holds"


def written(story: Story, *entries: Entry) -> str:
    _, content = export_file(story.progress, list(entries), NOW)
    json.loads(content)
    return content.decode("utf-8")


def about_rob() -> list[Entry]:
    named = Answer("day_people", Fact("Rob, Cy", START, "1,2"), "who")
    own = Answer("day_note", Fact("rob came home early", START), "own_line")
    mood = Answer("mood", Fact("4", START, "4"), "mood_now")
    fear = Answer("gate_fear", Fact("Yes", START, "yes"), "fear", person=1)
    return [
        Entry(1, "always/check_in", START, "done", (mood, named, own)),
        Entry(2, PERSON_GATE, START, "closed", (fear,), person=1),
    ]


@pytest.mark.parametrize(("choice", "there"), [("no", False), ("yes", True), (None, False)])
def test_the_file_leaves_out_who_frightens_them_unless_they_are_put_in(
    choice: str | None, *, there: bool, ana_afraid: Story
) -> None:
    if choice is not None:
        ana_afraid.says("/export")
        named = {"no": "Leave them out", "yes": "Put everybody in"}
        ana_afraid.says(named[choice]).says(label_to(ana_afraid, "export"))
        assert any(isinstance(item, ExportFile) for item in ana_afraid.outgoing)
    content = written(ana_afraid, *about_rob())
    assert ("rob" in content.lower()) is there
    assert ("gate_fear" in content) is there
    assert '"mood"' in content
    assert "Cy" in content


def test_the_file_before_deleting_asks_as_well(ana_afraid: Story) -> None:
    ana_afraid.says("/delete").says(label_to(ana_afraid, "export_first"))
    assert ana_afraid.place == "always/export#who_is_in_it"


# --- once a month, about eating ------------------------------------------------------------


def due_on(script: Script, progress: Progress, day: date) -> str | None:
    part = agenda.due(View(script, progress, None, NOW), day)
    return part.dialogue if part else None


@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase != "welcome"])
@pytest.mark.parametrize(
    ("code", "asked"), [("yes", True), ("known", True), ("danger", True), ("no", False), (None, False)]
)
def test_a_month_after_day_1_and_every_month_after_that_in_every_phase(
    phase: str, code: str | None, *, asked: bool, charts: Charts
) -> None:
    known = {"eating": Fact("…", NOW, code)} if code else {}
    begun = date(2026, 3, 1)
    progress = Progress(phase=phase, begun=begun, consent="1 2026-03-01", facts=known, heard=NOW)
    _, days, _ = REPEATED[0]
    assert due_on(charts.script, progress, begun + timedelta(days=days - 1)) != EATING
    assert (due_on(charts.script, progress, begun + timedelta(days=days)) == EATING) is asked
    done = replace(progress, done={EATING: Done(1, NOW + timedelta(days=40), "fine", 9)})
    last = (NOW + timedelta(days=40)).date()
    assert due_on(charts.script, done, last + timedelta(days=days - 1)) != EATING
    assert (due_on(charts.script, done, last + timedelta(days=days)) == EATING) is asked


def test_it_is_looked_in_for_when_it_comes_round(charts: Charts) -> None:
    begun, contents = date(2026, 3, 1), charts.script.contents
    finished = {part.dialogue or agenda.planned_key(part): Done(9, NOW, "done", 1) for part in contents}
    troubled = {"eating": Fact("Yes", NOW, "yes")}
    progress = Progress(phase="aftercare", begun=begun, consent="1", facts=troubled, heard=NOW, done=finished)
    first = agenda.first_day_due(View(charts.script, progress, None, NOW), NOW.date())
    assert first == begun + timedelta(days=REPEATED[0][1])
    untroubled = replace(progress, facts={})
    assert agenda.first_day_due(View(charts.script, untroubled, None, NOW), NOW.date()) is None


def test_put_off_for_today_it_comes_tomorrow(charts: Charts, prompts: Prompts) -> None:
    begun = NOW.date() - timedelta(days=40)
    life = replace(next(lives()), begun=begun, heard=NOW)
    life = replace(life, facts={**life.facts, "eating": Fact("Yes", NOW, "yes")})
    story = Story(charts, prompts, life, NOW).says("hello")
    assert story.front.dialogue == EATING
    story.says(label_to(story, "not_today"))
    assert due_on(charts.script, story.progress, NOW.date()) != EATING
    assert due_on(charts.script, story.progress, NOW.date() + timedelta(days=1)) == EATING


def test_a_sign_of_danger_opens_the_talk_about_the_body(charts: Charts, prompts: Prompts) -> None:
    begun = NOW.date() - timedelta(days=40)
    life = replace(next(lives()), begun=begun, heard=NOW)
    life = replace(life, facts={**life.facts, "eating": Fact("Yes", NOW, "yes")})
    story = Story(charts, prompts, life, NOW).says("hello")
    story.says("Yes").says(label_to(story, "danger"))
    assert story.front.dialogue == "always/medical"


def test_nothing_about_weight_amounts_or_calories_is_asked(charts: Charts) -> None:
    asked = [
        wording.lower()
        for here in charts.script.dialogues[EATING].steps.values()
        for bubble in here.bubbles
        for wording in bubble.wordings
    ]
    for word in ("calorie", "kilo", "pounds", "bmi", "portion", "how much do you eat", "scale"):
        assert not any(word in wording for wording in asked), word
    assert [wording for wording in asked if "weight" in wording] == [asked[0]]
    assert "nothing about weight or amounts" in asked[0]


def test_the_map_leads_to_the_gate_in_neutral_words(charts: Charts) -> None:
    words = [
        way.takes for way in charts.script.dialogues[MAP].steps["rings"].ways if way.target == "who_is_asked_about"
    ]
    assert [takes.text for takes in words] == ["How it is with someone"]  # type: ignore[union-attr]
