"""Rules of the therapy: gates of a person, scoring of scales, trends of the mood."""
