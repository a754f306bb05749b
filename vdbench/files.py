"""Files that are never half-written, hashes of values and files, and folders that are built once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vdbench.errors import UsageError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path in the folder of ``path``; rename it to ``path`` if the block succeeds.

    A reader sees the old file or the new one, never half of one; a failure leaves what was there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic(path) as draft:
        draft.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a UTF-8 file atomically, with line feeds everywhere."""
    write_bytes(path, content.encode())


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON with sorted keys atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def digest(value: Any, length: int = 16) -> str:
    """Hash a JSON value: the same for equal values, whatever the order of their keys.

    Args:
        value: anything that JSON can hold.
        length: hexadecimal digits to keep of the SHA-256.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def build_once(folder: Path, build: Callable[[Path], None]) -> bool:
    """Make a folder exactly once, whoever comes first; the others wait and find it made.

    Args:
        folder: the finished folder. It exists only when it is whole.
        build: fills the empty folder that it is handed.

    Returns:
        Whether this call built it.
    """
    if folder.is_dir():
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if folder.is_dir():
            return False
        draft = folder.with_name(f".{folder.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)  # of a builder that was killed
        draft.mkdir()
        try:
            build(draft)
            draft.rename(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return True


@contextmanager
def sole_user(home: Path) -> Iterator[None]:
    """Hold a home for this process; the system lets go of it however the process ends.

    Raises:
        UsageError: another run holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / ".run.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(
            f"another vdbench run is using {home}; wait until it ends, or give this one its own --home"
        ) from None
    try:
        yield
    finally:
        lock.release()
