"""A real disk that is too small: a file system in memory, mounted for a test, that can be filled and freed again."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

KILOBYTE = 1024


class SmallDisk:
    """A mounted file system of sixteen megabytes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._ballast = root / "ballast"

    def leaves(self, kilobytes: int) -> None:
        """Fill it so that so much is free."""
        self.frees()
        disk = os.statvfs(self.root)
        self._ballast.write_bytes(b"x" * (disk.f_bavail * disk.f_frsize - kilobytes * KILOBYTE))

    def frees(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)

    def is_read_only(self) -> None:
        """Nothing may be open on it for writing."""
        _mount("-o", "remount,ro", str(self.root))


@contextmanager
def small_disk(root: Path) -> Iterator[SmallDisk]:
    """Mount one at `root`, which is made. Skips the test where that is not allowed."""
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    root.mkdir()
    try:
        _mount("-t", "tmpfs", "-o", "size=16m,mode=755", "tmpfs", str(root))
    except subprocess.CalledProcessError:
        root.rmdir()
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        yield SmallDisk(root)
    finally:
        subprocess.run(["umount", "--lazy", str(root)], check=True)


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)
