"""Effects become words: which bubbles are said, and what can be tapped under them.

Templates are compiled when they are first needed and kept; texts without tags are never compiled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from babel import Locale
from babel.dates import format_date
from jinja2 import Template

from dialogues.book import Book
from dialogues.helplines.tables import HelpLines
from dialogues.rendering.context import Known, Provided
from dialogues.rendering.mood_trends import mood_trend_text
from dialogues.rendering.split import split_bubble
from dialogues.rendering.upcoming import Dated, Upcoming
from dialogues.templates import TRAITS, compiled, environment, is_plain, rendered
from state_machine.model.answer_kinds import AnswerKind
from state_machine.model.context import Context
from state_machine.model.effects import DeleteQuestion, Effect, Erase, Export, Redraw, Remark, Say, ShowChoice, Toast
from state_machine.model.outgoing import Choice, Deletion, Edit, ExportFile, Message, Outgoing, TapAnswer
from state_machine.model.progress import Progress, Run
from state_machine.model.script import Bubble
from state_machine.turn.chat_deletion import ends, is_taken_out
from state_machine.turn.options import Offer, is_inline, offers, token

PER_ROW = ((4, 6), (10, 3), (16, 2))
"""How many choices stand in a row, by the length of the longest label; longer ones stand alone."""


@dataclass(frozen=True, slots=True)
class Tap:
    """Where an answer came from: the tap's id, and the message whose button it was with its text."""

    id: str | None = None
    message_id: int | None = None
    shown: str | None = None


