"""Our own log lines: one a line, with pseudonymous ids and durations, never what anybody wrote."""

from __future__ import annotations

import logging

OURS = ("ipt", "bot", "storage")


def start(level: str) -> None:
    """Write our own lines to standard error. Libraries stay quiet: some show tokens, others texts."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.CRITICAL + 1)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
