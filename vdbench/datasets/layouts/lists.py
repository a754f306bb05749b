"""The text of official split files, and what is said of a line that cannot be read."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import TYPE_CHECKING

from vdbench.datasets.layouts.places import composed
from vdbench.errors import DataError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator
    from pathlib import Path


def read_text(path: Path) -> str:
    """The text of a split file, in composed characters (NFC), without the byte-order mark of an editor on Windows.

    Raises:
        DataError: the file is missing, may not be read, or is no text in UTF-8 or marked UTF-16.
    """
    try:
        content = path.read_bytes()
        marked = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
        return composed(content.decode("utf-16" if marked else "utf-8-sig"))
    except FileNotFoundError:
        raise DataError(f"the split file {path} is missing; restore the official split files") from None
    except OSError as error:
        raise DataError(f"the split file {path} cannot be read ({error.strerror}); make it readable") from error
    except UnicodeDecodeError as error:
        raise DataError(f"the split file {path} is no text; restore the official split files") from error


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """The lines of a split file that are not blank, each with the ``file, line n,`` that an error would name.

    Raises:
        DataError: the file is missing or no UTF-8 text.
    """
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            yield line, f"{path}, line {number},"


def match(pattern: re.Pattern[str], line: str, where: str, form: str) -> re.Match[str]:
    """Match a whole line of a split file.

    Raises:
        DataError: the line is malformed; the sentence names its file, its number and the right form.
    """
    found = pattern.fullmatch(line.strip())
    if found is None:
        raise DataError(f"{where} is {line.strip()!r} where '{form}' was expected; restore the official split files")
    return found
