"""Progress, entries, inbox and outbox as sealed rows, and back. Only this package knows SQLAlchemy."""

from storage.clients import Chat, Clients
from storage.entries import Entries
from storage.errors import InvalidSealing, Stale, StoreRefused, Unreadable
from storage.inbox import Inbox, Parked
from storage.outbox import Burst, Outbox, Parcel
from storage.partings import Parting, Partings
from storage.store import Store
from storage.work import Work

__all__ = [
    "Burst",
    "Chat",
    "Clients",
    "Entries",
    "Inbox",
    "InvalidSealing",
    "Outbox",
    "Parcel",
    "Parked",
    "Parting",
    "Partings",
    "Stale",
    "Store",
    "StoreRefused",
    "Unreadable",
    "Work",
]
