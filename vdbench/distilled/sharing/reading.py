"""Exported sets as distilled sets again."""

from __future__ import annotations

import csv
import hashlib
import io
import tarfile
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import ValidationError

from vdbench.clips.frames import parse_frames
from vdbench.distilled.distilled_set import DistilledRecord, DistilledSet
from vdbench.distilled.sharing.layouts import METADATA, RECORD, ROOTS
from vdbench.distilled.sharing.writing import FORMAT
from vdbench.errors import DataError, UsageError
from vdbench.storage import documents
from vdbench.storage.validation import faults_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_UNREADABLE = (
    *(ValueError, LookupError, TypeError, AttributeError, OverflowError, RuntimeError),
    *(UsageError, csv.Error, tarfile.TarError),
)
"""What files that are not as they were written lead to."""
Sample = tuple[list[bytes], int, list[float] | None]
"""The files of a clip, its label, and the probabilities of soft labels."""


def is_export(path: Path) -> bool:
    """Whether a path is a folder that ``vdbench export`` wrote."""
    return (path / RECORD).is_file()


def open_set(path: Path) -> DistilledSet:
    """A distilled set of vdbench, as a run stored it or as it was exported.

    Raises:
        DataError: it is missing, malformed or damaged.
    """
    return read_export(path) if is_export(path) else DistilledSet.load(path)


def read_export(folder: Path) -> DistilledSet:
    """Read an exported set: its clips as 8-bit pixels, its labels, and all that its record says.

    From PNG these are the pixels that were exported, from H.264 nearly so.

    Raises:
        DataError: a file is missing or damaged, or a later version wrote it.
    """
    try:
        described = documents.parse(documents.content_of(folder / RECORD))
        if described["format"] != FORMAT:
            raise DataError(f"{folder / RECORD} is of format {described['format']}, not {FORMAT}; use a later vdbench")
        record, frames = DistilledRecord.model_validate(described["set"]), parse_frames(described["frames"])
        sums: dict[str, str] = described["sha256"]
        archived = described["layout"] == "webdataset"
        samples = _of_archives(folder, sums) if archived else _of_folders(folder, ROOTS[described["layout"]], sums)
        clips, labels, shares = [], [], []
        for row, (contents, label, probabilities) in enumerate(samples):
            try:
                clips.append(frames.decode(contents))
            except DataError as error:
                raise DataError(f"clip {row} of {folder} cannot be used: {error}; export the set again") from error
            labels.append(label)
            shares.append(probabilities)
        soft = record.labels == "soft"
        targets = torch.tensor(shares, dtype=torch.float32) if soft else torch.tensor(labels, dtype=torch.int64)
        record = record.model_copy(update={"form": "clips", "codec": None, "clip_shape": None})
        return DistilledSet({"clips": torch.from_numpy(np.stack(clips)), "targets": targets}, record)
    except ValidationError as error:
        raise DataError(f"{folder} is no exported set that can be read: {faults_in(error, RECORD)}") from error
    except _UNREADABLE as error:
        raise DataError(f"{folder} is no exported set that can be read: {error!r}; export it again") from error


def _content(folder: Path, file: str, sums: dict[str, str]) -> bytes:
    """A file of the export, if it is the one that was written."""
    try:
        content = (folder / file).read_bytes() if (folder / file).is_file() else None
    except OSError as error:
        why = f"{file[:80]} ({error.strerror})"
        raise DataError(f"{folder} is no exported set that can be read: {why}; export it again") from error
    if content is None:
        raise DataError(f"{folder / file} is missing; export the set again")
    if hashlib.sha256(content).hexdigest() != sums[file]:
        raise DataError(f"{folder / file} is not the file that was exported: its SHA-256 differs; export the set again")
    return content


def _of_folders(folder: Path, root: str, sums: dict[str, str]) -> Iterator[Sample]:
    table = _content(folder, root + METADATA, sums).decode()
    clips: dict[int, list[dict[str, str]]] = defaultdict(list)
    for row in csv.DictReader(io.StringIO(table, newline="")):
        clips[int(row["clip"])].append(row)
    for number in sorted(clips):
        rows = sorted(clips[number], key=lambda row: int(row.get("frame", 0)))
        shares = documents.parse(rows[0]["probabilities"]) if "probabilities" in rows[0] else None
        yield [_content(folder, root + row["file_name"], sums) for row in rows], int(rows[0]["label"]), shares


def _of_archives(folder: Path, sums: dict[str, str]) -> Iterator[Sample]:
    for name in sorted(sums):
        samples: dict[str, dict[str, bytes]] = defaultdict(dict)
        with tarfile.open(fileobj=io.BytesIO(_content(folder, name, sums))) as archive:
            for member in archive.getmembers():
                file, (key, _, ending) = archive.extractfile(member), member.name.partition(".")
                samples[key][ending] = file.read() if file else b""
        for key in sorted(samples):
            parts = samples[key]
            told: dict[str, Any] = documents.parse(parts.pop("json"))
            parts.pop("cls")
            yield [parts[ending] for ending in sorted(parts)], int(told["label"]), told.get("probabilities")
