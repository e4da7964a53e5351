"""Chats: found by address, and read and saved at every turn with the client's progress and facts.

The facts used last are stored with the progress, the others in rows of their own, read by name. A turn asks for a
handful of facts, mostly the same ones, so it costs the same whether a client has told thirty things or a thousand.
"""

from __future__ import annotations

import secrets
from collections.abc import ItemsView, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, insert, select, update

from state_machine.model.progress import Fact, Facts, Progress
from storage.database import Statement, decode_json, encode_json, from_micros, to_micros
from storage.errors import DecryptionError, Malformed, Stale, Unreadable
from storage.repositories.erasure_notices import ErasureNotices
from storage.repositories.facts import FactRows
from storage.session import Session
from storage.tables import channel_of, chats, is_waiting, outbox

MAX_RECENT = 64
"""How many facts are stored with the progress at most."""
MAX_RECENT_CHARACTERS = 4000
"""How many characters the values of these facts have at most, all together."""

_waiting = (
    select(func.count())
    .select_from(outbox)
    .where(outbox.c.client == chats.c.client, is_waiting(outbox))
    .scalar_subquery()
)
waiting_questions = (
    select(func.count())
    .select_from(outbox)
    .where(outbox.c.client == chats.c.client, is_waiting(outbox), outbox.c.asks)
    .scalar_subquery()
)
"""How many questions to a chat's client wait in the outbox."""
_get = Statement(
    select(
        chats.c.client,
        chats.c.address,
        chats.c.progress,
        chats.c.version,
        chats.c.last_message_id,
        chats.c.blocked_at,
        _waiting.label("waiting"),
        chats.c.question_id,
        waiting_questions.label("asking"),
        chats.c.wake_at,
        chats.c.facts_apart,
    ).where(chats.c.client == bindparam("client"))
)
_save = Statement(
    update(chats)
    .where(chats.c.client == bindparam("client_"), chats.c.version == bindparam("version_"))
    .values(
        progress=bindparam("progress_"),
        wake_at=bindparam("wake_at_"),
        facts_apart=bindparam("facts_apart_"),
        version=chats.c.version + 1,
    )
)
_decoder = msgspec.json.Decoder(Progress)


@dataclass(frozen=True, slots=True)
class Chat:
    """One client's chat as it was when it was read.

    `last_message_id` is the greatest message id sent so far; `waiting` how many messages are still to be sent,
    `asking` how many of them are questions; `question_id` is the message that ends the question sent last, None
    if none was sent, or if a later one became a dead letter; `wake_at` is when the client's next wake-up is due.
    """

    client: str
    address: str
    progress: Progress
    version: int
    last_message_id: int | None
    blocked: bool
    waiting: int
    question_id: int | None = None
    asking: int = 0
    wake_at: datetime | None = None


class Chats:
    """Chats, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._driver = session.driver
        self._vault = session.vault
        self._facts = FactRows(session)

    def find(self, address: str) -> Chat | None:
        """The chat at an address, if there is one. Raises Unreadable if its row can't be decrypted or parsed."""
        client = self._vault.find_client(address)
        chat = None if client is None else self.get(client)
        if client is not None and chat is None:
            # Another process has erased the client that was cached for this address, and may have added a new one.
            client = self._vault.find_client(address, use_cache=False)
            chat = None if client is None else self.get(client)
        return chat

    def get(self, client: str) -> Chat | None:
        """The chat of a client, if there is one. Raises Unreadable if its row can't be decrypted or parsed."""
        row = self._driver.fetch_one(_get, {"client": client})
        return None if row is None else self._chat(row)

    def create(self, address: str, now: datetime) -> Chat:
        """A new client at an address that has none. The client's key is durable before the row is."""
        client = self._vault.find_client(address, use_cache=False)
        if client is not None and ErasureNotices(self._session).exists_for(client):
            # An erasure was interrupted: the new client must not get the erased one's key and id.
            self._session.finish_erasure(client)
            client = None
        if client is None:
            client = secrets.token_hex(16)
            self._vault.create_key(client, address)
        progress = Progress(facts=StoredFacts(client, {}, False, self._facts))
        self._session.connection.execute(
            insert(chats),
            {
                "client": client,
                "address": self._vault.encrypt(client, "chats.address", address.encode()),
                "progress": self._vault.encrypt(client, "chats.progress", write_progress(Progress())),
                "version": 1,
                "created_on": now.date(),
                "channel": channel_of(address),
            },
        )
        vault = self._vault
        self._session.after_commit(lambda: vault.confirm(client))
        return Chat(client, address, progress, 1, None, False, 0)

    def save(self, chat: Chat, progress: Progress, wake_at: datetime | None) -> Chat:
        """Save a client's progress, and when the next wake-up is due. Returns the chat as saved.

        Raises Stale if another transaction saved it since it was read.
        """
        facts = _save_facts(self._facts, chat.client, chat.progress.facts, progress.facts)
        stored = write_progress(replace(progress, facts=facts.recent))
        changed = self._driver.execute(
            _save,
            {
                "client_": chat.client,
                "version_": chat.version,
                "progress_": self._vault.encrypt(chat.client, "chats.progress", stored),
                "wake_at_": None if wake_at is None else to_micros(wake_at),
                "facts_apart_": facts.has_rows,
            },
        )
        if changed != 1:
            raise Stale
        return replace(chat, progress=replace(progress, facts=facts), version=chat.version + 1, wake_at=wake_at)

    def _chat(self, row: tuple[Any, ...]) -> Chat:
        client, address, stored, version, last_message_id, blocked_at, *rest = row
        waiting, question_id, asking, wake_at, has_rows = rest
        try:
            progress = read_progress(self._vault.decrypt(client, "chats.progress", stored))
            facts = StoredFacts(client, progress.facts, bool(has_rows), self._facts)
            return Chat(
                client,
                self._vault.decrypt(client, "chats.address", address).decode(),
                replace(progress, facts=facts),
                version,
                last_message_id,
                blocked_at is not None,
                waiting,
                question_id,
                asking,
                None if wake_at is None else from_micros(wake_at),
            )
        except (DecryptionError, Malformed, UnicodeDecodeError):
            raise Unreadable(client) from None


