"""A new operator's key in the place of the old one, and what the operator is to do then."""

from __future__ import annotations

from collections.abc import Iterator

from bot.settings import Settings, SettingsRefused
from storage.store import DATA_FILE, Store


def rotated(settings: Settings) -> Iterator[str]:
    """Rotate the key, and say what to back up. Raises `StoreRefused`, and `SettingsRefused` for a key given by hand.

    Before anything is wrapped under a new key, that key must lie in a file: one that is printed, or handed over in
    the environment, could be lost with the process.
    """
    key = settings.data_dir / "operator.key"
    if settings.operator_key is not None:
        raise SettingsRefused(
            "OPERATOR_KEY is set, and a new key is safe only in a file: "
            f"stop the bot, write the present key into {key}, unset OPERATOR_KEY, run `ipt-bot rotate-key`, "
            "and put what the file then holds into OPERATOR_KEY before you remove the file."
        )
    if not (settings.data_dir / DATA_FILE).exists():
        yield f"Nothing has been kept in {settings.data_dir} yet."
        return
    store = Store.open(settings.data_dir)
    try:
        store.rotate()
    finally:
        store.close()
    yield f"A new key stands in {key}. What was said is as it was, and a bot that runs goes on."
    yield "The old key does not open the key store any more. Now:"
    yield "1. Copy operator.key to where you keep its copy."
    yield "2. Back up keys.sqlite, in the place of its older copy, which only the old key opens."
    yield "3. Destroy every copy of the old key and of the older keys.sqlite: together they still open the data."
