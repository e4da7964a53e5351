"""The one door: `step(charts, progress, event) -> Turn`.

Pure: the same book, progress and event give the same turn. All words but those of our own buttons, commands and
plain words are read for danger first. Then comes what can be said at any step, then the open step; then, if
nothing is open, what is due.
"""

from __future__ import annotations

from dataclasses import replace

from state_machine.model.effects import Redraw, Toast
from state_machine.model.events import Edited, Event, Said, Shared, Tapped, Woke
from state_machine.model.progress import Progress, Run, with_fields
from state_machine.model.script import Silence
from state_machine.model.text import is_name, name_key, normalise
from state_machine.programme.tables import CHECK_IN, CHECK_IN_AGAIN, DOORS, GO_ON, PERSON_DIED
from state_machine.turn.activity import record_activity
from state_machine.turn.answers import NAMES, NotUnderstood, finished, read
from state_machine.turn.builder import Turn
from state_machine.turn.fallback import fall_back, nothing_open
from state_machine.turn.flow import OFFER_TO_GO_ON_AFTER, Flow
from state_machine.turn.greetings import greets
from state_machine.turn.late_answers import context_when_written, keep_day
from state_machine.turn.machine import Machines
from state_machine.turn.old_buttons import done_late, is_old_button, takes_anything, to_the_front, waiting
from state_machine.turn.options import PICK, Offer, offers
from state_machine.turn.repair import repair
from state_machine.turn.risk import screen_for_risk
from state_machine.turn.shown_questions import asked_before
from state_machine.turn.wakeups import run_wakeups

SHARED = frozenset({"sticker", "photo", "voice", "video", "document", "contact", "place"})
"""What can be shared beside text and has a refrain of its own; anything else is *other*."""
OWN_COMMANDS = frozenset({"start", "back", "later", "stop"})
"""Commands that open no dialogue."""


def step(machines: Machines, progress: Progress, event: Event) -> Turn:
    """Decide one turn. Never raises for anything a client can send or any progress a release can leave behind."""
    turn = Flow(machines, progress, event.at)
    if isinstance(event, Said) and event.sent is not None:
        turn.written = min(event.sent, event.at)
    repair(turn)
    if not isinstance(event, Woke):
        record_activity(turn, event)
    match event:
        case Said():
            _said(turn, event)
        case Tapped():
            _tapped(turn, event.button)
        case Shared():
            _shared(turn, event)
        case Edited():
            if not screen_for_risk(turn, event.text):
                turn.note(event.text)
                turn.remark("edited", again=True)
        case Woke():
            run_wakeups(turn)
    return turn.finish()


# --- what is said --------------------------------------------------------------------


def _said(turn: Flow, event: Said) -> None:
    text = event.text.strip()
    if text.startswith("/"):
        _command(turn, text)
    elif not any(letter.isalnum() for letter in text) and not _may_be_a_name(turn, text):
        # Signs alone answer nothing, but they may end what the words before them began.
        if not (text and screen_for_risk(turn, text)):
            _not_followed(turn, event)
    elif not (_plain_words(turn, text) or screen_for_risk(turn, text)):
        if event.early:
            _early(turn, text, event)
        elif turn.front is None:
            if not is_old_button(turn, text):
                nothing_open(turn, text)
        else:
            _answer(turn, text, typed=True)


def _may_be_a_name(turn: Flow, text: str) -> bool:
    """Whether signs alone are an answer: somebody may be called by an emoji."""
    run = turn.front
    return run is not None and is_name(text) and any(way.takes in NAMES for way in turn.step(run).ways)


def _not_followed(turn: Flow, event: Said) -> None:
    if turn.front is None:
        fall_back(turn)
    else:
        _asked_still(turn, "not_followed", event)


def _asked_still(turn: Flow, refrain: str, event: Said | Shared) -> None:
    """Say a refrain, with the ways on of what is open; a question that never reached them is asked in full."""
    turn.remark(refrain, again=True)
    if event.unseen and turn.front is not None:
        turn.arrive(turn.front)


