"""Diving48: ``Diving48_V2_train.json`` and its like beside ``rgb/<vid_name>.mp4``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vdbench.datasets.layouts import lists, places
from vdbench.datasets.layouts.index import Index, IndexBuilder, Role
from vdbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from vdbench.datasets.spec import DatasetSpec

_ROLES: tuple[Role, ...] = ("train", "test")


def read(spec: DatasetSpec, root: Path) -> Index:
    """Read ``*vocab.json``, ``*train.json`` and ``*test.json``; a clip's group is the competition it was cut from."""
    folder = places.find(
        spec,
        root,
        ["annotations", "labels", "."],
        lambda folder: all(_json(folder, name) for name in ("vocab", *_ROLES)),
        "Diving48_vocab.json, Diving48_V2_train.json and Diving48_V2_test.json",
    )
    videos = places.find(
        spec, root, ["rgb", "videos", "."], lambda folder: any(places.videos(folder)), "the folder rgb with the videos"
    )
    classes = [_dive(dive) for dive in lists.json_of(_json(folder, "vocab")[0], list)]
    found = places.choose((places.composed(path.stem), path) for path in places.videos(videos))
    builder = IndexBuilder(spec, found)
    for role in _ROLES:
        path = _json(folder, role)[-1]
        for number, item in enumerate(lists.json_of(path, list), 1):
            where = f"{path}, entry {number},"
            clip, label = (item.get("vid_name"), item.get("label")) if isinstance(item, dict) else (None, None)
            if not isinstance(clip, str) or type(label) is not int or not 0 <= label < len(classes):
                raise DataError(f"{where} has no vid_name, or no label below {len(classes)}; restore the official file")
            builder.add(clip, classes[label], clip.rpartition("_")[0] or clip, 1, role, where)
    return builder.build(classes, found)


def _json(folder: Path, name: str) -> list[Path]:
    """The files of a name, those of version 2 last."""
    found = (path for path, is_folder in places.contents(folder) if not is_folder)
    fitting = [path for path in found if path.name.startswith("Diving48_") and path.name.endswith(f"{name}.json")]
    return sorted(fitting, key=lambda path: "_V2_" in path.name)


def _dive(entry: Any) -> str:
    """A class's name: take-off, somersaults, twists and position."""
    return "-".join(map(str, entry)) if isinstance(entry, list) else str(entry)
