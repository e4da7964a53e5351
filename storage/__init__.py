"""Progress, entries, inbox and outbox as sealed rows, and back. Only this package knows SQLAlchemy."""

from storage.errors import DecryptionError, Stale, StoreRefused, Unreadable
from storage.repositories.clients import Chat, Clients
from storage.repositories.entries import Entries
from storage.repositories.erasure_notices import ErasureNotice, ErasureNotices
from storage.repositories.inbox import FailedEvent, Inbox
from storage.repositories.outbox import Outbox, OutboxMessage
from storage.store import Store
from storage.unit_of_work import UnitOfWork

__all__ = [
    "Chat",
    "Clients",
    "DecryptionError",
    "Entries",
    "ErasureNotice",
    "ErasureNotices",
    "FailedEvent",
    "Inbox",
    "Outbox",
    "OutboxMessage",
    "Stale",
    "Store",
    "StoreRefused",
    "UnitOfWork",
    "Unreadable",
]
