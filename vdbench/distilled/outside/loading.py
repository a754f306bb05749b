"""Other people's files as distilled sets, so that they are judged as any other."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vdbench.distilled.distilled_set import RECORD, TENSORS, DistilledRecord, DistilledSet
from vdbench.distilled.outside.classes import counted_classes, in_order_of, warn_of_order
from vdbench.distilled.outside.clips import find_clips
from vdbench.distilled.outside.labels import as_targets, class_by_class, find_labels, read_labels
from vdbench.distilled.outside.scales import as_stored, parse_scale, scale_of
from vdbench.distilled.outside.static_dynamic import SCALE, as_form, find_parts
from vdbench.distilled.outside.step_size import find_step_size
from vdbench.distilled.outside.tensors import read_arrays, tensor_files
from vdbench.distilled.outside.videos import classes_of, read_videos, video_files
from vdbench.distilled.sharing.reading import is_export
from vdbench.errors import DataError, UsageError
from vdbench.records import Provenance

if TYPE_CHECKING:
    from typing import Any, Literal

    import torch
    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet
    from vdbench.datasets.store import ClipStore

METHOD = "outside"
"""Stands before the file's name where the method of a distilled set is named."""
PICTURES = (".png", ".jpg", ".jpeg")
"""What frames are often kept as, and are not read from."""


@dataclass(frozen=True)
class Reading:
    """What a user says of a file that does not say it, or says it otherwise.

    Attributes:
        pixels: the scale of floats, as :func:`vdbench.distilled.outside.scales.parse_scale` takes it; not needed for
            integers and videos.
        labels: a file of labels; without one, those in the file or in the names of videos count, and clips without any
            are taken class by class.
        clips: the place of the clips in a file that holds more than one set of them.
        lr: the learning rate that students are trained with, ``none`` for that of the protocol; without it, one that
            lies beside the clips.
        classes: the order of classes that class numbers count, as
            :func:`vdbench.distilled.outside.classes.counted_classes` takes it.
    """

    pixels: str | None = None
    labels: Path | None = None
    clips: str | None = None
    lr: str | None = None
    classes: str | None = None


@dataclass(frozen=True)
class _Content:
    """What was read: tensors of a form, in the data set's order of classes, and how they were understood."""

    tensors: dict[str, torch.Tensor]
    understood: dict[str, Any]
    form: Literal["clips", "static-dynamic", "static-dynamic-fixed"] = "clips"
    step_size: float | None = None


def is_outside(path: Path) -> bool:
    """Whether a path holds clips that vdbench did not store: a file, or a folder of videos or of files of tensors.

    Raises:
        DataError: there is nothing, or a folder that holds neither these nor a set of vdbench.
    """
    if not path.exists():
        raise DataError(f"there is no file or folder {path}; check the path")
    ours = (path / RECORD).exists() or (path / TENSORS).exists() or is_export(path)
    if not (ours or path.is_file() or video_files(path) or tensor_files(path)):
        pictures = any(file.suffix.lower() in PICTURES for file in path.rglob("*"))
        cure = "; pictures are not read: make a video of each clip, or one array of all" if pictures else ""
        raise DataError(f"{path} is no distilled set, and holds neither videos nor files of tensors{cure}")
    return not ours


def load_outside(path: Path, store: ClipStore, train: ClipSet, reading: Reading | None = None) -> DistilledSet:
    """Other people's clips as a distilled set on a data set.

    Rows are put in the order of their classes, so that the same clips train alike from every kind of file. Whoever
    made them is not known to have kept to the train split: what encoder and generator saw is ``unknown``. The settings
    of the record say how the file was understood. A warning tells of everything that was taken for granted.

    Args:
        path: a file of tensors, a folder of videos, or a folder of files of tensors that make one set.
        store: the data set.
        train: its train clips, which give classes, shape and normalisation.
        reading: what the user says of the file.

    Raises:
        UsageError: the scale is missing or does not fit, or what was said makes no sense.
        DataError: clips or labels are missing, do not fit the data set, or are ambiguous.
    """
    told = reading or Reading()
    videos = video_files(path) if path.is_dir() else []
    if videos:
        content = _from_videos(path, videos, store, train, told)
    else:
        content = _from_arrays(read_arrays(path), path, train, told)
    return _distilled(path.name, store, train, content)


def from_arrays(
    clips: NDArray[Any], labels: NDArray[Any] | None, store: ClipStore, train: ClipSet, reading: Reading | None = None
) -> DistilledSet:
    """Clips in memory as a distilled set on a data set; see :func:`load_outside`.

    Args:
        clips: ``(N, T, H, W, 3)`` or another order of these axes, integers from 0 to 255 or floats.
        labels: names or numbers of classes, ``(N,)``, or distributions over them, ``(N, classes)``; None where there
            are as many clips of each class, class by class.
        store: the data set.
        train: its train clips, which give classes, shape and normalisation.
        reading: the scale of floats, and the order of classes that numbers count.

    Raises:
        UsageError: the scale is missing or does not fit.
        DataError: clips or labels do not fit the data set.
    """
    arrays = {"clips": clips} | ({} if labels is None else {"labels": labels})
    return _distilled("arrays", store, train, _from_arrays(arrays, Path("arrays"), train, reading or Reading()))


