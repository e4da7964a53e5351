"""What is due and when: the agenda, the triggers of wake-ups, retention."""
