"""Other people's files as distilled sets, so that they are judged as any other."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from vdbench.distilled import RECORD, TENSORS, DistilledRecord, DistilledSet
from vdbench.errors import DataError, UsageError
from vdbench.outside.labels import as_targets, class_by_class, read_labels
from vdbench.outside.scales import as_stored, scale_of
from vdbench.outside.tensors import find_clips, find_labels, read_arrays
from vdbench.outside.videos import classes_of, read_videos, video_files
from vdbench.records import Provenance

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import torch
    from numpy.typing import NDArray

    from vdbench.clipset import ClipSet
    from vdbench.datasets.store import ClipStore

METHOD = "outside"
"""Stands before the file's name where the method of a distilled set is named."""


def is_outside(path: Path) -> bool:
    """Whether a path holds clips that vdbench did not store: a file, or a folder of videos.

    Raises:
        DataError: there is nothing.
    """
    if not path.exists():
        raise DataError(f"there is no file or folder {path}; check the path")
    ours = (path / RECORD).exists() or (path / TENSORS).exists()
    return path.is_file() or (not ours and bool(video_files(path)))


def load_outside(
    path: Path, store: ClipStore, train: ClipSet, pixels: str | None = None, labels: Path | None = None
) -> DistilledSet:
    """Other people's clips as a distilled set on a data set.

    Rows are put in the order of their classes, so that the same clips train alike from every kind of file. Whoever
    made them is not known to have kept to the train split: what encoder and generator saw is ``unknown``.

    Args:
        path: a file of tensors, or a folder of videos.
        store: the data set.
        train: its train clips, which give classes, shape and normalisation.
        pixels: the scale of the values, as :func:`vdbench.outside.scales.parse_scale` takes it; not needed for
            integers and videos.
        labels: a file of labels; without one, those in the file or in the names of videos count, and clips without
            any are taken class by class.

    Raises:
        UsageError: the scale is missing or does not fit.
        DataError: clips or labels are missing, do not fit the data set, or are ambiguous.
    """
    clips: torch.Tensor
    found: NDArray[Any] | None
    if path.is_dir():
        clips, found = _from_videos(path, store, train, pixels, labels)
    else:
        clips, found = _from_tensors(path, train, pixels, labels)
    if found is None:
        found = class_by_class(len(clips), train.classes, str(path))
    return _distilled(path.name, store, train, clips, as_targets(found, train.classes, str(labels or path)))


def _from_tensors(
    path: Path, train: ClipSet, pixels: str | None, labels: Path | None
) -> tuple[torch.Tensor, NDArray[Any] | None]:
    clips, others = find_clips(read_arrays(path), _shape(train), path)
    count, classes, own = len(clips), train.classes, train.normalisation
    found = read_labels(labels, classes, count) if labels else find_labels(others, count, len(classes), path)
    return as_stored(clips, scale_of(clips, pixels, own, str(path)), own), found


def _from_videos(
    folder: Path, store: ClipStore, train: ClipSet, pixels: str | None, labels: Path | None
) -> tuple[torch.Tensor, NDArray[Any]]:
    import torch

    if pixels not in (None, "uint8"):
        raise UsageError(f"--pixels {pixels} has no effect on videos, whose pixels are 0 to 255; leave it out")
    paths = video_files(folder)
    classes = train.classes
    found = read_labels(labels, classes, len(paths)) if labels else classes_of(paths, folder, classes)
    return torch.from_numpy(read_videos(paths, store, _shape(train))), found


def _shape(train: ClipSet) -> tuple[int, int, int]:
    _, frames, height, width, _ = train.clips.shape
    return frames, height, width


def _distilled(name: str, store: ClipStore, train: ClipSet, clips: torch.Tensor, targets: torch.Tensor) -> DistilledSet:
    soft = targets.ndim == 2
    classes = targets.argmax(dim=1) if soft else targets
    order = classes.argsort(stable=True)
    counts = np.bincount(classes.numpy(), minlength=len(train.classes))
    if counts.min() < counts.max():
        warnings.warn(f"{name} has {counts.min()} to {counts.max()} clips per class, not as many of each", stacklevel=3)
    record = DistilledRecord(
        dataset=store.manifest.spec.name,
        train_fingerprint=train.fingerprint,
        classes=train.classes,
        ipc=-(-len(clips) // len(train.classes)),
        labels="soft" if soft else "hard",
        normalisation=train.normalisation,
        method=f"{METHOD}:{name}",
        method_version=1,
        settings={},
        seed=0,
        provenance=Provenance(pool="learned", encoder_saw="unknown", generator_saw="unknown"),
    )
    return DistilledSet({"clips": clips[order].contiguous(), "targets": targets[order].contiguous()}, record)
