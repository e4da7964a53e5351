"""Tables and scripts as `transitions` machines: one for the programme, one for each dialogue.

Built once, without a model of their own, shared by everybody and never written to again.
A turn fires an event on a short-lived model and drops it.
(A machine per client costs 2–44 ms a turn; adding and removing models 0.6–14 ms; a trigger on a shared one 20 µs.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transitions import Machine

from state_machine.conditions import CONDITIONS, Condition
from state_machine.model.context import Context
from state_machine.model.script import Dialogue, Script, When
from state_machine.programme.rows import PHASES, Departure
from state_machine.programme.tables import DEPARTURES
from state_machine.safety import Screen

SILENT = "silent"


class Model:
    """What a machine moves during one turn: the phase, the step of one dialogue, the departure heard."""

    __slots__ = ("heard", "phase", "step")

    def __init__(self, phase: str = "", step: str = "") -> None:
        self.phase = phase
        self.step = step
        self.heard: Departure | None = None


@dataclass(frozen=True, slots=True)
class Machines:
    """The book as machines."""

    script: Script
    programme: Any
    dialogues: Mapping[str, Any]
    screen: Screen

    def way(self, dialogue: str, step: str, index: int) -> str:
        """Where way number `index` of a step leads."""
        model = Model(step=step)
        self.dialogues[dialogue].events[f"way_{index}"].trigger(model)
        return model.step

    def silently(self, context: Context, dialogue: str, step: str) -> str:
        """Where a silent step leads, by the first condition that is true."""
        model = Model(step=step)
        self.dialogues[dialogue].events[SILENT].trigger(model, context)
        return model.step

    def depart(self, context: Context, dialogue: str, outcome: str) -> tuple[str, Departure | None]:
        """The phase after an outcome, and the row that was heard; (the same phase, None) if none was."""
        model = Model(phase=context.progress.phase)
        event = self.programme.events.get(f"{dialogue}:{outcome}")
        if event is not None and model.phase in event.transitions:
            event.trigger(model, context, model)
        return model.phase, model.heard


def build(script: Script, screen: Screen, departures: Sequence[Departure] = DEPARTURES) -> Machines:
    """The machines of a whole book, and the first reader of every message."""
    return Machines(
        script=script,
        programme=programme_machine(departures),
        dialogues={name: dialogue_machine(dialogue) for name, dialogue in script.dialogues.items()},
        screen=screen,
    )


def dialogue_machine(dialogue: Dialogue) -> Any:
    """Steps are states, ways on are transitions, silent ways carry conditions."""
    machine = Machine(
        model=None,
        states=list(dialogue.steps),
        initial=dialogue.first,
        auto_transitions=False,
        model_attribute="step",
    )
    for step in dialogue.steps.values():
        for index, way in enumerate(step.ways):
            if isinstance(way.takes, When):
                condition = CONDITIONS[way.takes.condition] if way.takes.condition else None
                machine.add_transition(SILENT, step.name, way.target, conditions=condition)
            else:
                machine.add_transition(f"way_{index}", step.name, way.target)
    return machine


def programme_machine(departures: Sequence[Departure]) -> Any:
    """Phases are states, departures are transitions."""
    machine = Machine(
        model=None, states=list(PHASES), initial=PHASES[0], auto_transitions=False, model_attribute="phase"
    )
    for row in departures:
        for phase in row.phases:
            condition = _alone(CONDITIONS[row.only_if]) if row.only_if else None
            machine.add_transition(row.event_name, phase, row.to, conditions=condition, before=_noting(row))
    return machine


def _alone(condition: Condition) -> Callable[[Context, Model], bool]:
    return lambda context, _model: condition(context)


def _noting(row: Departure) -> Callable[[Context, Model], None]:
    def note(_view: Context, model: Model) -> None:
        model.heard = row

    return note