def _command(turn: Flow, text: str) -> None:
    """A command and nothing else; what stands behind one, or behind a mere slash, is read for danger first."""
    first, rest = (*text[1:].split(maxsplit=1), "", "")[:2]
    word = first.partition("@")[0].casefold()
    said = rest if word in OWN_COMMANDS or word in turn.script.commands else text[1:]
    if said and screen_for_risk(turn, said):
        return
    if word == "start":
        _again(turn)
    elif word == "back":
        turn.back()
    elif word in {"later", "stop"}:
        turn.put_aside()
    elif word in (commands := turn.script.commands):
        _open_by_client(turn, commands[word])
    else:
        turn.remark("unknown_command", again=True)


def _plain_words(turn: Flow, text: str) -> bool:
    """Words that mean the same at every step, unless the open step has a button of that name."""
    words = normalise(text)
    if words not in turn.script.steering:
        return False
    run = turn.front
    if _is_offered(turn, text):
        return False
    if words in turn.script.back and run is not None:
        turn.back()
    elif words in turn.script.later and run is not None:
        turn.put_aside()
    elif words in (known := turn.script.plain_words):
        _open_by_client(turn, known[words])
    else:
        return False
    return True


def _is_offered(turn: Flow, text: str) -> bool:
    """Whether `text` is a button of the open step, or a name on one; a name only with all of its signs."""
    run, words, name = turn.front, normalise(text), name_key(text)
    found = offers(turn.step(run), turn.context(run)) if run is not None else ()
    return any(name_key(o.label) == name or (o.key.startswith("l") and normalise(o.label) == words) for o in found)


def _open_by_client(turn: Flow, name: str) -> None:
    """Open what the client asked for. A second check-in on one day asks first what it is for."""
    if turn.progress.consent is None and not turn.script.dialogues[name].safety and name not in BEFORE_CONSENT:
        turn.remark("consent_first")
        _again(turn)
        return
    if turn.front is not None and turn.front.amends:
        turn.drop(turn.front)
    if name == CHECK_IN and CHECK_IN_AGAIN in turn.script.dialogues and _checked_in_today(turn):
        name = CHECK_IN_AGAIN
    turn.open(name)


BEFORE_CONSENT = frozenset({"always/help", "always/delete"})
"""What can be opened before consent, beside safety: nothing that keeps an answer."""


def _checked_in_today(turn: Flow) -> bool:
    done = turn.progress.done.get(CHECK_IN)
    return done is not None and done.kept and done.day == turn.today()


def _early(turn: Flow, text: str, event: Said) -> None:
    """Words sent before the open question had arrived: never an answer to it. The same tap twice is one tap."""
    if normalise(text) == normalise(turn.progress.just_settled or "") and not event.unseen:
        return
    shown, front = asked_before(turn.progress, text), turn.front
    if shown is not None and front is not None and shown.run != front.id and done_late(turn, shown, text):
        return
    _asked_still(turn, "crossed" if turn.note(text) else "not_kept_yet", event)


def _answer(turn: Flow, text: str, *, typed: bool = False) -> None:
    run = turn.front
    if run is None:
        return
    step = turn.step(run)
    words = normalise(text)
    if not _is_offered(turn, text) and (greets(turn.script, text) or words in turn.script.small_talk):
        _small_talk(turn, words)
        return
    then = context_when_written(turn, run)
    is_done = bool(run.picked) and words == normalise(turn.script.finished)
    taken = finished(step, then) if is_done else read(step, text, then, near=not turn.dialogue(run).safety)
    if typed and not is_done and takes_anything(taken) and is_old_button(turn, text):
        return
    if not isinstance(taken, NotUnderstood) and taken.new_name and turn.machines.screen.hint("has_died", text):
        turn.remark("name_of_who_died", again=True)
    elif not isinstance(taken, NotUnderstood):
        keep_day(turn, run, then)
        turn.take(replace(taken, at=then.now))
    elif run.person is not None and turn.machines.screen.hint("has_died", text):
        turn.open(PERSON_DIED, person=run.person)
    elif taken.note and turn.dialogue(run).safety:
        turn.note(text)
        turn.remark("kept_in_danger", again=True)
    elif taken.note and not turn.note(text):
        turn.remark("not_kept_yet", again=True)
    else:
        of_a_death = taken.note and turn.machines.screen.hint("has_died", text)
        turn.remark("kept_a_death" if of_a_death else taken.refrain, again=True)


