"""Lists of clips that nobody means well with, or that broke: a sentence each, which says where."""

import json
from pathlib import Path

import pytest

from tests import worlds
from tests.worlds import touch
from vdbench.datasets.geometry import Geometry
from vdbench.datasets.layouts import read_index
from vdbench.datasets.source import Source
from vdbench.datasets.spec import DatasetSpec, load_dataset
from vdbench.errors import DataError


def own(folder: Path, *rows: str, file: str = "clips.csv") -> DatasetSpec:
    """A data set of a table; two of its videos are there."""
    for name in ("1.mp4", "2.mp4"):
        touch(folder / name)
    (folder / file).write_text("\n".join(rows) + "\n", encoding="utf-8")
    return DatasetSpec(
        name="own", layout="csv", classes=2, metric="top1",
        source=Source(table=str(folder / file), videos=str(folder)),
        geometry=Geometry(frames=4, sampling="even", resize=16, size=16),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["path,label,split", f"1.mp4,{'x' * 200_000},train"], "clips.csv, line 2, is no csv"),
        (["x" * 200_000, "1.mp4"], "clips.csv, line 1, is no csv"),
        (["path,label,split", f"1.mp4,{'x' * 300},train", "2.mp4,b,test"], "a class name of 300 characters, 'xxx"),
        (["path,label,split,start", "1.mp4,a,train,inf", "2.mp4,b,test,"], "has start 'inf'"),
        (["path,label,split", "1.mp4,a\x00,train", "2.mp4,b,\x00"], "clips.csv, line "),
    ],
)
def test_a_table_of_ones_own(tmp_path: Path, rows: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_index(own(tmp_path, *rows), tmp_path)


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"path": "1.mp4", "path": "2.mp4"}', '{"path": "1.mp4", "label": 1e999}']
)
def test_json_lines_of_ones_own(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError, match=r"clips\.jsonl, line 1, is no JSON"):
        read_index(own(tmp_path, line, file="clips.jsonl"), tmp_path)


@pytest.mark.parametrize("path", ["~nobody-at-all/1.mp4", "y" * 5000])
def test_a_path_that_leads_nowhere(tmp_path: Path, path: str) -> None:
    spec = own(tmp_path, "path,label,split", "1.mp4,a,train", f"{path},b,test")
    with pytest.raises(DataError, match=f"clips.csv, line 3, has path '{path[:80]}', which leads nowhere"):
        read_index(spec, tmp_path)


def test_a_folder_of_nobody_in_a_declaration(tmp_path: Path) -> None:
    text = (
        "{name: own, layout: folders, classes: 2, metric: top1, source: {videos: ~nobody-at-all/x}, "
        "geometry: {frames: 4, sampling: even, resize: 16, size: 16}}"
    )
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(DataError, match="own.yaml has a path in source that leads nowhere"):
        load_dataset(str(tmp_path / "own.yaml"))


@pytest.mark.parametrize("number", [1e999, float("nan"), "9" * 5000, None, [], "x"])
def test_labels_of_an_official_file_that_are_no_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: object
) -> None:
    monkeypatch.setattr(worlds, "write_video", touch)
    world = worlds.ssv2_world(tmp_path)
    (labels,) = world.root.rglob("*-labels.json")
    labels.write_text(json.dumps(json.loads(labels.read_text()) | {"Closing something": number}))
    with pytest.raises(DataError, match=r"labels\.json .*restore the official file"):
        read_index(world.spec, world.root)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "name: own\nname: other",
        "name: &a [*a]",
        "layout: folders\nsource: {group: '(((((((('}",
        "\x00",
        "- a",
    ],
)
def test_a_declaration(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(DataError, match=r"own\.yaml"):
        load_dataset(str(tmp_path / "own.yaml"))
