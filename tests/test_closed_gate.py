"""What a closed gate changes: who is kept out of lists and files, and where they are shown all the same."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.export import export_file
from dialogues.rendering.context import template_context
from dialogues.rendering.prompts import Prompts
from state_machine.model.context import Context
from state_machine.model.outgoing import ExportFile
from state_machine.model.progress import Answer, Entry, Fact, Run
from state_machine.programme.tables import PERSON_GATE
from state_machine.rules import person_gates
from state_machine.turn.machine import Machines
from tests.gating import facts, knowing_two, tell
from tests.standing import NOW
from tests.talking import START, Story, label_to


@pytest.fixture
def ana(machines: Machines, prompts: Prompts) -> Story:
    """Ana with Rob and Cy on her map."""
    return knowing_two(machines, prompts)


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
    everybody = {name for name in ana_afraid.script.dialogues if name not in person_gates.EVERYBODY_IS_SHOWN}
    for name in everybody:
        here = ana_afraid.script.dialogues[name]
        run = Run(1, name, here.first, START, START)
        words = template_context(Context(ana_afraid.script, ana_afraid.progress, run, START))
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
