"""One turn: from an event to new progress and effects."""
