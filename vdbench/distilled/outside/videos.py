"""A folder of videos as clips of a suite's shape."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import numpy as np

from vdbench.datasets.geometry import Geometry, evenly
from vdbench.datasets.readers import ReadError, read_frames
from vdbench.datasets.readings import shrunk
from vdbench.distilled.outside.classes import position
from vdbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from vdbench.datasets.store import ClipStore

SUFFIXES = (".mp4", ".mkv", ".avi", ".webm", ".mov", ".m4v")
READER: str = "pyav"
"""Reads whatever a player shows; decord would leave some of that to it."""


def video_files(folder: Path) -> list[Path]:
    """The videos in a folder and in the folders within it, numbers in their names in the order of their values."""
    if not folder.is_dir():
        return []
    found = [path for pattern in ("*", "*/*") for path in folder.glob(pattern) if path.suffix.lower() in SUFFIXES]
    return sorted((path for path in found if not path.name.startswith(".")), key=_natural)


def classes_of(paths: Sequence[Path], folder: Path, classes: Sequence[str]) -> NDArray[np.int64]:
    """The classes of a folder's videos, int64 ``(N,)``: of the folder that each lies in, or of its own name.

    ``Archery/anything.mp4``, where a folder may also be called by its class's number, ``Archery_001.mp4`` and
    ``Archery.mp4`` are of the class ``Archery``.

    Raises:
        DataError: a video is of no class.
    """
    labels = [_label(path, folder, classes) for path in paths]
    known = [label for label in labels if label is not None]
    if len(known) < len(labels):
        path = paths[labels.index(None)]
        raise DataError(
            f"{path} is of no class of these; put videos into folders called as classes are ({classes[0]}/), or call "
            f"them {classes[0]}_001{path.suffix}, or name their classes with --labels FILE"
        )
    return np.array(known)


def read_videos(paths: Sequence[Path], store: ClipStore, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Decode videos. Those of exactly the suite's shape come back as they are, frame by frame.

    Of others the clip is made as that of a video of the data set; there is a warning.

    Args:
        paths: at least one file.
        store: of the data set, whose rule holds for videos of other shapes.
        shape: ``(T, H, W)`` of the clips, with H equal to W.

    Returns:
        uint8 ``(N, T, H, W, 3)``.

    Raises:
        DataError: a file cannot be decoded.
    """
    frames, size, _ = shape
    exact = Geometry(frames=frames, sampling="even", resize=(size, size), size=size)
    clips = np.empty((len(paths), *shape, 3), dtype=np.uint8)
    others = 0
    for row, path in enumerate(paths):
        try:
            clip, facts = read_frames(path, exact, READER)
            if (facts.frames, facts.height, facts.width) != shape:
                others += 1
                stored = read_frames(path, store.manifest.geometry, READER)[0]
                clip = shrunk(stored[evenly(len(stored), frames)], size)
        except ReadError as error:
            raise DataError(f"{path} {error}; replace it or take it away") from error
        clips[row] = clip
    if others:
        warnings.warn(
            f"{others} of {len(paths)} videos are not {frames} frames of {size}x{size} pixels; their clips were made "
            f"as those of {store.manifest.spec.name} are",
            stacklevel=2,
        )
    return clips


def _label(path: Path, folder: Path, classes: Sequence[str]) -> int | None:
    if path.parent != folder:
        return position(path.parent.name, classes)
    whole = position(path.stem, classes, numbers=False)
    numbered = re.fullmatch(r"(.+?)[\s_.-]*\d+", path.stem)
    if whole is None and numbered is not None:
        return position(numbered[1], classes, numbers=False)
    return whole


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts ``a/clip_2`` before ``a/clip_10``."""
    parts = re.split(r"(\d+)", f"{path.parent.name}/{path.name}")
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
