"""Split files of every layout, tables and declarations of one's own, suites and settings like valid ones."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import strategies as st

from tests import worlds
from tests.fuzz.mutations import ODD, TOKENS, bytes_like, fuzz, fuzz_file, values_like
from tests.worlds import touch
from vdbench.cli.options import parse_settings
from vdbench.datasets.geometry import Geometry
from vdbench.datasets.layouts import read_index
from vdbench.datasets.source import Source
from vdbench.datasets.spec import DatasetSpec, load_dataset
from vdbench.experiment.suite import load_suite
from vdbench.registry import Registry
from vdbench.storage import plain_yaml

SHIPPED = Path(__file__).parents[2] / "benchmarks" / "vdbench_benchmarks"
WORLDS = {
    "ucf101": (worlds.ucf_world, ["classInd.txt", "trainlist01.txt", "testlist02.txt"]),
    "hmdb51": (worlds.hmdb_world, ["clap_test_split1.txt", "sword_test_split3.txt"]),
    "kinetics400": (worlds.kinetics_world, ["train.csv", "val.csv"]),
    "ssv2": (worlds.ssv2_world, ["something-something-v2-labels.json", "something-something-v2-train.json"]),
    "jester": (worlds.jester_world, ["jester-v1-labels.csv", "jester-v1-train.csv"]),
    "diving48": (worlds.diving48_world, ["Diving48_vocab.json", "Diving48_V2_train.json"]),
}
CASES = [(name, file) for name, (_, names) in WORLDS.items() for file in names]


@pytest.mark.parametrize(("name", "file"), CASES, ids=[f"{name}-{file}" for name, file in CASES])
def test_split_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, file: str) -> None:
    make: Callable[..., worlds.World] = WORLDS[name][0]
    monkeypatch.setattr(worlds, "write_video", touch)
    world = make(tmp_path / "data")
    (path,) = world.root.rglob(file)
    read_index(world.spec, world.root)
    fuzz_file(path, lambda: read_index(world.spec, world.root))


TABLES = {
    "clips.csv": b'path,label,split,group,start,end\na/1.mp4,wave,train,g1,,\n"a/2.mp4",point,test,g2,0.5,2\n'
    b"a/3.mp4,wave,test,g3,1,\na/4.mp4,point,train,g4,,3.5\n",
    "clips.jsonl": b'{"path": "a/1.mp4", "label": "wave", "split": "train"}\n'
    b'{"path": "a/2.mp4", "label": "point", "split": "test", "start": 1.5}\n',
}


@pytest.mark.parametrize("table", TABLES)
def test_tables_of_ones_own(tmp_path: Path, table: str) -> None:
    for number in range(1, 5):
        touch(tmp_path / "a" / f"{number}.mp4")
    source = Source(table=str(tmp_path / table), videos=str(tmp_path))
    spec = DatasetSpec(
        name="own", layout="csv", classes=2, metric="top1", source=source,
        geometry=Geometry(frames=4, sampling="even", resize=16, size=16),
    )  # fmt: skip

    (tmp_path / table).write_bytes(TABLES[table])
    read_index(spec, tmp_path)
    fuzz_file(tmp_path / table, lambda: read_index(spec, tmp_path))


def yaml_like(text: str) -> st.SearchStrategy[bytes]:
    """A declaration like another one, by its values or by its bytes."""
    by_value = values_like(yaml.safe_load(text)).map(lambda value: yaml.safe_dump(value, allow_unicode=True))
    return by_value.map(lambda text: text.encode("utf-8", "surrogatepass")) | bytes_like(text.encode())


OWN = """
name: own
title: A title
layout: csv
classes: 2
geometry: {frames: 4, sampling: even, resize: 16, size: 16}
metric: top1
splits: [1, 2]
source: {videos: ., table: clips.csv, group: '(.)', split: {test: 0.5, seed: 0}, columns: {label: label}}
"""


def test_declarations_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_bytes(TABLES["clips.csv"])

    def feed(content: bytes) -> None:
        (tmp_path / "own.yaml").write_bytes(content)
        spec = load_dataset(str(tmp_path / "own.yaml"))
        read_index(spec, tmp_path)

    feed(OWN.encode())
    fuzz(yaml_like(OWN), feed)


def test_suites(tmp_path: Path) -> None:
    def feed(content: bytes) -> None:
        (tmp_path / "suite.yaml").write_bytes(content)
        suite = load_suite(tmp_path / "suite.yaml")
        suite.prescribed("dm", "ucf101", 1, {})
        suite.protocol.on(load_dataset("ucf101"))

    fuzz(yaml_like((SHIPPED / "suites" / "quick.yaml").read_text(encoding="utf-8")), feed)


WORDS = st.one_of(
    st.sampled_from([plain_yaml.write(value) for value in (1, 0.1, "a", [1], {"a": 1}, None, True)]),
    st.sampled_from(ODD).map(str),
    st.sampled_from(TOKENS).map(lambda token: token.decode("utf-8", "replace")[:5000]),
    st.text(max_size=20),
)


def test_settings() -> None:
    registry = Registry()
    methods = {name: registry.get(name) for name in ("random", "herding", "dm", "vdsd")}
    fields = [f"{name}.{field}" for name, method in methods.items() for field in method.Settings.model_fields]
    protocol = ["protocol.frames", "protocol.recipe.lr", "protocol.recipe", "protocol.students", "protocol.labels"]

    def feed(typed: tuple[str, str]) -> None:
        for name, values in parse_settings([f"{typed[0]}={typed[1]}"]).items():
            if name == "protocol":
                load_suite("quick", values)
            elif name in methods:
                registry.configure(name, None, values)

    fuzz(st.tuples(st.sampled_from([*fields, *protocol]) | st.text(max_size=10), WORDS), feed)
