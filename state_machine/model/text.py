"""Two answers that mean the same are made to look the same."""

from __future__ import annotations

import re


def normalise(text: str) -> str:
    """`text` in lower case, with straight quotes, and without emoji and closing punctuation."""
    text = text.replace("’", "'").casefold()
    text = re.sub(r"[^\w\s'%/+:,-]", "", text)
    return " ".join(text.split()).strip(" ,:'")
