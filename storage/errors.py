"""Errors of the store, and how failures of the database or its disk are recognised and described."""

from __future__ import annotations

import errno
import os
import sqlite3
from enum import StrEnum
from pathlib import Path

from sqlalchemy import exc

FULL_BELOW = 64 * 1024
"""Bytes. With less free space than this, SQLite can't open its own files, and does not say why."""


class FaultKind(StrEnum):
    """What is wrong with the database or its disk."""

    FULL = "full"
    READ_ONLY = "read_only"
    NO_PERMISSION = "no_permission"
    LOCKED = "locked"
    CORRUPT = "corrupt"
    OTHER = "other"


class DatabaseFault(Exception):
    """The database or its disk failed. No client caused it, and the same work may succeed a moment later.

    The message is a sentence for the operator: what is wrong, where, and what to do.
    """

    def __init__(self, kind: FaultKind, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class StoreRefused(DatabaseFault):
    """The store can't be opened or changed. The message is a sentence for the operator: why, and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(FaultKind.OTHER, sentence)


class DecryptionError(Exception):
    """A value can't be decrypted: altered, cut, under another key, or moved from another client or column."""


class Malformed(ValueError):
    """The bytes are not the JSON that was expected. The error has no message, since one could quote them."""


class Unreadable(Exception):
    """A row of one client can't be decrypted or parsed. Other clients are not affected."""

    def __init__(self, client: str) -> None:
        super().__init__(client)
        self.client = client


class Stale(Exception):
    """The chat was saved by another transaction since it was read, and must be read again."""


def is_store_failure(error: BaseException) -> bool:
    """Whether the database or its disk failed, so that the same work may succeed a moment later.

    False where the value itself can't be stored (a constraint, a number beyond 64 bits).
    """
    if isinstance(error, exc.IntegrityError | exc.DataError | exc.ProgrammingError | exc.NotSupportedError):
        return False
    if isinstance(
        error, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.ProgrammingError | sqlite3.NotSupportedError
    ):
        return False
    failures = DatabaseFault | OSError | sqlite3.Error | exc.DBAPIError | exc.TimeoutError | exc.PendingRollbackError
    return isinstance(error, failures)


def to_database_fault(error: BaseException, folder: Path) -> DatabaseFault:
    """The fault of the store in `folder` that `error` reports; the first one where one error led to another."""
    first = _first_known(error)
    if first is not None:
        return first
    kind = _kind(error, folder)
    return DatabaseFault(kind, _sentence(kind, error, folder))


def _first_known(error: BaseException) -> DatabaseFault | None:
    """The earliest fault of a known kind that led to `error`; else `error` itself if it is a fault, or None.

    On a full disk SQLite rolls back the whole transaction, and statements after that fail for another reason.
    """
    found = error if isinstance(error, DatabaseFault) else None
    cause = error.__context__
    while cause is not None:
        if isinstance(cause, DatabaseFault) and cause.kind is not FaultKind.OTHER:
            found = cause
        cause = cause.__context__
    return found


def _kind(error: BaseException, folder: Path) -> FaultKind:
    if isinstance(error, exc.DBAPIError) and error.orig is not None:
        error = error.orig
    if isinstance(error, OSError):
        return _KIND_OF_ERRNO.get(error.errno or 0, FaultKind.OTHER)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
        return _disk_fault(folder) or _KIND_OF_SQLITE_CODE.get(code, FaultKind.OTHER)
    return _KIND_OF_SQLITE_CODE.get(code, FaultKind.OTHER)


def _disk_fault(folder: Path) -> FaultKind | None:
    """Why a file in `folder` can't be opened or written, where SQLite does not say; None if the reason is unknown."""
    try:
        disk = os.statvfs(folder)
    except (OSError, AttributeError):  # no such call on Windows
        return None
    if disk.f_flag & os.ST_RDONLY:
        return FaultKind.READ_ONLY
    if disk.f_bavail * disk.f_frsize < FULL_BELOW:
        return FaultKind.FULL
    files = [path for path in folder.glob("*.sqlite*") if path.is_file()]
    may_write = all(os.access(path, os.R_OK | os.W_OK, effective_ids=_BY_EFFECTIVE_ID) for path in [folder, *files])
    return None if may_write else FaultKind.NO_PERMISSION


def _sentence(kind: FaultKind, error: BaseException, folder: Path) -> str:
    match kind:
        case FaultKind.FULL:
            return f"The disk is full: nothing more can be written to {folder}. Make room there."
        case FaultKind.READ_ONLY:
            return (
                f"The disk is read-only: nothing can be written to {folder}. "
                "Mount it for writing, or set DATA_DIR to a folder on another disk."
            )
        case FaultKind.NO_PERMISSION:
            return (
                f"Permission denied: this user may not read and write {folder}. "
                "Give the folder and the files in it to the user that runs the bot."
            )
        case FaultKind.LOCKED:
            return (
                f"The database is locked: another program has been writing to {folder} for too long. "
                "End that program, or wait until it is done."
            )
        case FaultKind.CORRUPT:
            reason = _reason(error)
            return f"The files in {folder} can't be read as a database: {reason}. Put their newest backup back."
        case FaultKind.OTHER:
            return f"The files in {folder} can't be read or written: {_reason(error)}."


def _reason(error: BaseException) -> str:
    """The message of the system or of SQLite; for another database only the error's class, which shows no value."""
    if isinstance(error, exc.DBAPIError) and error.orig is not None:
        error = error.orig
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error) if isinstance(error, sqlite3.Error) else type(error).__name__


_KIND_OF_ERRNO = {
    errno.ENOSPC: FaultKind.FULL,
    errno.EDQUOT: FaultKind.FULL,
    errno.EROFS: FaultKind.READ_ONLY,
    errno.EACCES: FaultKind.NO_PERMISSION,
    errno.EPERM: FaultKind.NO_PERMISSION,
}
_KIND_OF_SQLITE_CODE = {
    sqlite3.SQLITE_FULL: FaultKind.FULL,
    sqlite3.SQLITE_BUSY: FaultKind.LOCKED,
    sqlite3.SQLITE_LOCKED: FaultKind.LOCKED,
    sqlite3.SQLITE_READONLY: FaultKind.READ_ONLY,
    sqlite3.SQLITE_PERM: FaultKind.NO_PERMISSION,
    sqlite3.SQLITE_AUTH: FaultKind.NO_PERMISSION,
    sqlite3.SQLITE_CORRUPT: FaultKind.CORRUPT,
    sqlite3.SQLITE_NOTADB: FaultKind.CORRUPT,
}
_BY_EFFECTIVE_ID = os.access in os.supports_effective_ids
