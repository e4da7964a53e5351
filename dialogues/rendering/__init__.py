"""Renders the book's words for one client."""
