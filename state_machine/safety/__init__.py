"""The screen: reads every message for phrases that indicate danger. The phrases themselves are content."""

from state_machine.safety.reading import DangerKind, RiskReading, Tier
from state_machine.safety.screen import Screen
from state_machine.safety.signals import Signal, Signals

__all__ = ["DangerKind", "RiskReading", "Screen", "Signal", "Signals", "Tier"]
