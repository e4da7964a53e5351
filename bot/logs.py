"""Logging: our own lines have pseudonymous ids and durations, never the text of a client."""

from __future__ import annotations

import logging

OURS = ("ipt", "bot", "storage")


def start(level: str) -> None:
    """Log our own lines to standard error from `level` on. Libraries are silenced: some log tokens, others texts."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.CRITICAL + 1)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
