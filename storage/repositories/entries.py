"""Entries, that is dated runs stored for the client: check-ins, scales, notes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import msgspec
from sqlalchemy import bindparam, delete, select

from state_machine.model.progress import Entry
from state_machine.rules.person_release import without_answers
from storage.database import Statement, decode_json, encode_json, insert_or_update
from storage.errors import DecryptionError, Malformed, Unreadable
from storage.session import Session
from storage.tables import entries

_COLUMN = "entries.body"
_KIND = "entries.kind"
_all = Statement(select(entries.c.body).where(entries.c.client == bindparam("client_")).order_by(entries.c.run))
_put = Statement(lambda dialect: insert_or_update(dialect, entries, "kind", "body"), "client", "run", "kind", "body")
_decoder = msgspec.json.Decoder(Entry)


def write_entry(entry: Entry) -> bytes:
    """An entry as JSON bytes."""
    return encode_json(entry)


def read_entry(data: bytes) -> Entry:
    """An entry from JSON bytes. Raises Malformed."""
    entry: Entry = decode_json(_decoder, data)
    return entry


class Entries:
    """Entries, within one transaction. Raises Unreadable where one can't be decrypted or parsed."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection
        self._driver = session.driver
        self._vault = session.vault

    def put(self, client: str, entry: Entry) -> None:
        """Store an entry; it replaces an earlier one of the same run."""
        self._driver.execute(
            _put,
            {
                "client": client,
                "run": entry.run,
                "kind": self._vault.keyed_hash(client, _KIND, entry.dialogue),
                "body": self._vault.encrypt(client, _COLUMN, write_entry(entry)),
            },
        )

    def delete_answers(
        self,
        client: str,
        run: int | None = None,
        person: int | None = None,
        names: Collection[str] = (),
        picked: frozenset[str] = frozenset(),
    ) -> int:
        """Delete the entry of a run, and everything about a person. Returns how many entries were deleted or changed.

        An entry about that person is deleted. From any other entry, answers are deleted that are about them or are
        nothing but one of their `names`, and so is their name from lists of people, the memories `picked`.
        """
        changed = 0
        if run is not None:
            changed += self._delete(client, run)
        if person is None:
            return changed
        for entry in self.all(client):
            rest = tuple(without_answers(entry.answers, person, names, picked))
            if entry.person == person:
                changed += self._delete(client, entry.run)
            elif rest != entry.answers:
                self.put(client, replace(entry, answers=rest))
                changed += 1
        return changed

    def all(self, client: str) -> list[Entry]:
        """Every entry of a client, in the order of their runs."""
        return list(self.iterate(client))

    def iterate(self, client: str) -> Iterator[Entry]:
        """The same, read one at a time within the transaction, so that a long history does not delay others."""
        for (body,) in self._driver.iterate(_all, {"client_": client}):
            yield self._decrypt(client, body)

    def latest(self, client: str, dialogue: str, most: int) -> list[Entry]:
        """The latest entries of one dialogue, `most` at most, in the order of their runs: the latest is the last."""
        kind = self._vault.keyed_hash(client, _KIND, dialogue)
        newest_first = (
            select(entries.c.body)
            .where(entries.c.client == client, entries.c.kind == kind)
            .order_by(entries.c.run.desc())
            .limit(most)
        )
        return [self._decrypt(client, body) for body in self._connection.scalars(newest_first)][::-1]

    def _delete(self, client: str, run: int) -> int:
        return self._connection.execute(
            delete(entries).where(entries.c.client == client, entries.c.run == run)
        ).rowcount

    def _decrypt(self, client: str, body: bytes) -> Entry:
        try:
            return read_entry(self._vault.decrypt(client, _COLUMN, body))
        except (DecryptionError, Malformed):
            raise Unreadable(client) from None
