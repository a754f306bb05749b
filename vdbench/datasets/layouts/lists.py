"""The text of official split files, and what is said of a line that cannot be read."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import TYPE_CHECKING, Any

from vdbench.datasets.layouts.places import composed
from vdbench.errors import DataError
from vdbench.storage import documents

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator
    from pathlib import Path


LARGEST = 2**30
"""Bytes of a list of clips that is read: those of millions of clips take less."""
OFFICIAL = ("split file", "restore the official split files")
"""What a list is called, and what helps where it cannot be read."""


def read_text(path: Path, kind: tuple[str, str] = OFFICIAL) -> str:
    """The text of a list of clips, in composed characters (NFC), without the byte-order mark of an editor on Windows.

    Args:
        path: the file.
        kind: what it is called, and what helps where it cannot be read.

    Raises:
        DataError: the file is missing, may not be read, or is no text in UTF-8 or marked UTF-16.
    """
    what, cure = kind
    try:
        content = documents.content_of(path, LARGEST)
        marked = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
        return composed(content.decode("utf-16" if marked else "utf-8-sig"))
    except FileNotFoundError:
        raise DataError(f"the {what} {path} is missing; {cure}") from None
    except OSError as error:
        raise DataError(f"the {what} {path} cannot be read ({error.strerror}); make it readable") from error
    except UnicodeDecodeError as error:
        raise DataError(f"the {what} {path} is no text; {cure}") from error
    except ValueError as error:
        raise DataError(f"the {what} {path} cannot be read: {error}; {cure}") from error


def lines(path: Path, kind: tuple[str, str] = OFFICIAL) -> Iterator[tuple[str, str]]:
    """The lines of a list that are not blank, each with the ``file, line n,`` that an error would name.

    Raises:
        DataError: the file is missing or no UTF-8 text.
    """
    for number, line in enumerate(read_text(path, kind).splitlines(), 1):
        if line.strip():
            yield line, f"{path}, line {number},"


def json_of(path: Path, kind: type) -> Any:
    """The list or dictionary of an official JSON file.

    Raises:
        DataError: the file is missing, no JSON, or holds something else.
    """
    try:
        value = documents.parse(read_text(path))
    except ValueError as error:
        raise DataError(f"{path} is no JSON that can be read ({error}); restore the official file") from error
    if not isinstance(value, kind):
        raise DataError(f"{path} holds no JSON {kind.__name__}; restore the official file")
    return value


def match(pattern: re.Pattern[str], line: str, where: str, form: str) -> re.Match[str]:
    """Match a whole line of a split file.

    Raises:
        DataError: the line is malformed; the sentence names its file, its number and the right form.
    """
    found = pattern.fullmatch(line.strip())
    if found is None:
        raise DataError(f"{where} is {line.strip()!r} where '{form}' was expected; restore the official split files")
    return found
