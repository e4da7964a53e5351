"""Reads the Markdown of the book into values."""
