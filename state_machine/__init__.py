"""The pure engine: an event and a client's progress in, new progress and effects out."""
