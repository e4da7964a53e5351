"""Parses the Markdown files of the book."""
