"""A table of clips: a CSV file with the columns path and label and, if need be, split, group, start and end."""

from __future__ import annotations

import csv
import io
import math
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdbench.datasets.layouts import lists
from vdbench.datasets.layouts.places import composed
from vdbench.datasets.layouts.rows import PARTS, Row
from vdbench.datasets.source import Source
from vdbench.errors import DataError
from vdbench.storage import documents
from vdbench.storage.text import harmless

if TYPE_CHECKING:
    from vdbench.datasets.layouts.index import Segment
    from vdbench.datasets.layouts.rows import Part
    from vdbench.datasets.spec import DatasetSpec

TABLE = ("table", "check its path, and that it is text in UTF-8")
COLUMNS = ("path", "label", "split", "group", "start", "end")
_NEEDED = ("path", "label")

Cells = Mapping[str, str]
"""The cells of a line by our names of columns; an empty one is left out."""


def rows(spec: DatasetSpec, root: Path) -> list[Row]:
    """Read the CSV file that the declaration names; paths in it count from the folder of videos."""
    source = spec.source or Source()
    if source.table is None:
        raise DataError(f"{spec.name} names no table; add the line 'table: clips.csv' to source in its file")
    return listed(Path(source.table), root, source.columns)


def listed(table: Path, root: Path, columns: Mapping[str, str]) -> list[Row]:
    """The clips of a CSV file, or of a JSON Lines file with the same names.

    Args:
        table: the file; its columns may be separated by commas, semicolons or tabs.
        root: what paths in it count from.
        columns: its names of columns, where they are not ours.

    Raises:
        DataError: it cannot be read, lacks a column, or has lines that are wrong; the first of these is named.
    """
    if unknown := sorted(set(columns) - set(COLUMNS)):
        raise DataError(f"there is no column '{unknown[0]}' to name; there are: {', '.join(COLUMNS)}")
    lines = _json_lines(table) if table.suffix == ".jsonl" else _csv_lines(table)
    good, faults = [], []
    for line, where in _named(table, lines, columns):
        try:
            good.append(_row(line, where, root))
        except DataError as error:
            faults.append(str(error))
    if faults:
        others = len(faults) - 1
        more = f"; {others} more {'line is' if others == 1 else 'lines are'} wrong" if others else ""
        raise DataError(f"{faults[0]}{more}; correct them, or delete them" if more else f"{faults[0]}; correct it")
    return good


def _named(
    table: Path, lines: Iterator[tuple[dict[str, Any], str]], columns: Mapping[str, str]
) -> Iterator[tuple[Cells, str]]:
    """Each line by our names of columns."""
    theirs = {name: columns.get(name, name).strip() for name in COLUMNS}
    checked = False
    for line, where in lines:
        cells = {str(key).strip(): value for key, value in line.items()}
        for name in () if checked else (*_NEEDED, *columns):
            if theirs[name] not in cells:
                raise DataError(
                    f"{table} has no column '{theirs[name]}', but {', '.join(cells)}; rename one, or say which it is "
                    f"with --column {name}=NAME"
                )
        checked = True
        texts = {name: "" if cells.get(key) is None else str(cells[key]).strip() for name, key in theirs.items()}
        if any(texts.values()):
            yield {name: text for name, text in texts.items() if text}, where


def _csv_lines(table: Path) -> Iterator[tuple[dict[str, Any], str]]:
    text = lists.read_text(table, TABLE)
    head = text.splitlines()[0] if text.strip() else ""
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    try:
        for row in reader:
            where = f"{table}, line {reader.line_num},"
            if None in row:
                raise DataError(f"{where} has more cells than the first line; put quotes around a cell with commas")
            yield row, where
    except csv.Error as error:
        raise DataError(f"{table}, line {reader.line_num + 1}, is no csv ({error}); correct it") from error


def _json_lines(table: Path) -> Iterator[tuple[dict[str, Any], str]]:
    for text, where in lists.lines(table, TABLE):
        try:
            value = documents.parse(text)
        except ValueError as error:
            raise DataError(f"{where} is no JSON ({error}); correct it") from error
        if not isinstance(value, dict):
            raise DataError(f"{where} is no JSON object; correct it")
        yield value, where


def _row(line: Cells, where: str, root: Path) -> Row:
    for name in _NEEDED:
        if name not in line:
            raise DataError(f"{where} has no {name}")
    label = harmless(composed(line["label"]))
    return Row(
        _file(line["path"], root, where),
        label,
        where,
        _part(line, where),
        line.get("group"),
        _segment(line, where),
    )


def _file(named: str, root: Path, where: str) -> Path:
    """The path as it is on disk: a table's characters are composed, and macOS may have decomposed those of the file."""
    try:
        path = root / Path(named).expanduser()
        other = Path(unicodedata.normalize("NFD", str(path)))
        return path if path.exists() or not other.exists() else other
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(f"{where} has path '{harmless(named[:80])}', which leads nowhere ({why})") from error


def _part(line: Cells, where: str) -> Part | None:
    if "split" not in line:
        return None
    part = PARTS.get(line["split"].casefold())
    if part is None:
        raise DataError(f"{where} has split '{line['split']}', which is none of train, test and val")
    return part


def _segment(line: Cells, where: str) -> Segment | None:
    if "start" not in line and "end" not in line:
        return None
    start = _seconds(line.get("start", "0"), "start", where)
    end = _seconds(line["end"], "end", where) if "end" in line else None
    if end is not None and end <= start:
        raise DataError(f"{where} ends at {end:g} seconds, not after its start at {start:g}")
    return start, end


def _seconds(text: str, name: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise DataError(f"{where} has {name} '{text}', which is no number of seconds")
    return value
