"""The outbox: messages that wait to be sent, and which messages were sent in the last 48 hours.

In one chat, safety messages are sent first, then the others in the order in which they were put here. Of several
chats, the one whose first message is the most urgent comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Integer, bindparam, case, delete, func, insert, select, update

from state_machine.model.outgoing import Deletion, Edit, ExportFile, Message, Outgoing, Priority, TapAnswer
from storage.database import Statement, decode_json, encode_json, insert_or_update, mapping_as_dict, to_micros
from storage.errors import DecryptionError, Malformed
from storage.session import Session
from storage.tables import chats, holds, is_waiting, outbox

RETENTION = timedelta(hours=48)
"""How long the rows of sent messages are kept: Telegram lets a bot delete its messages for so long."""
LONGEST_HOLD = timedelta(minutes=5)
"""A hold that ends later than this from now is ignored: it was set while the clock was fast."""
BODY = "outbox.body"
"""The column for which message bodies are encrypted."""
_SAME = "outbox.same"

_earlier = outbox.alias("earlier")
_first_of_chat = (
    select(_earlier.c.id)
    .where(_earlier.c.client == outbox.c.client, is_waiting(_earlier))
    .order_by(_earlier.c.priority, _earlier.c.id)
    .limit(1)
    .scalar_subquery()
)
_columns = (outbox.c.id, outbox.c.client, outbox.c.priority, outbox.c.body, chats.c.address)
_joined = outbox.join(chats, chats.c.client == outbox.c.client)
_ready = Statement(
    select(*_columns)
    .select_from(_joined)
    .where(
        is_waiting(outbox),
        chats.c.channel == bindparam("channel"),
        chats.c.blocked_at.is_(None),
        chats.c.held_until.is_(None)
        | (chats.c.held_until <= bindparam("now"))
        | (chats.c.held_until > bindparam("longest")),
        ~select(holds.c.name)
        .where(holds.c.name == bindparam("channel"))
        .where(holds.c.until > bindparam("now"), holds.c.until <= bindparam("longest"))
        .exists(),
        outbox.c.id == _first_of_chat,
    )
    .order_by(outbox.c.priority, outbox.c.id)
    .limit(bindparam("most", type_=Integer))
)
_waiting_for = (
    select(*_columns)
    .select_from(_joined)
    .where(outbox.c.client == bindparam("client"), is_waiting(outbox), chats.c.blocked_at.is_(None))
    .order_by(outbox.c.priority, outbox.c.id)
)
_next_for = Statement(_waiting_for.limit(1))
_all_for = Statement(_waiting_for)
_is_message = (outbox.c.id == bindparam("id_"), outbox.c.client == bindparam("client_"))
_mark_sent = Statement(
    update(outbox).where(*_is_message).values(body=None, sent_at=bindparam("now_"), message_id=bindparam("message_"))
)
_question_id = select(outbox.c.message_id).where(*_is_message, outbox.c.asks).scalar_subquery()
_update_chat = Statement(
    update(chats)
    .where(chats.c.client == bindparam("client_"))
    .values(
        last_message_id=case(
            (func.coalesce(chats.c.last_message_id, 0) < bindparam("message_"), bindparam("message_")),
            else_=chats.c.last_message_id,
        ),
        question_id=func.coalesce(_question_id, chats.c.question_id),
    )
)
_end_hold = Statement(
    update(chats)
    .where(chats.c.client == bindparam("client_"), chats.c.held_until.is_not(None))
    .values(held_until=None)
)
_put = Statement(insert(outbox), "client", "priority", "body", "asks", "created_at", "replaceable", "same", "run")
# The first message of a chat may be in transit, so it is never deleted.
_waiting_behind = (
    outbox.c.client == bindparam("client_"),
    is_waiting(outbox),
    outbox.c.id
    != select(_earlier.c.id)
    .where(_earlier.c.client == bindparam("client_"), is_waiting(_earlier))
    .order_by(_earlier.c.priority, _earlier.c.id)
    .limit(1)
    .scalar_subquery(),
)
_delete_same = Statement(delete(outbox).where(*_waiting_behind, outbox.c.same == bindparam("same_")))
_delete_less_urgent = Statement(
    delete(outbox).where(*_waiting_behind, outbox.c.replaceable, outbox.c.priority > bindparam("priority_"))
)
_delete_run = Statement(delete(outbox).where(*_waiting_behind, outbox.c.run == bindparam("run_")))
_run_before = (
    outbox.c.client == bindparam("client_"),
    outbox.c.run == bindparam("run_"),
    outbox.c.id < bindparam("before_"),
)
_delete_run_before = Statement(delete(outbox).where(*_run_before, is_waiting(outbox)))
_ids_of_run = Statement(
    select(outbox.c.message_id).where(*_run_before, outbox.c.message_id.is_not(None)).order_by(outbox.c.id)
)
_put_received = Statement(insert(outbox), "client", "priority", "sent_at", "message_id", "asks", "replaceable", "run")
_runs = Statement(
    select(outbox.c.run).where(outbox.c.client == bindparam("client_"), outbox.c.run.is_not(None)).distinct()
)
_delete_dead_letters = Statement(
    delete(outbox).where(
        outbox.c.client == bindparam("client_"), outbox.c.run == bindparam("run_"), outbox.c.dead_letter.is_not(None)
    )
)
_more_urgent = Statement(
    select(outbox.c.id)
    .where(outbox.c.client == bindparam("client_"), is_waiting(outbox), outbox.c.priority < bindparam("priority_"))
    .limit(1)
)
_hold = Statement(update(chats).where(chats.c.client == bindparam("client_")).values(held_until=bindparam("until_")))
_waiting_of = Statement(
    select(func.count()).select_from(outbox).where(outbox.c.client == bindparam("client"), is_waiting(outbox))
)
_expired = select(outbox.c.id).where(outbox.c.sent_at < bindparam("before")).limit(bindparam("most", type_=Integer))
_delete_expired = Statement(delete(outbox).where(outbox.c.id.in_(_expired)))


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of the outbox that the messenger accepted at `at`.

    `message` is its number in the outbox, `message_id` the id the messenger gave it, None where it gave none.
    """

    client: str
    message: int
    message_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message that waits to be sent. `id` is its number in the outbox."""

    id: int
    client: str
    address: str
    priority: Priority
    content: Outgoing


class Outbox:
    """The outbox, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection
        self._driver = session.driver
        self._vault = session.vault

    def put(
        self,
        client: str,
        priority: Priority,
        messages: Sequence[Outgoing],
        now: datetime,
        *,
        others_wait: bool = True,
    ) -> None:
        """Add messages to a client, in this order.

        A hold of this client ends, unless these are reminders: it was set for the retry of another message.
        With `others_wait`, some messages that wait for the client, but not the first one, are deleted: those with
        the same text, those that edit the same message, those of a run whose messages are deleted, and, if these are
        safety messages, every less urgent text.
        """
        if not messages:
            return
        if priority is not Priority.REMINDER:
            self._driver.execute(_end_hold, {"client_": client})
        rows = [self._row(client, priority, message, now) for message in messages]
        if others_wait:
            if priority is Priority.SAFETY:
                self._driver.execute(_delete_less_urgent, {"client_": client, "priority_": priority.value})
            same = {row["same"] for row in rows if row["same"] is not None}
            self._driver.execute_many(_delete_same, [{"client_": client, "same_": key} for key in same])
            runs = [message.run for message in messages if isinstance(message, Deletion) and message.run is not None]
            self._driver.execute_many(_delete_run, [{"client_": client, "run_": run} for run in runs])
        self._driver.execute_many(_put, rows)

    def record_received(self, client: str, run: int, message_id: int, now: datetime) -> None:
        """Record a message that the client sent and that is to be deleted from the chat with those of `run`."""
        row = {"client": client, "priority": Priority.ANSWER.value, "sent_at": to_micros(now), "run": run}
        self._driver.execute_many(
            _put_received, [{**row, "message_id": message_id, "asks": False, "replaceable": False}]
        )

    def take_ids_of_run(self, client: str, run: int, before: int) -> tuple[int, ...]:
        """The ids of the messages in the chat that belong to `run`, from rows with a number below `before`.

        Messages of the run that still wait are deleted from the outbox.
        """
        values = {"client_": client, "run_": run, "before_": before}
        self._driver.execute(_delete_run_before, values)
        return tuple(dict.fromkeys(message_id for (message_id,) in self._driver.fetch_all(_ids_of_run, values)))

    def runs(self, client: str) -> set[int]:
        """The runs whose messages are to be deleted from the chat and that have rows here."""
        return {run for (run,) in self._driver.fetch_all(_runs, {"client_": client})}

    def delete_dead_letters(self, client: str, run: int) -> None:
        """Delete the dead letters of a run whose messages are deleted from the chat, so that none is sent later."""
        self._driver.execute(_delete_dead_letters, {"client_": client, "run_": run})

    def ready(self, channel: str, now: datetime, most: int) -> list[OutboxMessage]:
        """The first message of up to `most` chats of a channel, the most urgent first.

        Chats that are held or blocked are left out. A message that can't be decrypted becomes a dead letter.
        """
        values = {
            "channel": channel,
            "now": to_micros(now),
            "longest": to_micros(now + LONGEST_HOLD),
            "most": most,
        }
        while True:
            rows = self._driver.fetch_all(_ready, values)
            found = [message for row in rows if (message := self._read(row)) is not None]
            if len(found) == len(rows):
                return found

    def next_for(self, client: str) -> OutboxMessage | None:
        """The message to be sent next to a client, whether the chat is held or not; None if none waits."""
        while (row := self._driver.fetch_one(_next_for, {"client": client})) is not None:
            message = self._read(row)
            if message is not None:
                return message
        return None

    def all_for(self, client: str) -> list[OutboxMessage]:
        """Every message that waits for a client, in the order in which they will be sent."""
        rows = self._driver.fetch_all(_all_for, {"client": client})
        return [message for row in rows if (message := self._read(row)) is not None]

    def mark_sent(self, sent: Sent) -> None:
        """Mark a message as sent and delete its body. Does nothing if the client was erased meanwhile."""
        values = {"client_": sent.client, "id_": sent.message, "message_": sent.message_id}
        self._driver.execute(_mark_sent, {**values, "now_": to_micros(sent.at)})
        if sent.message_id is not None:
            self._driver.execute(_update_chat, values)

    def hold(self, message: OutboxMessage, until: datetime) -> bool:
        """Send nothing to the client of a message before `until`, which is at most five minutes from now.

        Returns False, without a hold, if a more urgent message waits for the client.
        """
        values = {"client_": message.client, "priority_": message.priority.value}
        if self._driver.fetch_one(_more_urgent, values) is not None:
            return False
        self._driver.execute(_hold, {"client_": message.client, "until_": to_micros(until)})
        return True

    def hold_channel(self, channel: str, until: datetime) -> None:
        """Send nothing on a channel before `until`, which is at most five minutes from now."""
        self._connection.execute(
            insert_or_update(self._connection.dialect.name, holds, "until"),
            {"name": channel, "until": to_micros(until)},
        )

    def reject(self, message: OutboxMessage, reason: str) -> OutboxMessage | None:
        """Make a message that can never be sent a dead letter. Returns the next message to the same client.

        `reason` is the name of an exception; raises ValueError if it is not a name.
        """
        self._reject(message.id, reason)
        return self.next_for(message.client)

    def count_waiting(self, client: str) -> int:
        """How many messages wait for a client."""
        row = self._driver.fetch_one(_waiting_of, {"client": client})
        return 0 if row is None else int(row[0])

    def message_ids(self, client: str, since: datetime) -> list[int]:
        """The ids of the messages sent to a client since then, the oldest first."""
        found = select(outbox.c.message_id).where(
            outbox.c.client == client, outbox.c.sent_at >= to_micros(since), outbox.c.message_id.is_not(None)
        )
        return [message for message in self._connection.scalars(found.order_by(outbox.c.id)) if message is not None]

    def delete_expired(self, now: datetime, most: int = 1000) -> int:
        """Delete up to `most` rows sent more than 48 hours ago. Returns how many were deleted."""
        return self._driver.execute(_delete_expired, {"before": to_micros(now - RETENTION), "most": most})

    def _row(self, client: str, priority: Priority, message: Outgoing, now: datetime) -> dict[str, Any]:
        key, is_question = None, False
        if isinstance(message, Edit):
            key = f"edit {message.message_id}"
        elif isinstance(message, Message):
            key, is_question = message.text, message.asks is not None
        return {
            "client": client,
            "priority": priority.value,
            "body": self._vault.encrypt(client, BODY, write_message(message)),
            "asks": is_question,
            "created_at": to_micros(now),
            "replaceable": isinstance(message, Message),
            "run": message.run if isinstance(message, Message) else None,
            "same": None if key is None else self._vault.keyed_hash(client, _SAME, key),
        }

    def _read(self, row: Iterable[Any]) -> OutboxMessage | None:
        number, client, priority, body, address = row
        try:
            return OutboxMessage(
                number,
                client,
                self._vault.decrypt(client, "chats.address", address).decode(),
                Priority(priority),
                read_message(self._vault.decrypt(client, BODY, body)),
            )
        except (DecryptionError, Malformed, UnicodeDecodeError) as fault:
            self._reject(number, type(fault).__name__)
            return None

    def _reject(self, number: int, reason: str) -> None:
        if not reason.isidentifier():
            raise ValueError("the reason of a dead letter must be the name of an exception")
        self._connection.execute(update(outbox).where(outbox.c.id == number).values(dead_letter=reason[:80]))
        # The client has not seen this question, so that no message is taken as its answer.
        lost = select(outbox.c.client).where(outbox.c.id == number, outbox.c.asks)
        self._connection.execute(update(chats).where(chats.c.client.in_(lost)).values(question_id=None))


# --- messages as JSON ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _TypeOnly:
    type: str


_type_decoder = msgspec.json.Decoder(_TypeOnly)
_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    cls.__name__: msgspec.json.Decoder(cls) for cls in (Message, Edit, TapAnswer, Deletion, ExportFile)
}


def write_message(message: Outgoing) -> bytes:
    """A message as JSON bytes, with the name of its class: `{"type": "Edit", ...}`."""
    fields: dict[str, Any] = msgspec.to_builtins(message, enc_hook=mapping_as_dict)
    return encode_json({"type": type(message).__name__, **fields})


def read_message(data: bytes) -> Outgoing:
    """A message from JSON bytes. Raises Malformed, also for an unknown class."""
    name: str = decode_json(_type_decoder, data).type
    if name not in _decoders:
        raise Malformed
    message: Outgoing = decode_json(_decoders[name], data)
    return message
