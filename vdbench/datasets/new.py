"""Declaring a data set of one's own: a short YAML file, made of what the videos and their list say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vdbench.datasets.completeness import check_complete, check_split, lack_of
from vdbench.datasets.geometry import Geometry
from vdbench.datasets.layouts import Index, own_rows, read_index
from vdbench.datasets.source import Source, SplitRule
from vdbench.datasets.spec import (
    MOST_SPLITS,
    OWN,
    PUBLISHED,
    DatasetSpec,
    Layout,
    dataset_names,
    declaration,
    load_dataset,
)
from vdbench.errors import DataError, UsageError, nearest
from vdbench.records import DATASET_NAME
from vdbench.storage import files, plain_yaml
from vdbench.storage.validation import faults_in

GEOMETRY = Geometry(frames=16, sampling="even", resize=128, size=112)
"""The shape of a clip where nobody says another: frames from all of the video, the middle square of each."""

_EXPLAINED = {
    "title": "as people call it; homepage, licence and citation may stand beside it",
    "subset": "the classes that are used",
    "geometry": "sampling: even over the video, or strided around its middle; resize: [width, height] or shorter side",
    "metric": "top1 or top5",
    "directed": "true where a mirrored clip may be of another class",
    "source": "videos and table may be paths that count from this file",
    "split": "the share to test on; given, where folders or a column say it",
    "content": "hash of the clips; without this line others may take their place",
}
_ORDER = ("name", "title", "layout", "classes", "subset", "splits", "geometry", "metric", "directed", "source")


@dataclass(frozen=True)
class Wish:
    """What somebody says of a data set of their own, as ``vdbench.new_dataset`` explains it.

    Its frames and pixels are a ``geometry`` here.
    """

    videos: Path | None = None
    csv: Path | None = None
    hf: Path | None = None
    like: str | None = None
    columns: Mapping[str, str] | None = None
    class_level: int = 1
    group: str | None = None
    test: float | None = None
    seed: int = 0
    splits: int = 1
    classes: Sequence[str] | None = None
    geometry: Geometry | None = None
    partial: bool = False


@dataclass(frozen=True)
class Declared:
    """What came of it.

    Attributes:
        file: where it is declared.
        spec: the declaration.
        index: its clips.
        lacking: what is missing, as a clause; None where nothing is.
    """

    file: Path
    spec: DatasetSpec
    index: Index
    lacking: str | None


def new_dataset(name: str, wish: Wish, home: Path, file: Path | None = None, *, replace: bool = False) -> Declared:
    """Declare a data set; nothing is written unless its clips can be used. See ``vdbench.new_dataset``.

    Raises:
        UsageError: the name is taken or not possible, or the options contradict each other.
        DataError: a file is missing or malformed, or a class cannot be learned and tested.
    """
    if not re.fullmatch(DATASET_NAME, name):
        raise UsageError(f"'{name}' is no name for a data set; use small letters, digits and hyphens")
    if name == "all":
        raise UsageError("'all' stands for every data set; choose another name")
    target = declaration(home, name) if file is None else file.expanduser()
    if not target.name.endswith((".yaml", ".yml")):
        raise UsageError(f"{target} has to end in .yaml")
    if name in dataset_names():
        raise UsageError(f"the name '{name}' is taken by a data set that is installed; choose another")
    if target.exists() and not replace:
        raise UsageError(f"{target} exists; choose another name, or replace it with --replace")
    spec, index = _laid_out(name, wish)
    lacking = lack_of(spec, index)
    if not wish.partial:
        check_complete(spec, index)
    check_split(spec, index)
    target.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(target, written(spec))
    return Declared(target, spec, index, lacking)


def _laid_out(name: str, wish: Wish) -> tuple[DatasetSpec, Index]:
    """The declaration that fits the clips, and their index."""
    layout, root, source = _source(wish)
    base: dict[str, Any] = {"name": name, "layout": layout, "metric": "top1", "geometry": GEOMETRY}
    if wish.like is not None:
        like = _published(wish.like)
        base |= {key: getattr(like, key) for key in ("geometry", "metric", "directed", "splits")}
    if wish.geometry is not None:
        base["geometry"] = wish.geometry
    if wish.classes is not None:
        if len(set(wish.classes)) < 2:
            raise UsageError("a data set takes at least 2 classes; name more of them")
        base |= {"subset": tuple(dict.fromkeys(wish.classes)), "classes": len(set(wish.classes))}
    ruled = source.model_copy(update={"split": _rule(wish)})
    given = layout in OWN and wish.test is None
    if layout not in OWN or (given and any(row.part for row in own_rows(_spec(base, source, 2), root))):
        if layout in OWN and wish.splits > 1:
            raise UsageError("the split is given, and there is no other; leave --splits out, or say --test")
    else:
        source, base["splits"] = ruled, tuple(range(1, wish.splits + 1))
    if wish.classes is not None:
        known = list(read_index(_spec({**base, "subset": None, "classes": 2}, source, 2), root).classes)
        if unknown := sorted(set(wish.classes) - set(known)):
            raise UsageError(f"there is no class '{unknown[0]}'; {nearest(unknown[0], known)}")
    index = read_index(_spec(base, source, 2), root)
    if len(index.classes) < 2:
        found = f"only of {index.classes[0]}" if index.classes else "of no class"
        cure = "each in a folder of its own" if wish.csv is None else "each with a label of its own"
        raise DataError(f"{wish.csv or root} holds clips {found}; at least 2 classes are needed, {cure}")
    if layout in OWN:
        clips = len(index.entries) + len(index.unlisted)
        source = source.model_copy(update={"content": index.content, "clips": clips})
    return _spec(base, source, len(index.classes)), index


def _source(wish: Wish) -> tuple[Layout, Path, Source]:
    """The layout, what paths count from, and where the clips are."""
    given = [place for place in (wish.csv, wish.hf) if place is not None]
    if len(given) > 1 or (wish.hf and wish.videos) or not (given or wish.videos) or (wish.like and given):
        raise UsageError("say where the clips are: --videos FOLDER, with --like if it is laid out as a published data "
                         "set, or --csv FILE, or --hf FOLDER")  # fmt: skip
    folder = None if wish.videos is None else wish.videos.expanduser().absolute()
    more: dict[str, Any] = {"columns": dict(wish.columns or {}), "class_level": wish.class_level, "group": wish.group}
    try:
        if wish.csv is not None:
            table = wish.csv.expanduser().absolute()
            root = folder or table.parent
            return "csv", root, Source(table=str(table), videos=None if folder is None else str(folder), **more)
        if wish.hf is not None:
            folder = wish.hf.expanduser().absolute()
            return "videofolder", folder, Source(videos=str(folder), **more)
        assert folder is not None
        if wish.like is None:
            return "folders", folder, Source(videos=str(folder), **more)
        return _published(wish.like).layout, folder, Source(videos=str(folder))
    except ValidationError as error:
        raise UsageError(f"{faults_in(error)}; give another") from None


def _published(like: str) -> DatasetSpec:
    """The published data set of a name, or the first of a layout."""
    specs = [load_dataset(name) for name in dataset_names()]
    known = [spec for spec in specs if spec.layout in PUBLISHED and like in (spec.name, spec.layout)]
    if not known:
        raise UsageError(f"no published data set is laid out as '{like}'; {nearest(like, list(PUBLISHED))}")
    return known[0]


def _rule(wish: Wish) -> SplitRule:
    """How clips that nobody has split become train and test."""
    if wish.test is not None and not 0 < wish.test < 1:
        raise UsageError(f"the share to test on lies between 0 and 1, unlike {wish.test!r}")
    if wish.splits > MOST_SPLITS:
        raise UsageError(f"{wish.splits} splits are too many; a data set has {MOST_SPLITS} at most")
    try:
        return SplitRule(test=wish.test or 0.25, seed=wish.seed)
    except ValidationError as error:
        raise UsageError(f"this makes no split: {faults_in(error)}") from None


def _spec(base: Mapping[str, Any], source: Source, classes: int) -> DatasetSpec:
    try:
        return DatasetSpec.model_validate({"classes": classes, "source": source, **base})
    except ValidationError as error:
        raise UsageError(f"this makes no data set: {faults_in(error)}") from None


def written(spec: DatasetSpec) -> str:
    """A declaration as people edit it: a line per field, with what its values mean."""
    value = spec.model_dump(mode="json", exclude_defaults=True) | {"directed": spec.directed, "splits": spec.splits}
    if spec.source is not None:
        value["source"]["split"] = spec.source.model_dump(mode="json")["split"]
    lines = ["# A data set of vdbench, by `vdbench datasets new`. It may be edited; --datasets takes its path, too."]
    for key in sorted(value, key=lambda key: _ORDER.index(key) if key in _ORDER else len(_ORDER)):
        if key != "source":
            lines += _lines(key, value[key])
            continue
        lines += [f"# {_EXPLAINED[key]}", "source:"]
        lines += [f"  {line}" for inner, item in value[key].items() for line in _lines(inner, item)]
    return "\n".join(lines) + "\n"


def _lines(key: str, value: Any) -> list[str]:
    """A field, below what its value means where that needs saying."""
    value = list(value) if isinstance(value, tuple) else value
    return [*([f"# {_EXPLAINED[key]}"] if key in _EXPLAINED else []), f"{key}: {plain_yaml.write(value)}"]
