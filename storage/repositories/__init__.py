"""The tables as objects, each within one transaction."""
