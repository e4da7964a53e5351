"""Progress, entries, inbox and outbox as sealed rows, and back. Only this package knows SQLAlchemy."""

from storage.errors import DecryptionError, Stale, StoreRefused, Unreadable
from storage.repositories.clients import Chat, Clients
from storage.repositories.entries import Entries
from storage.repositories.erasure_notices import Parting, Partings
from storage.repositories.inbox import FailedEvent, Inbox
from storage.repositories.outbox import Burst, Outbox, Parcel
from storage.store import Store
from storage.unit_of_work import UnitOfWork

__all__ = [
    "Burst",
    "Chat",
    "Clients",
    "DecryptionError",
    "Entries",
    "FailedEvent",
    "Inbox",
    "Outbox",
    "Parcel",
    "Parting",
    "Partings",
    "Stale",
    "Store",
    "StoreRefused",
    "UnitOfWork",
    "Unreadable",
]
