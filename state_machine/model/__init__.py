"""The values the engine works with: events, effects, progress, the script of the book, outgoing messages."""
