"""UCF101: ``UCF-101/Class/v_Class_gNN_cNN.avi`` beside ``ucfTrainTestlist/``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vdbench.datasets.layouts import lists, places
from vdbench.datasets.layouts.index import Index, IndexBuilder, Role
from vdbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from vdbench.datasets.spec import DatasetSpec

_CLASS = re.compile(r"(\d+)\s+(\w+)")
_CLIP = re.compile(r"((\w+)/(v_\w+_g\d+)_c\d+\.avi)(?:\s+\d+)?")
_LISTS: tuple[tuple[Role, str], ...] = (("train", "trainlist"), ("test", "testlist"))


def read(spec: DatasetSpec, root: Path) -> Index:
    """Read ``classInd.txt``, ``trainlist0N.txt`` and ``testlist0N.txt``; a clip's group is its ``v_Class_gNN``."""
    folder = places.find(
        spec,
        root,
        ["ucfTrainTestlist", "splits", "."],
        lambda folder: (folder / "classInd.txt").is_file(),
        "the folder ucfTrainTestlist with classInd.txt",
    )
    classes = [
        lists.match(_CLASS, line, where, "1 ApplyEyeMakeup")[2] for line, where in lists.lines(folder / "classInd.txt")
    ]
    if not classes:
        raise DataError(f"{folder / 'classInd.txt'} names no class; restore the official split files")
    videos = places.class_folders(
        spec,
        root,
        ["UCF-101", "UCF101", "videos", "."],
        classes,
        "the folder UCF-101 with a folder of videos per class",
    )
    builder = IndexBuilder(spec, found := places.by_class(videos))
    for split in spec.splits:
        for role, stem in _LISTS:
            for line, where in lists.lines(folder / f"{stem}{split:02}.txt"):
                clip, class_name, group = lists.match(_CLIP, line, where, "Class/v_Class_g01_c01.avi").groups()
                if class_name not in classes:
                    raise DataError(f"{where} names class {class_name}, which classInd.txt beside it does not")
                builder.add(clip, class_name, group, split, role, where)
    used = set(classes if spec.subset is None else spec.subset)
    return builder.build(classes, (clip for clip in found if clip.split("/")[0] in used), places.misspelt(videos, used))
