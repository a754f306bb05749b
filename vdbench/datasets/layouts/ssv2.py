"""Something-Something V2: ``N.webm`` beside the json files of labels, train and validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench.datasets.layouts import lists, places
from vdbench.datasets.layouts.index import Index, IndexBuilder, Role
from vdbench.errors import DataError
from vdbench.storage.text import harmless

if TYPE_CHECKING:
    from pathlib import Path

    from vdbench.datasets.spec import DatasetSpec

_FILES: tuple[tuple[Role, str], ...] = (("train", "train"), ("test", "validation"))


def read(spec: DatasetSpec, root: Path) -> Index:
    """Read ``*labels.json``, ``*train.json`` and ``*validation.json``, whose clips are the test split.

    Nothing says which clips share a source, so each is a group of its own.
    """
    labels = places.find(
        spec,
        root,
        ["labels", "annotations", "20bn-something-something-download-package-labels", "."],
        lambda folder: all(_json(folder, name) for name in ("labels", "train", "validation")),
        "labels.json, train.json and validation.json (or something-something-v2-*.json)",
    )
    folder = places.find(
        spec,
        root,
        ["20bn-something-something-v2", "videos", "."],
        lambda folder: any(path.suffix.lower() == ".webm" for path, _ in places.contents(folder)),
        "the folder 20bn-something-something-v2 with the .webm videos",
    )
    classes = _classes(_json(labels, "labels")[0])
    named = ((places.name_of(path), path) for path in places.videos(folder))
    found = places.choose((name, path) for name, path in named if name.endswith(".webm"))
    builder = IndexBuilder(spec, found)
    for role, name in _FILES:
        path = _json(labels, name)[0]
        for number, item in enumerate(lists.json_of(path, list), 1):
            where = f"{path}, entry {number},"
            clip, template = _clip(item, where)
            if template not in classes:
                raise DataError(f"{where} has template {template!r}, which labels.json beside it does not")
            builder.add(clip, template, clip.removesuffix(".webm"), 1, role, where)
    return builder.build(classes, found)


def _json(folder: Path, name: str) -> list[Path]:
    found = [path for path, is_folder in places.contents(folder) if not is_folder]
    return [path for path in found if path.name == f"{name}.json"] or [
        path for path in found if path.name.endswith(f"-{name}.json")
    ]


def _classes(path: Path) -> list[str]:
    """The templates, in the order of their numbers."""
    numbers = lists.json_of(path, dict)
    try:
        return sorted(numbers, key=lambda template: int(numbers[template]))
    except (TypeError, ValueError):
        raise DataError(f"{path} maps a template to something that is no number; restore the official file") from None


def _clip(item: object, where: str) -> tuple[str, str]:
    """The file name and the template, without its brackets, of one annotated clip."""
    if isinstance(item, dict) and isinstance(template := item.get("template"), str) and str(item.get("id", "")):
        return harmless(f"{item['id']}.webm"), template.replace("[", "").replace("]", "")
    raise DataError(f"{where} has no id or no template; restore the official file")
