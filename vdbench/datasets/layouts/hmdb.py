"""HMDB51: ``hmdb51_org/class/*.avi`` beside ``testTrainMulti_7030_splits/``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vdbench.datasets.layouts import lists, places
from vdbench.datasets.layouts.index import Index, IndexBuilder, Role

if TYPE_CHECKING:
    from pathlib import Path

    from vdbench.datasets.spec import DatasetSpec

_LINE = re.compile(r"(\S+\.avi)\s+([012])")
_ROLES: dict[str, Role | None] = {"0": None, "1": "train", "2": "test"}
_END = "_test_split1.txt"


def read(spec: DatasetSpec, root: Path) -> Index:
    """Read ``<class>_test_splitN.txt``: 1 train, 2 test, 0 unused. A clip's group is its source video's name.

    Unused ones are trained on where the data set is declared so.
    """
    roles = _ROLES if spec.train_on == "official" else _ROLES | {"0": "train"}
    folder = places.find(
        spec,
        root,
        ["testTrainMulti_7030_splits", "test_train_splits/testTrainMulti_7030_splits", "splits", "."],
        lambda folder: bool(_classes(folder)),
        "the folder testTrainMulti_7030_splits with <class>_test_split1.txt files",
    )
    classes = _classes(folder)
    videos = places.class_folders(
        spec,
        root,
        ["hmdb51_org", "videos", "hmdb51", "."],
        classes,
        "the folder hmdb51_org with a folder of videos per class",
    )
    builder = IndexBuilder(spec, found := places.by_class(videos))
    for split in spec.splits:
        for class_name, stem in classes.items():
            for line, where in lists.lines(folder / f"{stem}_test_split{split}.txt"):
                name, code = lists.match(_LINE, line, where, "name.avi 0|1|2").groups()
                clip = f"{class_name}/{name}"
                builder.add(clip, class_name, source_of(name, class_name), split, roles[code], where)
    return builder.build(
        classes, (clip for clip in found if clip.split("/")[0] in classes), places.misspelt(videos, classes)
    )


def _classes(folder: Path) -> dict[str, str]:
    """The classes that have split files, sorted, and how the names of these files begin."""
    names = (path.name for path, is_folder in places.contents(folder) if not is_folder)
    stems = [name.removesuffix(_END) for name in names if name.endswith(_END)]
    return dict(sorted((places.composed(stem), stem) for stem in stems))


def source_of(name: str, class_name: str) -> str:
    """The source video of a clip: its file name up to the last occurrence of its class.

    ``April_09_brush_hair_u_nm_np1_ba_goo_0.avi`` was cut from ``April_09``; another class may be cut from it too.
    """
    before, found, _ = name.rpartition(f"_{class_name}_")
    return before if found else name
