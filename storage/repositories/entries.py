"""The dated runs that are kept for the client: check-ins, scales, notes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select

from state_machine.model.progress import Entry
from state_machine.rules.person_release import without_answers
from storage.codec import Malformed, read_entry, write_entry
from storage.errors import DecryptionError, Unreadable
from storage.statements import Statement
from storage.tables import entries
from storage.upsert import insert_or_update

if TYPE_CHECKING:
    from storage.unit_of_work import UnitOfWork

_COLUMN = "entries.body"
_KIND = "entries.kind"
_all = Statement(select(entries.c.body).where(entries.c.client == bindparam("client_")).order_by(entries.c.run))
_put = Statement(lambda dialect: insert_or_update(dialect, entries, "kind", "body"), "client", "run", "kind", "body")


class Entries:
    """Entries, within one transaction. Raises Unreadable where one can't be opened or parsed."""

    def __init__(self, work: UnitOfWork) -> None:
        self._connection = work.connection
        self._driver = work.driver
        self._vault = work.vault

    def put(self, client: str, entry: Entry) -> None:
        """Keep an entry; one of the same run takes the place of the earlier one."""
        self._driver.run(
            _put,
            {
                "client": client,
                "run": entry.run,
                "kind": self._vault.fingerprint(client, _KIND, entry.dialogue),
                "body": self._vault.encrypt(client, _COLUMN, write_entry(entry)),
            },
        )

    def strike(
        self,
        client: str,
        run: int | None = None,
        person: int | None = None,
        names: Collection[str] = (),
        picked: frozenset[str] = frozenset(),
    ) -> int:
        """Delete the entry of a run, and all that is about a person; how many entries were touched.

        An entry about that person goes; from any other, the answers go that are about them or are only one of
        their `names`, and they themselves from the people picked, which are kept under the memories `picked`.
        """
        struck = 0
        if run is not None:
            struck += self._delete(client, run)
        if person is None:
            return struck
        for entry in self.all(client):
            rest = tuple(without_answers(entry.answers, person, names, picked))
            if entry.person == person:
                struck += self._delete(client, entry.run)
            elif rest != entry.answers:
                self.put(client, replace(entry, answers=rest))
                struck += 1
        return struck

    def all(self, client: str) -> list[Entry]:
        """Every entry of a client, in the order of their runs."""
        return list(self.each(client))

    def each(self, client: str) -> Iterator[Entry]:
        """The same, read one at a time within the transaction: for whoever must not keep others waiting."""
        for (body,) in self._driver.each(_all, {"client_": client}):
            yield self._opened(client, body)

    def latest(self, client: str, dialogue: str, most: int) -> list[Entry]:
        """Up to `most` latest entries of one dialogue, in the order of their runs: the latest is the last."""
        kind = self._vault.fingerprint(client, _KIND, dialogue)
        newest_first = (
            select(entries.c.body)
            .where(entries.c.client == client, entries.c.kind == kind)
            .order_by(entries.c.run.desc())
            .limit(most)
        )
        return [self._opened(client, body) for body in self._connection.scalars(newest_first)][::-1]

    def _delete(self, client: str, run: int) -> int:
        return self._connection.execute(
            delete(entries).where(entries.c.client == client, entries.c.run == run)
        ).rowcount

    def _opened(self, client: str, body: bytes) -> Entry:
        try:
            return read_entry(self._vault.decrypt(client, _COLUMN, body))
        except (DecryptionError, Malformed):
            raise Unreadable(client) from None
