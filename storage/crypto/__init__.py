"""Encryption at rest: keys and the vault."""
