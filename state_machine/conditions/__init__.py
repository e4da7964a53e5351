"""The names that content and tables may ask. One pure predicate each; its docstring is the sentence.

A condition sees progress as it is at that moment, and the run in front.
There is no expression language: a rule that needs *and* gets a name of its own.
"""

from state_machine.conditions import people, person_gates, safety, safety_talks, scales, suitability, time
from state_machine.conditions.registry import CONDITIONS, Condition
from state_machine.conditions.safety import HARMLESS
from state_machine.conditions.time import NIGHTS

__all__ = [
    "CONDITIONS",
    "HARMLESS",
    "NIGHTS",
    "Condition",
    "people",
    "person_gates",
    "safety",
    "safety_talks",
    "scales",
    "suitability",
    "time",
]