def write_progress(progress: Progress) -> bytes:
    """Progress as JSON bytes."""
    return encode_json(progress)


def read_progress(data: bytes) -> Progress:
    """Progress from JSON bytes. Raises Malformed."""
    progress: Progress = decode_json(_decoder, data)
    return progress


class StoredFacts(Mapping[str, Fact]):
    """The facts of a client as stored. Those in rows of their own are read when they are asked for.

    `recent`: the facts stored with the progress, the one used last at the end. `has_rows`: whether there are others;
    then facts can be read within the transaction only, and TransactionEnded is raised after it.
    """

    __slots__ = ("_all", "_client", "_rows", "has_rows", "looked_up", "recent", "used")

    def __init__(self, client: str, recent: Mapping[str, Fact], has_rows: bool, rows: FactRows) -> None:
        self.recent = recent
        self.has_rows = has_rows
        self.used: dict[str, None] = {}
        """Memories that were asked for and found, in this order."""
        self.looked_up: dict[str, Fact | None] = {}
        """What was looked up in the rows, by memory; None where there is no row."""
        self._all: Mapping[str, Fact] | None = None
        self._client = client
        self._rows = rows

    def get(self, memory: str, default: Any = None) -> Any:
        """The fact with this memory, or `default`."""
        fact = self.recent.get(memory)
        if fact is None and self.has_rows:
            if memory not in self.looked_up:
                self.looked_up[memory] = self._rows.get(self._client, memory)
            fact = self.looked_up[memory]
        if fact is None:
            return default
        self.used[memory] = None
        return fact

    def items(self) -> ItemsView[str, Fact]:
        """All facts, read from the rows with one statement. None of them counts as used."""
        return self._read_all().items()

    def __getitem__(self, memory: str) -> Fact:
        fact: Fact | None = self.get(memory)
        if fact is None:
            raise KeyError(memory)
        return fact

    def __contains__(self, memory: object) -> bool:
        return isinstance(memory, str) and self.get(memory) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._read_all())

    def __len__(self) -> int:
        return len(self._read_all())

    def __repr__(self) -> str:
        return f"<the facts of client {self._client}>"

    def _read_all(self) -> Mapping[str, Fact]:
        if not self.has_rows:
            return self.recent
        if self._all is None:
            self._all = {**self._rows.all(self._client), **self.recent}
        return self._all


def _save_facts(rows: FactRows, client: str, before: Mapping[str, Fact], after: Mapping[str, Fact]) -> StoredFacts:
    """Change a client's rows from `before`, as the chat was read, to `after`. Returns the facts as stored then.

    If `after` was made from `before` by changes, only these are written; otherwise everything is.
    """
    origin, changes = (after.before, after.changes) if isinstance(after, Facts) else (after, {})
    in_rows: Mapping[str, Fact | None] = {}
    if isinstance(origin, StoredFacts) and origin is before:
        has_rows, recent, in_rows = origin.has_rows, _by_last_use(origin, changes), origin.looked_up
        if not has_rows and not _overflow(recent):
            return StoredFacts(client, dict(after.items()), False, rows)  # in the order in which they were told
        if has_rows:
            rows.delete(client, changes)
    else:
        has_rows, recent = False, dict(after.items())
        if not isinstance(before, StoredFacts) or before.has_rows:
            rows.delete_all(client)
    overflow = _overflow(recent)
    for memory in overflow:
        del recent[memory]
    rows.put(client, {memory: fact for memory, fact in overflow.items() if in_rows.get(memory) is not fact})
    return StoredFacts(client, recent, has_rows or bool(overflow), rows)


def _by_last_use(origin: StoredFacts, changes: Mapping[str, Fact | None]) -> dict[str, Fact]:
    """The recent facts after a turn: first those not asked for, then those asked for, then those changed."""
    used = origin.used
    recent = {memory: fact for memory, fact in origin.recent.items() if memory not in used and memory not in changes}
    for memory in used:
        fact = origin.recent.get(memory) or origin.looked_up.get(memory)
        if fact is not None and memory not in changes:
            recent[memory] = fact
    recent.update((memory, fact) for memory, fact in changes.items() if fact is not None)
    return recent


def _overflow(recent: Mapping[str, Fact]) -> dict[str, Fact]:
    """The facts beyond the limits: those least recently used."""
    number, characters = len(recent), sum(len(fact.value) for fact in recent.values())
    found: dict[str, Fact] = {}
    for memory, fact in recent.items():
        if number <= MAX_RECENT and characters <= MAX_RECENT_CHARACTERS:
            break
        found[memory] = fact
        number -= 1
        characters -= len(fact.value)
    return found