class Prompts:
    """The words of one book. Safe to share: rendering changes nothing but the store of compiled templates."""

    def __init__(self, book: Book, lines: HelpLines, operator: str) -> None:
        self._book = book
        self._script = book.script
        self._refrains = book.refrains
        self._env = environment(book.numbers, book.language)
        self._compiled: dict[str, Template] = {}
        self._lines = lines
        self._operator = operator
        self._given = self._provided(TRAITS)
        self._traits: Set[str] = TRAITS

    def where(self, traits: Set[str]) -> Prompts:
        """The same words for a messenger of which only these `TRAITS` are true."""
        if traits == self._traits:
            return self
        other = copy(self)
        other._traits = traits
        other._given = other._provided(traits)
        return other

    def _provided(self, traits: Set[str]) -> dict[str, Provided]:
        """The names that are no memories, each with the function that works it out for one bubble."""
        locale = Locale.parse(self._book.language)
        always: dict[str, Provided] = {
            "operator": lambda _: self._operator,
            "refrains": lambda known: _Refrains(self, known),
            "today": lambda known: format_date(known.context.today(), "EEEE", locale=locale),
            "dated": lambda known: Dated(known.context, locale),
            "pattern": lambda known: mood_trend_text(known.context, self._book.language),
            "upcoming": lambda known: Upcoming(known.context, locale),
            "lines": lambda known: self._lines.card(known.context.code("country"), known.context.now.date()),
        }
        return always | {trait: lambda _: True for trait in TRAITS & traits}

    def outgoing(self, effects: Sequence[Effect], now: datetime, tap: Tap | None = None) -> list[Outgoing]:
        """What is to be carried for the effects of one turn, in order.

        Raises `jinja2.TemplateError` or `RenderFailed` if a bubble can't be rendered; then nothing may be sent.
        """
        found: list[Outgoing] = []
        for effect in effects:
            found += self._of(effect, now, tap or Tap())
        return found

    def _of(self, effect: Effect, now: datetime, tap: Tap) -> list[Outgoing]:
        match effect:
            case Say(run):
                return [self._of_run(message, run) for message in self._said(effect, now)]
            case Remark(again=again):
                return [self._of_run(self._remark(effect, now), again)]
            case ShowChoice(choice) if tap.message_id is not None:
                return [Edit(tap.message_id, text=tap.shown, settled=choice)]
            case DeleteQuestion(run):
                return [Deletion(run=run)]
            case Redraw(run, progress) if tap.message_id is not None:
                return [Edit(tap.message_id, choices=self.choices(run, progress, now))]
            case Toast(refrain) if tap.id is not None:
                return [TapAnswer(tap.id, self.refrain(refrain) if refrain else "")]
            case Export():
                return [ExportFile(self.refrain("export_caption"))]
            case Erase(receipt) if receipt is not None:
                context = Context(self._script, Progress(), None, now)
                return [Message(self._render(self._wording(receipt, 0), context))]
            case _:
                return []

    # --- bubbles -----------------------------------------------------------------

    def _of_run(self, message: Message, run: Run | None) -> Message:
        """The message, marked with its run if it is to be deleted again."""
        goes = run is not None and is_taken_out(self._script, run) and not ends(self._script, run)
        return replace(message, run=run.id) if run is not None and goes else message

    def _said(self, say: Say, now: datetime) -> Iterator[Message]:
        run, progress = say.run, say.progress
        context = Context(self._script, progress, run, now)
        step = self._script.dialogues[run.dialogue].steps[run.step]
        texts = [
            piece
            for bubble, turn in zip(step.bubbles, say.wordings, strict=True)
            for piece in split_bubble(self._render(_taken_in_turn(bubble, turn), context))
        ]
        for text in texts[:-1]:
            yield Message(text, keeps_keyboard=True)
        if texts:
            yield self._asking(texts[-1], run, progress, now)

    def _remark(self, remark: Remark, now: datetime) -> Message:
        front = remark.again or (remark.progress.runs[-1] if remark.progress.runs else None)
        context = Context(self._script, remark.progress, front, now)
        text = self._render(self._wording(remark.refrain, remark.wording), context)
        if remark.again is None:
            return Message(text, keeps_keyboard=True)
        # The question is the one asked before; whoever saw that one may answer it.
        return replace(self._asking(text, remark.again, remark.progress, now), asks=None)

    def _asking(self, text: str, run: Run, progress: Progress, now: datetime) -> Message:
        step = self._script.dialogues[run.dialogue].steps[run.step]
        if step.is_ending:
            return Message(text)
        choices = self.choices(run, progress, now)
        return Message(text, choices, asks=token(run, ""), placeholder=self._placeholder(run))

    def _placeholder(self, run: Run) -> str | None:
        step = self._script.dialogues[run.dialogue].steps[run.step]
        kinds = [way.takes for way in step.ways if isinstance(way.takes, AnswerKind)]
        names = [f"placeholder_{kind.name.lower()}" for kind in kinds]
        return next((self._refrains[name][0] for name in names if name in self._refrains), None)

    def choices(self, run: Run, progress: Progress, now: datetime) -> tuple[tuple[Choice, ...], ...]:
        """What can be tapped at the step where `run` stands, in rows."""
        dialogue = self._script.dialogues[run.dialogue]
        step = dialogue.steps[run.step]
        found = offers(step, Context(self._script, progress, run, now))
        inline = is_inline(dialogue, step)
        made = [
            (offer, Choice(offer.label, token(run, offer.key) if inline else None, offer.picked)) for offer in found
        ]
        if step.takes_a_number:
            figures = [choice for offer, choice in made if offer.key.startswith("n")]
            others = [choice for offer, choice in made if not offer.key.startswith("n")]
            return (*_rows(figures), *_rows(others))
        return _rows([choice for _, choice in made])

    def offers_of(self, run: Run, progress: Progress, now: datetime) -> tuple[Offer, ...]:
        """The offers at the step where `run` stands."""
        step = self._script.dialogues[run.dialogue].steps[run.step]
        return offers(step, Context(self._script, progress, run, now))

    # --- words -------------------------------------------------------------------

    def refrain(self, name: str, wording: int = 0) -> str:
        """A refrain as it is said to nobody in particular."""
        context = Context(self._script, Progress(), None, datetime.fromtimestamp(0, UTC))
        return self._render(self._wording(name, wording), context)

    def plain_refrain(self, name: str) -> str:
        """A refrain without tags, as it stands: what is said when nothing else can be."""
        return self._refrains[name][0]

    def _wording(self, name: str, turn: int) -> str:
        wordings = self._refrains[name]
        return wordings[turn % len(wordings)]

    def _render(self, wording: str, context: Context) -> str:
        return wording if is_plain(wording) else self._worded(wording, Known(context, self._given))

    def _worded(self, wording: str, known: Known) -> str:
        if is_plain(wording):
            return wording
        template = self._compiled.get(wording)
        if template is None:
            template = self._compiled.setdefault(wording, compiled(self._env, wording))
        return _tidy(rendered(template, known))

    def said_refrain(self, name: str, context: Context) -> str:
        """A refrain as it is said inside a bubble; one with several wordings changes from run to run."""
        return self.within_bubble(name, Known(context, self._given))

    def within_bubble(self, name: str, known: Known) -> str:
        """A refrain inside a bubble for which `known` has been looked up."""
        run = known.context.run
        return self._worded(self._wording(name, run.id if run else 0), known)


class _Refrains:
    """`{{ refrains.name }}`: rendered when it is mentioned."""

    def __init__(self, prompts: Prompts, known: Known) -> None:
        self._prompts = prompts
        self._known = known

    def __getitem__(self, name: str) -> str:
        return self._prompts.within_bubble(name, self._known)


def _taken_in_turn(bubble: Bubble, turn: int) -> str:
    return bubble.wordings[turn % len(bubble.wordings)]


def _rows(choices: Sequence[Choice]) -> tuple[tuple[Choice, ...], ...]:
    longest = max((len(choice.label) for choice in choices), default=0)
    size = next((per_row for length, per_row in PER_ROW if longest <= length), 1)
    return tuple(tuple(choices[start : start + size]) for start in range(0, len(choices), size))


def _tidy(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.strip().split("\n")]
    return "\n".join(lines).strip()
