"""What was said in a dialogue that promises it is deleted from the chat, however its step is left.

Looked at is the chat itself: what somebody who holds the phone could read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from bot.app import App
from state_machine.model.context import Context
from state_machine.model.events import Said
from state_machine.model.outgoing import Message
from state_machine.programme.tables import PERSON_GATE
from state_machine.turn.machine import Machines
from state_machine.turn.options import offers
from storage.repositories.dead_letters import DeadLetters
from tests.phone import Phone, Phones, phones
from tests.post_office import carrying
from tests.standing import NOW, Standing, standings
from tests.talking import label_to
from tests.telegram.stub import StubRequest

PERSON = "Ben"
SENTENCE = f"it depends on the day with {PERSON}"
Leaving = Callable[[Phone], Awaitable[None]]


def saying(*words: str) -> Leaving:
    async def leave(phone: Phone) -> None:
        for each in words:
            await phone.says(each)

    return leave


async def newest_buttons_after_a_sentence(phone: Phone) -> None:
    label = next(iter(newest(phone)))
    await phone.says(SENTENCE)
    await phone.taps(label)


async def newest_buttons_after_much(phone: Phone) -> None:
    label = next(iter(newest(phone)))
    for words in (SENTENCE, "thanks", "👍"):
        await phone.says(words)
    await phone.shares("sticker")
    await phone.taps(label)


async def silence(phone: Phone) -> None:
    await phone.waits(timedelta(hours=14))


async def silence_after_a_sentence(phone: Phone) -> None:
    await phone.says(SENTENCE)
    await silence(phone)


async def paused(phone: Phone) -> None:
    await phone.says("/pause")
    await phone.says(label_here(phone, "a_week"))


async def erased(phone: Phone) -> None:
    await phone.says("/delete")
    await phone.says(label_here(phone, "delete"))
    while await phone.at.database.do(lambda work: work.erasure_notices.clients()):
        await asyncio.sleep(0.002)


async def exported(phone: Phone) -> None:
    await phone.says("/export")
    while phone.front is not None and phone.front.dialogue == "always/export":
        await phone.says(label_here(phone, "export" if phone.front.step == "what_it_holds" else "what_it_holds"))


async def taken_off_the_map(phone: Phone) -> None:
    await phone.says("/people")
    await phone.says(label_here(phone, "who_goes"))
    await phone.says(PERSON)
    await phone.says(label_here(phone, "removed"))


async def told_to_have_died(phone: Phone) -> None:
    await phone.says("he died last night")


async def gone_from_the_map_meanwhile(phone: Phone) -> None:
    progress = phone.chat.progress
    await phone.stands(replace(progress, people=tuple(p for p in progress.people if p.name != PERSON)))
    await phone.says("hello")


async def another_phase(phone: Phone) -> None:
    await phone.stands(replace(phone.chat.progress, phase="not_now"))
    await phone.says("later")


def released(**changed: str) -> Leaving:
    """A release renames or drops the step or the dialogue, and they write."""

    async def leave(phone: Phone) -> None:
        progress = phone.chat.progress
        moved = replace(progress.runs[-1], **changed)  # type: ignore[arg-type]
        await phone.stands(replace(progress, runs=(*progress.runs[:-1], moved)))
        await phone.says("hello")

    return leave


LEAVINGS: dict[str, Leaving] = {
    "typed over, then the newest buttons": newest_buttons_after_a_sentence,
    "typed over again and again, then the newest buttons": newest_buttons_after_much,
    "back": saying("/back"),
    "typed over, then back": saying(SENTENCE, "back"),
    "later": saying("later"),
    "/stop": saying("/stop"),
    "typed over, then later": saying(SENTENCE, "/later"),
    "/start": saying("/start"),
    "/start twice": saying("/start", "/start"),
    "hello": saying("hello"),
    "/checkin": saying("/checkin"),
    "/people": saying("/people"),
    "/help and back": saying("/help", "/back", "later"),
    "/sos": saying("/sos"),
    "words of danger": saying("I want to die"),
    "typed over, then words of danger": saying(SENTENCE, "I'm going to kill myself tonight"),
    "words of a loss": saying("my wife died this morning"),
    "words of violence": saying("he is hitting me right now"),
    "silence": silence,
    "typed over, then silence": silence_after_a_sentence,
    "a pause": paused,
    "erasure": erased,
    "the export": exported,
    "taken off the map": taken_off_the_map,
    "told to have died": told_to_have_died,
    "gone from the map meanwhile": gone_from_the_map_meanwhile,
    "another phase": another_phase,
    "a release renamed the step": released(step="renamed"),
    "a release dropped the dialogue": released(dialogue="gates/no_more"),
}
NAMES_THEM_ELSEWHERE = {"told to have died", "taken off the map", "/people"}
"""What comes instead is about the person, too, and stays."""


def newest(phone: Phone) -> dict[str, str]:
    """The buttons of the newest message that has any."""
    return [shown.buttons for shown in phone.seen.values() if shown.buttons][-1]


def label_here(phone: Phone, target: str) -> str:
    class Here:
        script = phone.at.app.machines.script
        progress = phone.chat.progress

        def says(self, text: str) -> None: ...

    return label_to(Here(), target)


@pytest.fixture(scope="module")
def steps(machines: Machines) -> list[Standing]:
    """Somebody at each step of each dialogue whose questions are deleted again, where it is about Ben."""
    names = {name for name, dialogue in machines.script.dialogues.items() if dialogue.taken_out}
    found = {f"{each}": each for each in standings(machines, names) if each.progress.runs[-1].person is not None}
    waiting = {
        f"{name}#{here.name}"
        for name in names
        for here in machines.script.dialogues[name].steps.values()
        if here.ways and not here.is_silent
    }
    assert found.keys() == waiting
    return list(found.values())


async def asked_at(at: Phones, standing: Standing, name: int) -> Phone:
    """Somebody whose chat shows the question of this step, and nothing else."""
    phone = Phone(at, name)
    at.now = max(at.now, NOW)
    run = replace(standing.progress.runs[-1], asked=at.now)
    await phone.stands(replace(standing.progress, runs=(run,), heard=at.now))
    await phone.says("/start")
    assert phone.front is not None
    assert (phone.front.dialogue, phone.front.step) == (standing.dialogue, standing.step)
    assert len(phone.seen) == 1, phone.texts
    return phone


async def leaves(phone: Phone, leave: Leaving) -> None:
    """They leave the open question that way, and then whatever else is open of its run. Nothing of it is left."""
    before, shown = phone.front, set(phone.seen)
    assert before is not None
    await leave(phone)
    front = phone.front
    if front is None or (front.id, front.step, front.asked) != (before.id, before.step, before.asked):
        assert not shown & set(phone.seen), "the question was left, and still stands there"
    while (front := phone.front) is not None and front.id == before.id:
        await phone.says("/later")
    assert of_run(phone, before.id) == []


async def until_asked(phone: Phone, request: StubRequest) -> None:
    """Let what was said before the question arrive, until the question itself hangs at the gate of its chat."""
    for _ in range(200):
        await asyncio.sleep(0.01)
        with phone.at.app.store.begin(read_only=True) as work:
            following = work.outbox.next_for(phone.chat.client)
        if following is not None and isinstance(following.content, Message) and "afraid" in following.content.text:
            await asyncio.sleep(0.05)
            return
        request.gates["100"].set()
        await asyncio.sleep(0)
        request.gates["100"] = asyncio.Event()
    raise AssertionError("the question was never on its way")


def of_run(phone: Phone, run: int) -> list[str]:
    """What stands in the chat of a run: what has its buttons, what was said to it, and what names the person."""
    asked = [
        shown.text for shown in phone.seen.values() if any(t.startswith(f"{run}:") for t in shown.buttons.values())
    ]
    told = [phone.seen[number].text for number, to in phone.said_to.items() if to == run and number in phone.seen]
    return asked + told


@pytest.mark.parametrize("way", LEAVINGS)
async def test_nothing_of_it_stays_in_the_chat_however_a_step_is_left(
    way: str, steps: list[Standing], app: App
) -> None:
    async with phones(app) as at:
        for name, standing in enumerate(steps, 100):
            phone = await asked_at(at, standing, name)
            await leaves(phone, LEAVINGS[way])
            if way not in NAMES_THEM_ELSEWHERE:
                assert not [text for text in phone.texts if PERSON in text], standing


async def test_nothing_of_it_stays_in_the_chat_whatever_is_answered(steps: list[Standing], app: App) -> None:
    async with phones(app) as at:
        numbers = count(100)
        for standing in steps:
            run = standing.progress.runs[-1]
            here = app.machines.script.dialogues[run.dialogue].steps[run.step]
            for offer in offers(here, Context(app.machines.script, standing.progress, run, NOW)):
                for tapped in (True, False):
                    phone = await asked_at(at, standing, next(numbers))
                    await leaves(phone, tapping(offer.label) if tapped else saying(offer.label))
                    assert not [text for text in phone.texts if PERSON in text], (standing, offer)


def tapping(label: str) -> Leaving:
    async def leave(phone: Phone) -> None:
        await phone.taps(label)

    return leave


# --- what comes late, twice or not at all -----------------------------------------------


@pytest.fixture
def gate(steps: list[Standing]) -> Standing:
    return next(each for each in steps if each.step == "fear")


async def test_a_question_that_still_waits_to_be_sent_when_it_is_left_is_never_sent(gate: Standing, app: App) -> None:
    async with phones(app, carrying=False) as at:
        phone = Phone(at, 100)
        await phone.stands(gate.progress)
        for words in ("/start", SENTENCE, "/later"):
            await phone.hears(phone.message(Said(NOW, words), words), arrives=False)
        async with carrying(at.courier):
            await phone.settled()
        assert [text for text in phone.texts if PERSON in text] == []
        assert of_run(phone, gate.progress.runs[-1].id) == []
        assert not any("afraid" in fields.get("text", "") for _, fields in at.request.calls)


async def test_a_question_that_is_on_its_way_when_it_is_left_is_deleted_once_it_is_there(
    gate: Standing, app: App
) -> None:
    async with phones(app) as at:
        phone = Phone(at, 100)
        await phone.stands(gate.progress)
        at.request.gates["100"] = asyncio.Event()
        await phone.hears(phone.message(Said(NOW, "/start"), "/start"), arrives=False)
        at.courier.nudge()
        await until_asked(phone, at.request)
        await phone.hears(phone.message(Said(NOW, "/later"), "/later"), arrives=False)
        at.request.gates.pop("100").set()
        await phone.settled()
        assert any("afraid" in fields.get("text", "") for _, fields in at.request.calls)
        assert of_run(phone, gate.progress.runs[-1].id) == []
        assert [text for text in phone.texts if PERSON in text] == []


async def test_what_is_decided_before_a_crash_is_deleted_after_it(gate: Standing, app: App) -> None:
    async with phones(app) as at:
        phone = await asked_at(at, gate, 100)
        await phone.says(SENTENCE)
        at.courier.stop()
        await phone.hears(phone.tap("No"), arrives=False)
        assert any(PERSON in text for text in phone.texts)
        at.courier = at.new_courier()
        async with carrying(at.courier):
            await phone.settled()
        assert [text for text in phone.texts if PERSON in text] == []
        assert len(of_run(phone, gate.progress.runs[-1].id)) == 1


async def test_a_tap_twice_and_an_update_twice_delete_nothing_else(gate: Standing, app: App) -> None:
    async with phones(app) as at:
        phone = await asked_at(at, gate, 100)
        tap = phone.tap("No")
        again = replace(tap, key=f"{tap.key} again")
        for heard in (tap, tap, again):
            await phone.hears(heard)
        assert phone.front is not None
        assert phone.front.step == "control"
        assert len(phone.seen) == 1
        await phone.says("later")
        assert of_run(phone, phone.chat.progress.next_run - 1) == []
        assert len(phone.seen) == 1, "the last neutral words"


async def test_of_two_people_asked_about_one_after_the_other_nothing_stays(gate: Standing, app: App) -> None:
    async with phones(app) as at:
        phone = await asked_at(at, gate, 100)
        first = gate.progress.runs[-1].id
        await phone.says("/people")
        await phone.says(label_here(phone, "who_is_asked_about"))
        await phone.says("Cy")
        assert phone.front is not None
        assert phone.front.dialogue == PERSON_GATE
        second = phone.front.id
        assert of_run(phone, first) == []
        await phone.says("not with Cy in the room")
        await phone.says("/later")
        assert of_run(phone, second) == []
        assert of_run(phone, first) == ["Are you ever afraid of Ben?"], "it is asked again"
        await phone.says("/later")
        assert of_run(phone, first) == of_run(phone, second) == []


async def test_what_was_to_be_deleted_while_they_had_blocked_us_is_deleted_when_they_are_back(
    gate: Standing, app: App
) -> None:
    async with phones(app) as at:
        phone = await asked_at(at, gate, 100)
        at.courier.stop()
        await phone.hears(phone.message(Said(NOW, "/later"), "/later"), arrives=False)
        app.conversation.blocked("left", phone.address, NOW)
        at.courier = at.new_courier()
        async with carrying(at.courier):
            await phone.says("hello")
        assert of_run(phone, gate.progress.runs[-1].id) == []
        assert [text for text in phone.texts if PERSON in text] == []


async def test_a_question_that_was_refused_is_not_sent_later_when_it_was_left_meanwhile(
    gate: Standing, app: App
) -> None:
    async with phones(app) as at:
        phone = Phone(at, 100)
        await phone.stands(gate.progress)
        at.refuses = "afraid"
        await phone.says("/start")
        assert len(await at.database.do(lambda work: DeadLetters(work).all())) == 1
        at.refuses = None
        await phone.says("/later")
        assert await at.database.do(lambda work: DeadLetters(work).all()) == []


async def test_other_dialogues_leave_their_messages_in_the_chat(gate: Standing, app: App) -> None:
    async with phones(app) as at:
        phone = await asked_at(at, gate, 100)
        await phone.says("/later")
        for words in ("/checkin", "6", "thanks", "later", "hello"):
            await phone.says(words)
            assert words in phone.texts
        deleted = [fields for method, fields in at.request.calls if method == "deleteMessages"]
        assert len(deleted) == 2, "the question asked once more, and the one left"
