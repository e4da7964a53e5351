"""Stores progress, entries, inbox and outbox as encrypted rows. The only package that uses SQLAlchemy."""

from storage.errors import DecryptionError, Stale, StoreRefused, Unreadable
from storage.repositories.chats import Chat, Chats
from storage.repositories.clients import Clients
from storage.repositories.entries import Entries
from storage.repositories.erasure_notices import ErasureNotice, ErasureNotices
from storage.repositories.inbox import FailedEvent, Inbox
from storage.repositories.outbox import Outbox, OutboxMessage, Sent
from storage.store import Store, UnitOfWork

__all__ = [
    "Chat",
    "Chats",
    "Clients",
    "DecryptionError",
    "Entries",
    "ErasureNotice",
    "ErasureNotices",
    "FailedEvent",
    "Inbox",
    "Outbox",
    "OutboxMessage",
    "Sent",
    "Stale",
    "Store",
    "StoreRefused",
    "UnitOfWork",
    "Unreadable",
]
