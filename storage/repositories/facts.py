"""The rows of the facts that are not stored with the progress."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import bindparam, delete, select

from state_machine.model.progress import Fact
from storage.database import Statement, decode_json, encode_json, insert_or_update
from storage.errors import DecryptionError, Malformed, Unreadable
from storage.session import Session
from storage.tables import facts

_COLUMN = "facts.body"
_MEMORY = "facts.memory"
_of_client = facts.c.client == bindparam("client_")
_one = Statement(select(facts.c.body).where(_of_client, facts.c.memory == bindparam("memory_")))
_all = Statement(select(facts.c.body).where(_of_client))
_put = Statement(lambda dialect: insert_or_update(dialect, facts, "body"), "client", "memory", "body")
_delete = Statement(delete(facts).where(_of_client, facts.c.memory == bindparam("memory_")))
_delete_all = Statement(delete(facts).where(_of_client))


@dataclass(frozen=True, slots=True)
class _StoredFact:
    memory: str
    fact: Fact


_decoder = msgspec.json.Decoder(_StoredFact)


@dataclass(frozen=True, slots=True)
class FactRows:
    """The rows of facts, within one transaction. Raises Unreadable where one can't be decrypted or parsed."""

    session: Session

    def get(self, client: str, memory: str) -> Fact | None:
        """The fact with this memory, if there is a row of it."""
        row = self.session.driver.fetch_one(_one, {"client_": client, "memory_": self._hash(client, memory)})
        if row is None:
            return None
        name, fact = self._decrypt(client, row[0])
        if name != memory:
            raise Unreadable(client)
        return fact

    def all(self, client: str) -> dict[str, Fact]:
        """Every fact that has a row, by memory."""
        rows = self.session.driver.fetch_all(_all, {"client_": client})
        return dict(self._decrypt(client, body) for (body,) in rows)

    def put(self, client: str, changed: Mapping[str, Fact]) -> None:
        """Store these facts, replacing earlier ones."""
        rows = [
            {
                "client": client,
                "memory": self._hash(client, memory),
                "body": self.session.vault.encrypt(client, _COLUMN, encode_json(_StoredFact(memory, fact))),
            }
            for memory, fact in changed.items()
        ]
        self.session.driver.execute_many(_put, rows)

    def delete(self, client: str, memories: Iterable[str]) -> None:
        """Delete the rows of these memories, where there are any."""
        rows = [{"client_": client, "memory_": self._hash(client, memory)} for memory in memories]
        self.session.driver.execute_many(_delete, rows)

    def delete_all(self, client: str) -> None:
        """Delete every row of a client."""
        self.session.driver.execute(_delete_all, {"client_": client})

    def _hash(self, client: str, memory: str) -> bytes:
        return self.session.vault.keyed_hash(client, _MEMORY, memory)

    def _decrypt(self, client: str, body: bytes) -> tuple[str, Fact]:
        try:
            stored: _StoredFact = decode_json(_decoder, self.session.vault.decrypt(client, _COLUMN, body))
        except (DecryptionError, Malformed):
            raise Unreadable(client) from None
        return stored.memory, stored.fact
