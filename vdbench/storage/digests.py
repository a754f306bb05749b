"""What finished files hold, hashed in pieces when they are written, so that damage is noticed before it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from vdbench.records import Record
from vdbench.storage import documents

DIGESTS = "digests.json"
"""In a folder: what its files are."""
PIECE = 4 * 2**20
"""Bytes that are hashed together, so that a look at a large file need not read all of it."""
LARGEST_PIECE = 64 * PIECE
"""Bytes of the pieces of somebody else's digests at most, since a piece is held in memory."""
LOOK = 64 * 2**20
"""Bytes that :func:`fault_in` reads of a folder of clips when it is opened."""

T = TypeVar("T")

_Stamps = list[tuple[int, int, int]]
_seen: dict[str, tuple[_Stamps, Any]] = {}
"""What this process looked at, and what it found, with the stamps that the files had then."""


class _FaultError(Exception):
    """What is wrong with a folder; the message completes the sentence "this folder ..."."""


class _File(Record):
    """A file: its bytes, and the SHA-256 of each piece of them."""

    bytes: int
    pieces: tuple[str, ...]


class _Sealed(Record):
    """The content of :data:`DIGESTS`."""

    schema_version: Literal[1] = 1
    piece: Annotated[int, Field(ge=1, le=LARGEST_PIECE)]
    files: dict[str, _File]


def sealed(folder: Path) -> bool:
    """Whether a folder says what its files are; those of earlier versions do not."""
    return (folder / DIGESTS).is_file()


def describe(folder: Path, names: Iterable[str] | None = None, without: str = "") -> dict[str, Any]:
    """What the files of a folder are, as :data:`DIGESTS` holds it.

    Args:
        folder: finished.
        names: of which files; all below the folder when left out.
        without: a pattern of names that are left out, such as pictures that nothing depends on.
    """
    found = sorted(names or (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()))
    kept = [name for name in found if name != DIGESTS and not fnmatch(name, without)]
    files = {name: _File(bytes=(folder / name).stat().st_size, pieces=tuple(_hashes(folder / name))) for name in kept}
    return _Sealed(piece=PIECE, files=files).model_dump(mode="json")


def fault_in(folder: Path, at_most: int | None = None) -> str | None:
    """What is wrong with a folder, completing the sentence "this folder ..."; None where nothing is found.

    Sizes are always compared. Bytes are hashed once per process, and again when a file was touched since.

    Args:
        folder: one without :data:`DIGESTS` has no fault that could be told.
        at_most: bytes to hash, in pieces spread evenly over all files, the first and the last among them; all of them
            when left out.

    Raises:
        LaterError: a later version wrote it.
    """
    try:
        if (content := _read(folder / DIGESTS)) is not None:
            try:
                _compare_sizes(folder, content)
            except OSError as error:  # a name that is too long for any file
                raise _FaultError(f"has a {DIGESTS} that names what cannot be read ({error.strerror})") from error
            paths = [folder / name for name in [DIGESTS, *content.files]]
            kept(f"{at_most} bytes of {folder}", paths, lambda: _compare_bytes(folder, content, at_most))
    except _FaultError as fault:
        return str(fault)
    return None


def _read(path: Path) -> _Sealed | None:
    """The digests; None where there are none."""
    try:
        return documents.load(_Sealed, path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _FaultError(f"has a {path.name} that cannot be read") from error


def _compare_sizes(folder: Path, content: _Sealed) -> None:
    for name, file in content.files.items():
        path = folder / name
        if not path.is_file():
            raise _FaultError(f"lost {name}")
        if path.stat().st_size != file.bytes:
            raise _FaultError(f"holds {path.stat().st_size} bytes of {name}, not {file.bytes}")


def _compare_bytes(folder: Path, content: _Sealed, at_most: int | None) -> None:
    pieces: Sequence[tuple[str, int]] = [
        (name, number) for name, file in content.files.items() for number in range(len(file.pieces))
    ]
    for name, number in pieces if at_most is None else spread(pieces, max(2, at_most // content.piece)):
        if _hash(folder / name, number, content.piece) != content.files[name].pieces[number]:
            raise _FaultError(f"holds other bytes in {name} than were written")


def spread(items: Sequence[T], count: int) -> Sequence[T]:
    """At most so many of some items, evenly spread, the first and the last among them."""
    if count >= len(items):
        return items
    return [items[round(place * (len(items) - 1) / max(count - 1, 1))] for place in range(count)]


def kept(what: str, paths: Iterable[Path], read: Callable[[], T]) -> T:
    """What files hold under a name, read once per process, and again when one of them was touched since.

    Raises:
        FileNotFoundError: one of the files is missing.
    """
    stamps = [(found.st_ino, found.st_size, found.st_mtime_ns) for found in (path.stat() for path in paths)]
    if what not in _seen or _seen[what][0] != stamps:
        _seen[what] = (stamps, read())
    value: T = _seen[what][1]
    return value


def _hashes(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        while block := file.read(PIECE):
            yield hashlib.sha256(block).hexdigest()


def _hash(path: Path, number: int, piece: int) -> str:
    with path.open("rb") as file:
        file.seek(number * piece)
        return hashlib.sha256(file.read(piece)).hexdigest()
