"""Rotation of the operator's key."""

from __future__ import annotations

from collections.abc import Iterator

from bot.settings import Settings, SettingsRefused
from storage.store import DATA_FILE, Store


def rotate(settings: Settings) -> Iterator[str]:
    """Rotate the key, and yield the lines that tell the operator what to back up.

    Raises `StoreRefused` if the store can't be opened, and `SettingsRefused` if the key is given in the environment:
    the new key must be in a file before anything is encrypted with it, or it could be lost with the process.
    """
    key = settings.data_dir / "operator.key"
    if settings.operator_key is not None:
        raise SettingsRefused(
            "OPERATOR_KEY is set, but rotation needs the key in a file: "
            f"stop the bot, write the current key into {key}, unset OPERATOR_KEY, run `ipt-bot rotate-key`, "
            "then set OPERATOR_KEY to the new content of the file before you remove the file."
        )
    if not (settings.data_dir / DATA_FILE).exists():
        yield f"There is no data in {settings.data_dir} yet."
        return
    store = Store.open(settings.data_dir)
    try:
        store.rotate()
    finally:
        store.close()
    yield f"The new key is in {key}. Stored data is unchanged, and a running bot is not affected."
    yield "The old key no longer opens the key store. Now:"
    yield "1. Replace your backup of operator.key."
    yield "2. Replace your backup of keys.sqlite; only the old key opens the older one."
    yield "3. Destroy every copy of the old key and of the older keys.sqlite: together they still decrypt the data."
