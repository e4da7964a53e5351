"""What an operator is told about danger: counts by month, in bands, from five up. Never a word, never a client."""

from __future__ import annotations

from collections.abc import Iterator

from bot.settings import Settings
from state_machine.safety import DangerKind, Tier
from storage.repositories.counters import SHOWN_FROM
from storage.store import DATA_FILE, Store

_TIERS = {Tier.EXPLICIT: "explicit", Tier.ASK: "asked about", Tier.SOMEONE_ELSE: "about somebody else"}


def counted(settings: Settings) -> Iterator[str]:
    """The counts of this copy, a line each. Raises `StoreRefused` if the store can't be opened."""
    if not (settings.data_dir / DATA_FILE).exists():
        yield f"Nothing has been kept in {settings.data_dir} yet."
        return
    store = Store.open(settings.data_dir, settings.key_bytes())
    try:
        with store.begin(immediate=False) as work:
            rows = work.counters.banded()
    finally:
        store.close()
    for month, name, band in rows:
        yield f"{month:%Y-%m}  {_in_words(name)}: {band}"
    yield f"Counts below {SHOWN_FROM} are not told, because a small number may be somebody."


def _in_words(name: str) -> str:
    """A count's name as it is kept, such as `self 1`, in words."""
    kind, _, tier = name.partition(" ")
    if (
        kind in {each.value for each in DangerKind}
        and tier.isdecimal()
        and int(tier) in {each.value for each in _TIERS}
    ):
        return f"{kind.replace('_', ' ')}, {_TIERS[Tier(int(tier))]}"
    return name
