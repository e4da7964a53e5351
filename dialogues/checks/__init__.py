"""Checks of the book: a function for each rule of README.md, which yields the faults."""
