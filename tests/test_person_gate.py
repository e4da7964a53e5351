"""The talk about somebody: four questions, what is believed, and what stays in the chat."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialogues.rendering.prompts import Prompts
from state_machine.model.effects import DeleteQuestion
from state_machine.model.outgoing import Message
from state_machine.programme.tables import MAP, PERSON_GATE
from state_machine.rules import person_gates
from state_machine.rules.person_gates import Gate
from state_machine.turn.machine import Machines
from tests.gating import asked_about, knowing_two, person, through
from tests.talking import Story, label_to


@pytest.fixture
def ana(machines: Machines, prompts: Prompts) -> Story:
    """Ana with Rob and Cy on her map."""
    return knowing_two(machines, prompts)


def test_four_noes_open_the_gate(ana: Story) -> None:
    through(asked_about(ana, "Rob"))
    assert ana.progress.done[PERSON_GATE].outcome == "open"
    assert person_gates.gate(person(ana), ana.now) is Gate.OPEN
    assert person_gates.gate(person(ana, "Cy"), ana.now) is Gate.UNASKED


@pytest.mark.parametrize("memory", ["fear", "control", "hurt"])
def test_a_yes_is_believed_before_anything_else_and_nothing_more_is_asked(memory: str, ana: Story) -> None:
    through(asked_about(ana, "Rob"), **{memory: "yes"})
    assert ana.place == f"{PERSON_GATE}#believed"
    assert ana.bubbles[0].startswith("That is not a quarrel to be solved by talking better. It is not your doing.")
    ana.taps(label_to(ana, "closed"))
    assert ana.progress.done[PERSON_GATE].outcome == "closed"
    assert person_gates.kept_out(person(ana))


def test_who_has_frightened_somebody_is_told_who_helps(ana: Story) -> None:
    through(asked_about(ana, "Rob"), frightened="yes")
    ana.taps(label_to(ana, "help_to_stop"))
    assert "findahelpline.com" in ana.bubbles[0]
    ana.taps(label_to(ana, "harmed"))
    assert ana.progress.done[PERSON_GATE].outcome == "harmed"
    assert person_gates.gate(person(ana), ana.now) is Gate.CLOSED
    assert not person_gates.kept_out(person(ana))


@pytest.mark.parametrize("memory", ["fear", "control", "hurt", "frightened"])
def test_not_saying_leaves_it_unasked(memory: str, ana: Story) -> None:
    through(asked_about(ana, "Rob"), **{memory: "unsaid"})
    assert ana.progress.done[PERSON_GATE].outcome == "unsaid"
    assert person_gates.gate(person(ana), ana.now) is Gate.UNASKED


def test_asked_again_four_noes_open_what_was_closed(ana: Story) -> None:
    through(asked_about(ana, "Rob"), hurt="yes").taps(label_to(ana, "closed"))
    through(asked_about(ana, "Rob"))
    assert person_gates.gate(person(ana), ana.now) is Gate.OPEN


def test_asked_again_what_is_left_unsaid_opens_nothing(ana: Story) -> None:
    through(asked_about(ana, "Rob"), hurt="yes").taps(label_to(ana, "closed"))
    through(asked_about(ana, "Rob"), hurt="unsaid")
    assert person_gates.kept_out(person(ana))


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
        assert any(isinstance(effect, DeleteQuestion) for effect in ana.turn.effects)
        if not ana.progress.runs:
            break


def test_what_stays_in_the_chat_is_the_same_after_every_answer(machines: Machines, prompts: Prompts) -> None:
    gate = machines.script.dialogues[PERSON_GATE]
    endings = {gate.steps[name].bubbles[0].wordings for name in ("open", "closed", "harmed", "unsaid")}
    assert len(endings) == 1
    last = prompts.refrain("gate_done")
    assert not any(word in last.lower() for word in ("afraid", "hurt", "closed", "fear"))


def test_nothing_in_it_says_what_to_do_about_them(machines: Machines) -> None:
    words = " ".join(
        wording.lower()
        for here in machines.script.dialogues[PERSON_GATE].steps.values()
        for bubble in here.bubbles
        for wording in bubble.wordings
    )
    for advice in ("leave them", "leave him", "confront", "forgive", "you should", "talk to them"):
        assert advice not in words


def test_the_map_leads_to_the_gate_in_neutral_words(machines: Machines) -> None:
    words = [
        way.takes for way in machines.script.dialogues[MAP].steps["rings"].ways if way.target == "who_is_asked_about"
    ]
    assert [takes.text for takes in words] == ["How it is with someone"]  # type: ignore[union-attr]
