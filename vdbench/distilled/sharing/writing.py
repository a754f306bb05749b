"""Writing a distilled set for code that does not have vdbench. Equal sets give equal bytes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import tarfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vdbench.distilled.sharing.layouts import CARD, METADATA, RECORD, ROOTS, class_folder, key, place, shard
from vdbench.errors import UsageError
from vdbench.storage import files

if TYPE_CHECKING:
    from pathlib import Path

    from vdbench.clips.frames import Frames
    from vdbench.distilled.distilled_set import DistilledSet
    from vdbench.distilled.sharing.layouts import Layout

FORMAT = 1
"""Of ``vdbench.json``; raised when earlier versions cannot read it."""


@dataclass(frozen=True)
class Sample:
    """One clip with its label.

    Attributes:
        row: its place in the set.
        label: its most likely class.
        name: of that class.
        probabilities: of all classes, where labels are soft.
        parts: its files, as :meth:`vdbench.clips.frames.Frames.encode` gives them.
    """

    row: int
    label: int
    name: str
    probabilities: list[float] | None
    parts: list[tuple[str, bytes]]


def write(distilled: DistilledSet, folder: Path, layout: Layout, frames: Frames, card: Callable[[int], str]) -> None:
    """Write a set; the folder appears whole or not at all.

    Args:
        distilled: the set. Clips that are no 8-bit pixels are rounded to them, and of a form that composes other clips
            in every epoch those of :meth:`DistilledSet.pixels` are taken.
        folder: must not exist, or be empty.
        layout: ``folder``, a folder per class; ``hf``, the same below ``train/``, as the builders of the library
            datasets want it; or ``webdataset``, archives of samples.
        frames: how clips are written.
        card: the text of ``README.md``, from the bytes that the files of all clips take.

    Raises:
        UsageError: there is something in the folder, or the frames are too small for a movie.
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"there is something in {folder} already; name a new folder with --out")
    draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    draft.mkdir(parents=True)
    try:
        samples = _samples(distilled, frames)
        if layout == "webdataset":
            sums = _write_archives(samples, draft, len(distilled))
        else:
            sums = _write_folders(samples, draft, ROOTS[layout], distilled)
        record = distilled.record.model_dump(mode="json")
        described = {"format": FORMAT, "layout": layout, "frames": str(frames), "set": record, "sha256": sums}
        files.write_json(draft / RECORD, described)
        files.write_text(draft / CARD, card(sum((draft / name).stat().st_size for name in sums)))
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _samples(distilled: DistilledSet, frames: Frames) -> Iterator[Sample]:
    soft = distilled.record.labels == "soft"
    for row, (clip, label) in enumerate(zip(distilled.pixels().numpy(), distilled.labels().tolist(), strict=True)):
        shares = distilled.tensors["targets"][row].tolist() if soft else None
        yield Sample(row, label, distilled.classes[label], shares, frames.encode(clip))


def _write_folders(samples: Iterator[Sample], base: Path, root: str, distilled: DistilledSet) -> dict[str, str]:
    """Class folders, and one row of ``metadata.csv`` per file."""
    sums, table, rows = {}, io.StringIO(), None
    for sample in samples:
        inside = class_folder(sample.label, sample.name, len(distilled.classes))
        for number, (ending, content) in enumerate(sample.parts):
            file = place(inside, key(sample.row, len(distilled)), ending)
            (base / root / file).parent.mkdir(parents=True, exist_ok=True)
            (base / root / file).write_bytes(content)
            sums[root + file] = hashlib.sha256(content).hexdigest()
            row: dict[str, Any] = {"file_name": file, "clip": sample.row}
            row |= {"frame": number} if len(sample.parts) > 1 or "." in ending else {}
            row |= {"label": sample.label, "class": sample.name}
            row |= {} if sample.probabilities is None else {"probabilities": json.dumps(sample.probabilities)}
            if rows is None:
                rows = csv.DictWriter(table, list(row), lineterminator="\n")
                rows.writeheader()
            rows.writerow(row)
    files.write_text(base / root / METADATA, table.getvalue())
    sums[root + METADATA] = files.file_sha256(base / root / METADATA)
    return sums


def _write_archives(samples: Iterator[Sample], base: Path, count: int) -> dict[str, str]:
    """Archives of samples: the files of a clip, its class's number ``cls``, and ``json`` with the rest."""
    sums: dict[str, str] = {}
    archive: tarfile.TarFile | None = None
    for sample in samples:
        name = shard(sample.row)
        if archive is None or name not in sums:
            if archive is not None:
                archive.close()
            archive = tarfile.open(base / name, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115  (closed below)
            sums[name] = ""
        told: dict[str, Any] = {"label": sample.label, "class": sample.name}
        told |= {} if sample.probabilities is None else {"probabilities": sample.probabilities}
        extra = [("cls", str(sample.label).encode()), ("json", json.dumps(told, ensure_ascii=False).encode())]
        for ending, content in (*sample.parts, *extra):
            member = tarfile.TarInfo(f"{key(sample.row, count)}.{ending}")
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    if archive is not None:
        archive.close()
    return {name: files.file_sha256(base / name) for name in sums}
