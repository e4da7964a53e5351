"""The facts of one client. Those used last stand in the progress, the others in rows of their own, read by name.

A turn asks for a handful of facts, mostly the same ones. So a turn costs the same whether a client has told us
thirty things or a thousand.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select

from state_machine.model.progress import Fact, Facts
from storage.codec import Malformed, read_fact, write_fact
from storage.errors import DecryptionError, Unreadable
from storage.statements import Statement
from storage.tables import facts
from storage.upsert import insert_or_update

if TYPE_CHECKING:
    from storage.unit_of_work import UnitOfWork

MOST_AT_HAND = 64
"""Facts that stand in the progress at most."""
LETTERS_AT_HAND = 4000
"""Characters of their values at most, all together."""

_COLUMN = "facts.body"
_MEMORY = "facts.memory"
_of_client = facts.c.client == bindparam("client_")
_one = Statement(select(facts.c.body).where(_of_client, facts.c.memory == bindparam("memory_")))
_all = Statement(select(facts.c.body).where(_of_client))
_put = Statement(lambda dialect: insert_or_update(dialect, facts, "body"), "client", "memory", "body")
_remove = Statement(delete(facts).where(_of_client, facts.c.memory == bindparam("memory_")))
_remove_all = Statement(delete(facts).where(_of_client))


class FactRows:
    """The rows of facts, within one transaction. Raises Unreadable where one can't be opened or parsed."""

    def __init__(self, work: UnitOfWork) -> None:
        self._driver = work.driver
        self._vault = work.vault

    def get(self, client: str, memory: str) -> Fact | None:
        """The fact that stands under this memory, if there is one."""
        row = self._driver.first(_one, {"client_": client, "memory_": self._hashed(client, memory)})
        if row is None:
            return None
        name, fact = self._read(client, row[0])
        if name != memory:
            raise Unreadable(client)
        return fact

    def all(self, client: str) -> dict[str, Fact]:
        """Every fact that stands in a row."""
        return dict(self._read(client, body) for (body,) in self._driver.all(_all, {"client_": client}))

    def put(self, client: str, kept: Mapping[str, Fact]) -> None:
        """Keep these, in place of earlier ones."""
        self._driver.run_each(
            _put,
            [
                {
                    "client": client,
                    "memory": self._hashed(client, memory),
                    "body": self._vault.encrypt(client, _COLUMN, write_fact(memory, fact)),
                }
                for memory, fact in kept.items()
            ],
        )

    def remove(self, client: str, memories: Iterable[str]) -> None:
        """Delete these, where they stand in a row."""
        self._driver.run_each(
            _remove, [{"client_": client, "memory_": self._hashed(client, memory)} for memory in memories]
        )

    def remove_all(self, client: str) -> None:
        """Delete every row of a client."""
        self._driver.run(_remove_all, {"client_": client})

    def _hashed(self, client: str, memory: str) -> bytes:
        return self._vault.fingerprint(client, _MEMORY, memory)

    def _read(self, client: str, body: bytes) -> tuple[str, Fact]:
        try:
            return read_fact(self._vault.decrypt(client, _COLUMN, body))
        except (DecryptionError, Malformed):
            raise Unreadable(client) from None


class KeptFacts(Mapping[str, Fact]):
    """The facts of a client as they stand in the store. What stands in rows is read when it is asked for.

    `at_hand`: those that stand in the progress, the one used last at the end. `apart`: whether any stand in rows;
    then reading works within the transaction only, and raises TransactionOver after it.
    """

    __slots__ = ("_client", "_rows", "_whole", "apart", "at_hand", "read", "used")

    def __init__(self, client: str, at_hand: Mapping[str, Fact], apart: bool, rows: FactRows) -> None:
        self.at_hand = at_hand
        self.apart = apart
        self.used: dict[str, None] = {}
        """Memories that were asked for and found."""
        self.read: dict[str, Fact | None] = {}
        """What was looked up in the rows; None where there is no row."""
        self._whole: Mapping[str, Fact] | None = None
        self._client = client
        self._rows = rows

    def get(self, memory: str, default: Any = None) -> Any:
        """The fact of this memory, or `default`."""
        fact = self.at_hand.get(memory)
        if fact is None and self.apart:
            if memory not in self.read:
                self.read[memory] = self._rows.get(self._client, memory)
            fact = self.read[memory]
        if fact is None:
            return default
        self.used[memory] = None
        return fact

    def items(self) -> ItemsView[str, Fact]:
        """All of them, read from the rows in one go. None of them counts as used."""
        return self._everything().items()

    def __getitem__(self, memory: str) -> Fact:
        fact: Fact | None = self.get(memory)
        if fact is None:
            raise KeyError(memory)
        return fact

    def __contains__(self, memory: object) -> bool:
        return isinstance(memory, str) and self.get(memory) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._everything())

    def __len__(self) -> int:
        return len(self._everything())

    def __repr__(self) -> str:
        return f"<the facts of client {self._client}>"

    def _everything(self) -> Mapping[str, Fact]:
        if not self.apart:
            return self.at_hand
        if self._whole is None:
            self._whole = {**self._rows.all(self._client), **self.at_hand}
        return self._whole


def kept(rows: FactRows, client: str, before: Mapping[str, Fact], after: Mapping[str, Fact]) -> KeptFacts:
    """Bring the rows of a client from `before`, as the chat was read, to `after`. What is kept now.

    Where `after` came of `before` by changes, only those are written; of anything else, everything.
    """
    origin, changes = (after.before, after.changes) if isinstance(after, Facts) else (after, {})
    in_rows: Mapping[str, Fact | None] = {}
    if isinstance(origin, KeptFacts) and origin is before:
        apart, at_hand, in_rows = origin.apart, _latest_last(origin, changes), origin.read
        if not apart and not _too_many(at_hand):
            return KeptFacts(client, dict(after.items()), False, rows)  # in the order in which they were told
        if apart:
            rows.remove(client, changes)
    else:
        apart, at_hand = False, dict(after.items())
        if not isinstance(before, KeptFacts) or before.apart:
            rows.remove_all(client)
    too_many = _too_many(at_hand)
    for memory in too_many:
        del at_hand[memory]
    rows.put(client, {memory: fact for memory, fact in too_many.items() if in_rows.get(memory) is not fact})
    return KeptFacts(client, at_hand, apart or bool(too_many), rows)


def _latest_last(origin: KeptFacts, changes: Mapping[str, Fact | None]) -> dict[str, Fact]:
    """The facts at hand after a turn: what was not asked for, what was, what was changed."""
    used = origin.used
    at_hand = {m: fact for m, fact in origin.at_hand.items() if m not in used and m not in changes}
    for memory in used:
        fact = origin.at_hand.get(memory) or origin.read.get(memory)
        if fact is not None and memory not in changes:
            at_hand[memory] = fact
    at_hand.update((memory, fact) for memory, fact in changes.items() if fact is not None)
    return at_hand


def _too_many(at_hand: Mapping[str, Fact]) -> dict[str, Fact]:
    """Those that have no room at hand: the ones longest unused."""
    number, letters = len(at_hand), sum(len(fact.value) for fact in at_hand.values())
    found: dict[str, Fact] = {}
    for memory, fact in at_hand.items():
        if number <= MOST_AT_HAND and letters <= LETTERS_AT_HAND:
            break
        found[memory] = fact
        number -= 1
        letters -= len(fact.value)
    return found
