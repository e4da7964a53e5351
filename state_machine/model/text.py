"""When two texts count as the same: labels and words of the book (`plain`), and names of people (`name_key`).

Texts are compared in NFC (Unicode UAX 15) and without case. The signs that letters carry (vowel signs, harakat,
niqqud, accents: category M) always count: without them मीना and मोना would be one name.
"""

from __future__ import annotations

import re
import unicodedata

_ALIKE = str.maketrans("’‘‛ʼʻ＇`´“”„‟‐‑", "''''''''\"\"\"\"--")
"""Apostrophes, quotation marks and hyphens that keyboards set instead of the plain ones."""
_UNSEEN = {0xAD, 0x61C, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, 0xFE0E, 0xFE0F}
_UNSEEN |= {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
"""Signs that show nothing: soft hyphens, marks of direction, and whether a symbol is drawn in colour.
Joiners count: they make other letters in Persian and other emoji."""
_NOT_SEEN = dict.fromkeys(_UNSEEN)
_JOINERS = "\u200c\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_NO_SPACES = re.compile(
    "[\u0e00-\u0eff\u0f00-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7a3"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Scripts in which no spaces stand around a name: Thai, Lao, Tibetan, Myanmar, Khmer, Han, kana, Hangul."""
_PUNCTUATION = "'%/+:,-"
_ASCII_SIGNS = re.compile(r"[^\w\s'%/+:,-]")


def folded(text: str, *, cased: bool = False) -> str:
    """`text` in NFC, without unseen signs, with plain quotation marks and hyphens and single spaces.

    Without case, unless `cased`.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFD", text.translate(_NOT_SEEN).translate(_ALIKE))
    text = text if cased else text.casefold()
    return " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())


def normalise(text: str) -> str:
    """`text` as labels and words are compared: folded, without emoji and closing punctuation.

    What is nothing but emoji or punctuation stays as it is, so that it equals only itself.
    """
    said = folded(text)
    kept = _ASCII_SIGNS.sub("", said) if said.isascii() else "".join(_words_of(said))
    return " ".join(kept.split()).strip(" ,:'") or said


def _words_of(said: str) -> list[str]:
    """The letters and digits with the signs they carry, spaces, and punctuation that stands within words."""
    kept: list[str] = []
    carried = False
    for sign in said:
        carried = sign.isalnum() or sign == "_" or (carried and unicodedata.category(sign) in {"Mn", "Mc"})
        if carried or sign.isspace() or sign in _PUNCTUATION:
            kept.append(sign)
    return kept


def name_key(name: str, *, cased: bool = False) -> str:
    """What two names have in common only if they are the same name. Emoji and the signs of letters count.

    The kind of quotation mark, spaces, punctuation at the end and, unless `cased`, case do not.
    """
    key = folded(name, cased=cased)
    return key.rstrip(" .,!") or key


def is_name(text: str) -> bool:
    """Whether `text` can be a name: one line with a letter, a digit or a picture in it."""
    return "\n" not in text and any(sign.isalnum() or unicodedata.category(sign) in {"So", "Cn"} for sign in text)


def is_mark(sign: str) -> bool:
    """Whether one character is a sign that the letter before it carries."""
    return unicodedata.category(sign).startswith("M")


def find_name(name: str, words: str) -> tuple[int, int] | None:
    """Where `name` (see `name_key`) stands in `words` (see `folded`) as a whole name; None if it does not.

    Ann is not in Anna, and no name in another that goes on with a sign of its last letter or a joined emoji.
    """
    at = words.find(name) if name else -1
    while at >= 0:
        end = at + len(name)
        if _is_edge(words, at) and _is_edge(words, end):
            return at, end
        at = words.find(name, at + 1)
    return None


def _is_edge(words: str, at: int) -> bool:
    """Whether a name may begin or end between the characters `at - 1` and `at`."""
    if at in {0, len(words)}:
        return True
    before, after = words[at - 1], words[at]
    if is_mark(after) or after in _JOINERS or before in _JOINERS or ord(after) in _SKIN_TONES:
        return False
    if _NO_SPACES.match(before) or _NO_SPACES.match(after):
        return True
    return not (_is_of_a_word(before) and _is_of_a_word(after))


def _is_of_a_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_" or is_mark(sign)