def _small_talk(turn: Flow, words: str) -> None:
    """A greeting opens the door again; thanks, goodbye and anger get their own few words. None is an answer."""
    run = turn.front
    if run is None:
        return
    if words in turn.script.small_talk:
        turn.remark(turn.script.small_talk[words], again=True)
    elif run.dialogue in DOORS:
        turn.drop(run)
        _again(turn)
    else:
        _again(turn)


def _again(turn: Flow) -> None:
    """What is open, asked once more; offered first where it has waited for long."""
    run = turn.front
    if run is None:
        fall_back(turn)
    elif turn.now - run.asked > OFFER_TO_GO_ON_AFTER and run.dialogue != GO_ON and not turn.dialogue(run).safety:
        turn.open(GO_ON)
    else:
        turn.arrive(run)
        _keep_the_morning(turn, run)


def _keep_the_morning(turn: Flow, before: Run) -> None:
    """A look-in that was promised for the morning comes then, also if the client says hello before it."""
    run = turn.front
    way = turn.step(run).silence if run is not None and run.id == before.id else None
    if run is not None and way is not None and isinstance(way.takes, Silence) and way.takes.morning:
        turn.put(with_fields(run, asked=before.asked))


# --- what is tapped ------------------------------------------------------------------


def _tapped(turn: Flow, button: str) -> None:
    """A tap counts only for the very question its message asked; an old one gets a few words, never silence."""
    number, _, rest = button.partition(":")
    name, _, key = rest.partition(":")
    if _brought_up(turn, number, name, key):
        return
    run = turn.front
    if run is None or str(run.id) != number or run.step != name:
        # A question can be left by silence, too; what was tapped too late for it is noted nowhere.
        answers = run.answers if run is not None and str(run.id) == number else ()
        noted = any(a.step == name and a.fact.value == turn.progress.just_settled for a in answers)
        turn.effects.append(Toast("already_noted" if noted else "old_button"))
        return
    offer = next((o for o in offers(turn.step(run), turn.context(run)) if o.key == key), None)
    if offer is None:
        turn.effects.append(Toast("old_button"))
    elif offer.key.startswith(PICK):
        _picked(turn, offer)
    else:
        turn.effects.append(Toast(""))
        _answer(turn, offer.label)


def _brought_up(turn: Flow, number: str, name: str, key: str) -> bool:
    """Whether the tap was for a question that waits below or aside: then it comes to the front and is answered."""
    run, front = waiting(turn, number, name), turn.front
    if run is None or (front is not None and turn.dialogue(front).safety and not turn.dialogue(run).safety):
        return False
    offer = next((o for o in offers(turn.step(run), turn.context(run)) if o.key == key), None)
    if offer is None or offer.key.startswith(PICK):
        return False
    to_the_front(turn, run)
    turn.effects.append(Toast(""))
    _answer(turn, offer.label)
    return True


def _picked(turn: Flow, offer: Offer) -> None:
    """One of several: in or out. The message shows what is picked; *Done* takes it."""
    run = turn.front
    if run is None:
        return
    others = tuple(each for each in run.picked if each not in {offer.key, offer.label})
    picked = others if offer.picked else (*others, offer.key)
    run = turn.put(with_fields(run, picked=picked))
    turn.effects += [Toast(""), Redraw(run, turn.progress)]


# --- what else can happen ------------------------------------------------------------


def _shared(turn: Flow, event: Shared) -> None:
    caption = event.caption.strip()
    if caption and screen_for_risk(turn, caption):
        return
    if caption:
        turn.note(caption)
    _asked_still(turn, f"shared_{event.what if event.what in SHARED else 'other'}", event)
