"""What can go wrong with the store, by name; and which errors are the store's own, with a sentence for each."""

from __future__ import annotations

import errno
import os
import sqlite3
from enum import StrEnum
from pathlib import Path

from sqlalchemy import exc

FULL_BELOW = 64 * 1024
"""Bytes. Less free space than that, and SQLite can't open its own files any more, without saying why."""


class Trouble(StrEnum):
    """What is wrong with the database or its disk."""

    FULL = "full"
    READ_ONLY = "read_only"
    NO_PERMISSION = "no_permission"
    LOCKED = "locked"
    CORRUPT = "corrupt"
    OTHER = "other"


class DatabaseFault(Exception):
    """The database or its disk gave up: no client's fault, and it may work a moment later.

    The message is a sentence for the operator: what is wrong, where, and what to do.
    """

    def __init__(self, trouble: Trouble, sentence: str) -> None:
        super().__init__(sentence)
        self.trouble = trouble


class StoreRefused(DatabaseFault):
    """The store can't be opened or changed; the message is a sentence that says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(Trouble.OTHER, sentence)


class DecryptionError(Exception):
    """A sealed value does not open: altered, cut, under another key, or moved from another client or column."""


class Unreadable(Exception):
    """One client's row can't be opened or parsed. That client's fault alone: all others go on."""

    def __init__(self, client: str) -> None:
        super().__init__(client)
        self.client = client


class Stale(Exception):
    """The chat was kept by somebody else since it was read; read it again."""


def is_of_the_store(error: BaseException) -> bool:
    """Whether the store failed, and not what was to be written: the same work may succeed a moment later.

    A value that the database can't hold (a constraint, a number beyond 64 bits) is not the store's failure.
    """
    if isinstance(error, exc.IntegrityError | exc.DataError | exc.ProgrammingError | exc.NotSupportedError):
        return False
    if isinstance(
        error, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.ProgrammingError | sqlite3.NotSupportedError
    ):
        return False
    failures = DatabaseFault | OSError | sqlite3.Error | exc.DBAPIError | exc.TimeoutError | exc.PendingRollbackError
    return isinstance(error, failures)


def database_fault(error: BaseException, folder: Path) -> DatabaseFault:
    """The fault of the store in `folder` that `error` tells of. Names what came first where one led to another."""
    first = _first_named(error)
    if first is not None:
        return first
    trouble = _trouble(error, folder)
    return DatabaseFault(trouble, _sentence(trouble, error, folder))


def _first_named(error: BaseException) -> DatabaseFault | None:
    """The earliest fault behind `error` that says what is wrong, or `error` itself if it is a fault.

    On a full disk SQLite undoes the whole transaction, and what is asked of it afterwards fails for another reason.
    """
    found = error if isinstance(error, DatabaseFault) else None
    behind = error.__context__
    while behind is not None:
        if isinstance(behind, DatabaseFault) and behind.trouble is not Trouble.OTHER:
            found = behind
        behind = behind.__context__
    return found


def _trouble(error: BaseException, folder: Path) -> Trouble:
    if isinstance(error, exc.DBAPIError) and error.orig is not None:
        error = error.orig
    if isinstance(error, OSError):
        return _OF_ERRNO.get(error.errno or 0, Trouble.OTHER)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
        return _of_the_disk(folder) or _OF_SQLITE.get(code, Trouble.OTHER)
    return _OF_SQLITE.get(code, Trouble.OTHER)


def _of_the_disk(folder: Path) -> Trouble | None:
    """Why a file in `folder` can't be opened or written, where SQLite does not tell; None if it can't be seen."""
    try:
        disk = os.statvfs(folder)
    except (OSError, AttributeError):  # no such call on Windows
        return None
    if disk.f_flag & os.ST_RDONLY:
        return Trouble.READ_ONLY
    if disk.f_bavail * disk.f_frsize < FULL_BELOW:
        return Trouble.FULL
    files = [path for path in folder.glob("*.sqlite*") if path.is_file()]
    may_write = all(os.access(path, os.R_OK | os.W_OK, effective_ids=_BY_EFFECTIVE_ID) for path in [folder, *files])
    return None if may_write else Trouble.NO_PERMISSION


def _sentence(trouble: Trouble, error: BaseException, folder: Path) -> str:
    match trouble:
        case Trouble.FULL:
            return f"The disk is full: nothing more can be written to {folder}. Make room there."
        case Trouble.READ_ONLY:
            return (
                f"The disk is read-only: nothing can be written to {folder}. "
                "Mount it for writing, or set DATA_DIR to a folder on another disk."
            )
        case Trouble.NO_PERMISSION:
            return (
                f"Permission denied: this user may not read and write {folder}. "
                "Give the folder and the files in it to the user that runs the bot."
            )
        case Trouble.LOCKED:
            return (
                f"The database is locked: another program has been writing to {folder} for too long. "
                "End that program, or wait until it is done."
            )
        case Trouble.CORRUPT:
            what = _in_brief(error)
            return f"The files in {folder} can't be read as a database: {what}. Put their newest backup back."
        case Trouble.OTHER:
            return f"The files in {folder} can't be read or written: {_in_brief(error)}."


def _in_brief(error: BaseException) -> str:
    """The words of the system or of SQLite; of another database only the kind of error, which shows no value."""
    if isinstance(error, exc.DBAPIError) and error.orig is not None:
        error = error.orig
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error) if isinstance(error, sqlite3.Error) else type(error).__name__


_OF_ERRNO = {
    errno.ENOSPC: Trouble.FULL,
    errno.EDQUOT: Trouble.FULL,
    errno.EROFS: Trouble.READ_ONLY,
    errno.EACCES: Trouble.NO_PERMISSION,
    errno.EPERM: Trouble.NO_PERMISSION,
}
_OF_SQLITE = {
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_BUSY: Trouble.LOCKED,
    sqlite3.SQLITE_LOCKED: Trouble.LOCKED,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_PERM: Trouble.NO_PERMISSION,
    sqlite3.SQLITE_AUTH: Trouble.NO_PERMISSION,
    sqlite3.SQLITE_CORRUPT: Trouble.CORRUPT,
    sqlite3.SQLITE_NOTADB: Trouble.CORRUPT,
}
_BY_EFFECTIVE_ID = os.access in os.supports_effective_ids
