"""The code of the pages runs, and does what they say."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from tests.conftest import Digits
from tests.docs.pages import FENCE, ROOT, block, text_of
from vdbench.cli.methods import Kind
from vdbench.datasets.spec import load_dataset
from vdbench.registry.methods import GROUP, Registry
from vdbench.testing import check_method, tiny_task


@pytest.mark.slow
@pytest.mark.parametrize("title", ["my_moderate.py", "group_means.py"])
def test_the_methods_of_the_page_keep_the_contract(title: str, tmp_path: Path):
    path = tmp_path / title
    path.write_text(block("adding-a-method.md", title), encoding="utf-8")
    registry = Registry([path])
    (entry,) = [entry for entry in registry.entries if entry.source == str(path)]
    assert entry.problem == ""
    assert check_method(registry.get(entry.name)) == []


def test_the_port_of_the_page_chooses_as_the_built_in_method_from_both_pools(tmp_path: Path):
    path = tmp_path / "my_moderate.py"
    path.write_text(block("adding-a-method.md", path.name), encoding="utf-8")
    registry = Registry([path])
    for pool in ("real", "generated"):
        own, built_in = (registry.configure(name, pool, {"encoder": "pixels"}) for name in ("my-moderate", "moderate"))
        assert check_method(own) == []
        sets = [method.distill(tiny_task(tmp_path / pool, ipc=2)) for method in (own, built_in)]
        assert sets[0].record.provenance.clip_ids == sets[1].record.provenance.clip_ids
    line = np.array([[0], [4], [5], [6], [30]], dtype=np.float32)  # distances 5 1 0 1 25 to the median, 9 5 4 3 21 else
    for centre, kept in (("median", {1, 3}), ("mean", {1, 2})):
        method: Any = registry.configure("my-moderate", "real", {"centre": centre})
        assert set(method.select(line, 2, np.random.default_rng(0), None)) == kept


def test_the_test_of_the_page_passes(tmp_path: Path):
    for name in ("my_moderate.py", "test_my_moderate.py"):
        (tmp_path / name).write_text(block("adding-a-method.md", name), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_kinds_of_the_page_are_those_that_can_be_written():
    rows = [line.split("`")[1] for line in text_of("adding-a-method.md").splitlines() if line.startswith("| `")]
    assert tuple(rows) == get_args(Kind)


def test_the_entry_point_of_the_page_is_of_the_group_that_is_read():
    declared = tomllib.loads(block("adding-a-method.md", "pyproject.toml"))
    assert list(declared["project"]["entry-points"]) == [GROUP]


def test_the_data_set_of_the_page_can_be_declared(tmp_path: Path):
    path = tmp_path / "lab.yaml"
    path.write_text(block("adding-a-dataset.md", path.name), encoding="utf-8")
    spec = load_dataset(str(path))
    assert spec.name == path.stem
    assert spec.source is not None
    assert spec.source.table == str(tmp_path / "clips.csv")


@pytest.mark.slow
def test_the_python_of_the_pages_runs_as_one_script_without_a_guard(tmp_path: Path, digits: Digits) -> None:
    script, home = tmp_path / "script.py", digits(tmp_path / "home")
    for text in (text_of("python.md"), (ROOT / "README.md").read_text(encoding="utf-8")):
        blocks = [code for kind, _, code in FENCE.findall(text) if kind == "python" and "class MyMethod" not in code]
        script.write_text("\n".join(blocks))
        environment = os.environ | {"VDBENCH_HOME": str(home)}
        done = subprocess.run(
            [sys.executable, str(script)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert done.stderr == ""
