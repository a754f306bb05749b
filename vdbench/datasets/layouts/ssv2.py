"""Something-Something V2: ``N.webm`` beside the json files of labels, train and validation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vdbench.datasets.layouts import places
from vdbench.datasets.layouts.index import Index, IndexBuilder, Role
from vdbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from vdbench.datasets.spec import DatasetSpec

_FILES: tuple[tuple[Role, str], ...] = (("train", "train"), ("test", "validation"))


def read(spec: DatasetSpec, root: Path) -> Index:
    """Read ``*labels.json``, ``*train.json`` and ``*validation.json``, whose clips are the test split.

    Nothing says which clips share a source, so each is a group of its own.
    """
    lists = places.find(
        spec,
        root,
        ["labels", "annotations", "."],
        lambda folder: all(_json(folder, name) for name in ("labels", "train", "validation")),
        "labels.json, train.json and validation.json (or something-something-v2-*.json)",
    )
    folder = places.find(
        spec,
        root,
        ["20bn-something-something-v2", "videos", "."],
        lambda folder: any(path.suffix == ".webm" for path in folder.iterdir()),
        "the folder 20bn-something-something-v2 with the .webm videos",
    )
    classes = _classes(_json(lists, "labels")[0])
    found = {path.name: path for path in places.videos(folder) if path.suffix == ".webm"}
    builder = IndexBuilder(spec, found)
    listed = set()
    for role, name in _FILES:
        path = _json(lists, name)[0]
        for number, item in enumerate(_load(path, list), 1):
            where = f"{path}, entry {number},"
            clip, template = _clip(item, where)
            if template not in classes:
                raise DataError(f"{where} has template {template!r}, which labels.json beside it does not")
            builder.add(clip, template, clip.removesuffix(".webm"), 1, role, where)
            listed.add(clip)
    return builder.build(classes, found.keys() - listed)


def _json(folder: Path, name: str) -> list[Path]:
    return sorted(folder.glob(f"{name}.json")) or sorted(folder.glob(f"*-{name}.json"))


def _load(path: Path, kind: type) -> Any:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is no JSON that can be read ({error}); restore the official file") from error
    if not isinstance(value, kind):
        raise DataError(f"{path} holds no JSON {kind.__name__}; restore the official file")
    return value


def _classes(path: Path) -> list[str]:
    """The templates, in the order of their numbers."""
    numbers = _load(path, dict)
    try:
        return sorted(numbers, key=lambda template: int(numbers[template]))
    except (TypeError, ValueError):
        raise DataError(f"{path} maps a template to something that is no number; restore the official file") from None


def _clip(item: object, where: str) -> tuple[str, str]:
    """The file name and the template, without its brackets, of one annotated clip."""
    if isinstance(item, dict) and isinstance(template := item.get("template"), str) and str(item.get("id", "")):
        return f"{item['id']}.webm", template.replace("[", "").replace("]", "")
    raise DataError(f"{where} has no id or no template; restore the official file")
