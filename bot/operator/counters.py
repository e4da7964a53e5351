"""Counts of safety talks for the operator: by month and kind, in bands from five up, without text or clients."""

from __future__ import annotations

from collections.abc import Iterator

from bot.settings import Settings
from state_machine.safety import DangerKind, Tier
from storage.repositories.counters import MIN_SHOWN
from storage.store import DATA_FILE, Store

_TIERS = {Tier.EXPLICIT: "explicit", Tier.ASK: "asked about", Tier.SOMEONE_ELSE: "about somebody else"}


def report(settings: Settings) -> Iterator[str]:
    """Yield the lines of the report. Raises `StoreRefused` if the store can't be opened."""
    if not (settings.data_dir / DATA_FILE).exists():
        yield f"There is no data in {settings.data_dir} yet."
        return
    store = Store.open(settings.data_dir, settings.key_bytes())
    try:
        with store.begin(read_only=True) as work:
            rows = work.counters.bands()
    finally:
        store.close()
    for month, name, band in rows:
        yield f"{month:%Y-%m}  {_in_words(name)}: {band}"
    yield f"Counts below {MIN_SHOWN} are not shown, because a small count could identify a client."


def _in_words(name: str) -> str:
    """Return the stored name of a count, such as `self 1`, in words; unchanged if it is not a kind and a tier."""
    kind, _, tier = name.partition(" ")
    if (
        kind in {each.value for each in DangerKind}
        and tier.isdecimal()
        and int(tier) in {each.value for each in _TIERS}
    ):
        return f"{kind.replace('_', ' ')}, {_TIERS[Tier(int(tier))]}"
    return name
