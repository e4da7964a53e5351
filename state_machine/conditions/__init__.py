"""The names that content and tables may ask. One pure predicate each; its docstring is the sentence.

A condition sees progress as it is at that moment, and the run in front.
There is no expression language: a rule that needs *and* gets a name of its own.
"""

from state_machine.conditions import danger, fit, hours, life, person_gates, safety_talks, scales
from state_machine.conditions.danger import HARMLESS
from state_machine.conditions.hours import NIGHTS
from state_machine.conditions.registry import CONDITIONS, Condition

__all__ = [
    "CONDITIONS",
    "HARMLESS",
    "NIGHTS",
    "Condition",
    "danger",
    "fit",
    "hours",
    "life",
    "person_gates",
    "safety_talks",
    "scales",
]