def _from_arrays(arrays: dict[str, NDArray[Any]], path: Path, train: ClipSet, told: Reading) -> _Content:
    counted = counted_classes(told.classes, arrays, train.classes)
    parts = None if told.clips else find_parts(arrays, _shape(train), len(train.classes), path)
    if parts is not None:
        return _static_dynamic(path, arrays, parts, counted, train, told)
    theirs, own = counted or train.classes, train.normalisation
    found = find_clips(arrays, _shape(train), theirs, path, told.clips)
    count = len(found.clips)
    labels, source = found.labels, str(told.labels or path)
    if told.labels is not None:
        labels = read_labels(told.labels, theirs, count)
    elif labels is None:
        labels = find_labels(arrays, found.name, count, theirs, path)
    given = "as numbers or shares" if labels is not None else "class by class"
    if labels is None:
        labels = class_by_class(count, theirs, str(path))
    named = labels.dtype.kind == "U" or (found.labels is not None and not found.name.rpartition(".")[2].isdecimal())
    if counted is None and not named:
        warn_of_order(train.classes, source)
    targets = in_order_of(as_targets(labels, theirs, source), theirs, train.classes)
    clips = as_stored(found.clips, scale_of(found.clips, told.pixels, own, str(path)), own)
    return _Content(
        _in_order(clips, targets),
        {"clips": found.name, "pixels": told.pixels or "uint8", "labels": str(told.labels or given)},
        step_size=find_step_size(arrays, found.name, told.lr, path),
    )


def _static_dynamic(
    path: Path,
    arrays: dict[str, NDArray[Any]],
    parts: dict[str, NDArray[np.float32]],
    counted: tuple[str, ...] | None,
    train: ClipSet,
    told: Reading,
) -> _Content:
    if told.labels is not None and "labels" not in parts:
        raise UsageError("--labels has no effect on images and motions, which are read class by class; leave it out")
    if counted is None:
        warn_of_order(train.classes, str(path))
    if told.pixels is None:
        warnings.warn(
            f"{path} holds images and motions; their clips were taken for scaled by the mean and std of ImageNet, as "
            "the public code does it; --pixels names another scale",
            stacklevel=4,
        )
    theirs, own = counted or train.classes, train.normalisation
    given = "as numbers or shares" if "labels" in parts else "class by class"
    order, targets = [theirs.index(name) for name in train.classes], None
    if "labels" in parts:
        rows = parts["labels"] if told.labels is None else read_labels(told.labels, theirs, len(parts["labels"]))
        targets = in_order_of(as_targets(rows, theirs, str(told.labels or path)), theirs, train.classes)
    return _Content(
        as_form(parts, order, parse_scale(told.pixels or SCALE, own), own, targets),
        {"pixels": told.pixels or SCALE, "labels": str(told.labels or given)},
        "static-dynamic" if targets is None else "static-dynamic-fixed",
        find_step_size(arrays, "", told.lr, path),
    )


def _from_videos(folder: Path, paths: list[Path], store: ClipStore, train: ClipSet, told: Reading) -> _Content:
    import torch

    if told.pixels not in (None, "uint8"):
        raise UsageError(f"--pixels {told.pixels} has no effect on videos, whose pixels are 0 to 255; leave it out")
    if told.clips is not None:
        raise UsageError(f"--clips {told.clips} has no effect on a folder of videos; leave it out")
    theirs = counted_classes(told.classes, {}, train.classes) or train.classes
    if told.labels is None:
        labels = classes_of(paths, folder, theirs)
    else:
        labels = read_labels(told.labels, theirs, len(paths))
    targets = in_order_of(as_targets(labels, theirs, str(told.labels or folder)), theirs, train.classes)
    return _Content(
        _in_order(torch.from_numpy(read_videos(paths, store, _shape(train))), targets),
        {"pixels": "uint8", "labels": str(told.labels or "names of videos and folders")},
        step_size=find_step_size({}, "", told.lr, folder),
    )


def _shape(train: ClipSet) -> tuple[int, int, int]:
    _, frames, height, width, _ = train.clips.shape
    return frames, height, width


def _in_order(clips: torch.Tensor, targets: torch.Tensor) -> dict[str, torch.Tensor]:
    """Rows in the order of their classes."""
    order = _labels(targets).argsort(stable=True)
    return {"clips": clips[order].contiguous(), "targets": targets[order].contiguous()}


def _labels(targets: torch.Tensor) -> torch.Tensor:
    return targets.argmax(dim=1) if targets.ndim == 2 else targets


def _distilled(name: str, store: ClipStore, train: ClipSet, content: _Content) -> DistilledSet:
    targets = content.tensors["targets"]
    counts = np.bincount(_labels(targets).numpy(), minlength=len(train.classes))
    if counts.min() < counts.max():
        warnings.warn(f"{name} has {counts.min()} to {counts.max()} clips per class, not as many of each", stacklevel=3)
    record = DistilledRecord(
        dataset=store.manifest.spec.name,
        train_fingerprint=train.fingerprint,
        classes=train.classes,
        ipc=-(-len(targets) // len(train.classes)),
        labels="soft" if targets.ndim == 2 else "hard",
        normalisation=train.normalisation,
        method=f"{METHOD}:{name}",
        method_version=1,
        settings=content.understood,
        seed=0,
        provenance=Provenance(pool="learned", encoder_saw="unknown", generator_saw="unknown"),
        step_size=content.step_size,
        form=content.form,
    )
    return DistilledSet(content.tensors, record)
