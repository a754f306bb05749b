"""Files that are never half-written, hashes of values and files, and folders that are built once."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from vdbench.errors import DataError, DependencyError, LaterError, UsageError
from vdbench.storage import digests
from vdbench.storage.drafts import draft_of

T = TypeVar("T")

REFUSED = {
    errno.ENOSPC: "free some disk", errno.EDQUOT: "free some disk",
    errno.EACCES: "see to its permissions", errno.EPERM: "see to its permissions",
    errno.EROFS: "make it writable", errno.EFBIG: "mend that", errno.EIO: "mend that",
}  # fmt: skip
"""What a disk can refuse, and the cure."""


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path in the folder of ``path``; rename it to ``path`` if the block succeeds.

    A reader sees the old file or the new one, never half of one; a failure leaves what was there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(path)
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


def whole(folder: Path, look: int | None = None) -> bool:
    """Whether a folder was finished and, as far as it carries digests, holds what was written.

    Args:
        folder: made by :func:`build_once`.
        look: bytes of it that are hashed at most; all of them when left out.

    Raises:
        LaterError: a later version wrote it.
    """
    return folder.is_dir() and digests.fault_in(folder, look) is None


def build_once(folder: Path, build: Callable[[Path], None], look: int | None = None, unsealed: str = "") -> bool:
    """Make a folder exactly once, whoever comes first; the others wait and find it made.

    It carries the digests of its files. One that was damaged since is set aside, named in a warning and made again.

    Args:
        folder: the finished folder. It exists only when it is whole.
        build: fills the empty folder that it is handed.
        look: bytes of a finished folder that are hashed at most; all of them when left out.
        unsealed: a pattern of files that carry no digest, since nothing depends on them.

    Returns:
        Whether this call built it.

    Raises:
        LaterError: a later version wrote it; it was left as it is.
    """
    if whole(folder, look):
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _building(folder):
        if folder.is_dir():
            if (fault := digests.fault_in(folder, look)) is None:
                return False
            set_aside(folder, fault)
        draft = folder.with_name(f".{folder.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)  # of a builder that was killed
        draft.mkdir()
        try:
            build(draft)
            write_json(draft / digests.DIGESTS, digests.describe(draft, without=unsealed))
            draft.rename(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return True


def made_once(
    folder: Path, build: Callable[[Path], None], load: Callable[[Path], T], look: int | None = None, unsealed: str = ""
) -> T:
    """What a folder holds, which is made first if nobody has: :func:`build_once`, and reading it.

    A folder of an earlier version, which carries no digests, is set aside and made again where it cannot be read.

    Args:
        folder: the finished folder.
        build: fills the empty folder that it is handed.
        load: reads the finished one.
        look: as for :func:`build_once`.
        unsealed: as for :func:`build_once`.

    Raises:
        LaterError: a later version wrote it; it was left as it is.
    """
    build_once(folder, build, look, unsealed)
    if digests.sealed(folder):
        return load(folder)
    try:
        return load(folder)
    except (MemoryError, ImportError, UsageError, DependencyError, LaterError):  # which says nothing of the files
        raise
    except Exception as error:
        with _building(folder):
            if folder.is_dir() and not digests.sealed(folder):
                set_aside(folder, f"cannot be read ({type(error).__name__})")
    build_once(folder, build, look, unsealed)
    return load(folder)


def set_aside(path: Path, fault: str) -> None:
    """Move a damaged file or folder out of the way, in place of one that was moved before, and warn of it.

    Args:
        path: what is damaged.
        fault: in which way, completing the sentence "PATH ...".
    """
    aside = path.with_name(f".{path.name}.corrupt")
    shutil.rmtree(aside, ignore_errors=True)
    path.replace(aside)
    warnings.warn(f"{path} {fault}; it was set aside as {aside.name}, and is made again", stacklevel=2)


def _building(folder: Path) -> FileLock:
    return FileLock(folder.with_name(f".{folder.name}.lock"))


@contextmanager
def sole_user(home: Path) -> Iterator[None]:
    """Hold a home for this process; the system lets go of it however the process ends. Its threads take turns.

    Raises:
        UsageError: another run holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / ".run.lock")
    with _TURNS.setdefault(home.resolve(), threading.RLock()):
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


_TURNS: dict[Path, threading.RLock] = {}


@contextmanager
def touching_disk(home: Path) -> Iterator[None]:
    """Say in one sentence what the disk refuses within the block.

    Raises:
        DataError: a file cannot be read or written, as when the disk is full or a home is not ours to write.
    """
    try:
        yield
    except OSError as error:
        raise DataError(f"{refused(error, home)}, or name another folder with --home") from error


def refused(error: OSError, what: object) -> str:
    """What the disk refuses, unless the error names a file ``what``, and the cure; the sentence can go on."""
    cure = REFUSED.get(error.errno or 0, "mend that")
    return f"the disk refuses {error.filename or what} ({error.strerror}); {cure}"
