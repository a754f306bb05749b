"""Runs on a Ray cluster of several nodes, of which one is killed and one comes late."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, linked, results, tiny_run
from tests.cli.nodes import NAME, Nodes, until
from tests.faults.remains import faulty, held_locks, kept
from vdbench.storage.drafts import is_draft
from vdbench.version import installed

PLUGIN = """
import os, time
from typing import ClassVar
import numpy as np
from vdbench.method import Card
from vdbench.selector import Selector
from vdbench.work.assets import AssetSpec

class Shared(AssetSpec[int]):
    kind: ClassVar[str] = "shared"
    def build(self, assets, folder):
        with (assets.root.parent / "told" / "built").open("a") as file:
            file.write("once\\n")
        time.sleep(1)
        (folder / "number").write_text("7")
    def load(self, folder):
        return int((folder / "number").read_text())

class Waits(Selector):
    name = "waits"
    card = Card("Says where it is, and waits until it is told to go on")
    def needs(self, task):
        return [*super().needs(task), Shared()]
    def select(self, features, k, rng, task):
        told = task.assets.root.parent / "told"
        (told / ("on " + os.environ.get({name!r}, "this process"))).touch()
        (told / f"cards {{task.seed}}").write_text(repr(os.environ.get("CUDA_VISIBLE_DEVICES")))
        while not (told / "go").exists():
            time.sleep(0.1)
        return rng.permutation(len(features))[:k] if task.assets.get(Shared()) == 7 else None
"""
PROGRAM = "from vdbench.cli import main; raise SystemExit(main())"
WITH_SHARES = """
import sys
from vdbench.cli import main
from vdbench.experiment import on_ray

def with_shares(jobs, listener):
    run([job.model_copy(update={"gpus": 0.5 * job.trial.seed}) for job in jobs], listener)

run, on_ray.run_trials = on_ray.run_trials, with_shares
sys.exit(main())
"""
"""The same command; trials of seed 0 get no share of a GPU, and those of seed 1 half of one."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with Nodes() as cluster:
        cluster.start("first")
        yield cluster


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "waits.py"
    path.write_text(PLUGIN.format(name=NAME))
    return path


@pytest.mark.slow
def test_a_run_that_loses_a_node_and_gets_another_ends_as_one_in_a_single_process(
    nodes: Nodes, cli: Cli, home: Path, plugin: Path, tmp_path: Path
) -> None:
    alone = linked(home, tmp_path / "alone")
    for place in (home, alone):
        (place / "told").mkdir()
    (alone / "told" / "go").touch()
    more = ["--seeds", "2", "--plugin", str(plugin)]
    cli(*tiny_run(alone, *more, "--no-isolate", methods="waits")).ended(0)

    told = home / "told"
    nodes.start("second")
    words = tiny_run(home, *more, "--scheduler", "ray", "--ray-address", nodes.address, methods="waits")
    with (
        (tmp_path / "output").open("w") as output,
        subprocess.Popen([sys.executable, "-c", PROGRAM, *words], env=nodes.variables, stderr=output) as driver,
    ):
        try:
            until((told / "on second").exists, "a trial on the second node", tmp_path / "output")
            nodes.kill("second")
            nodes.start("third")
            until((told / "on third").exists, "a trial on the third node", tmp_path / "output")
            (told / "go").touch()
            code = driver.wait(240)
        finally:
            driver.kill()
    assert code == 0, (tmp_path / "output").read_text()
    assert {i: r.outcome() for i, r in results(home).items()} == {i: r.outcome() for i, r in results(alone).items()}
    assert len(results(home)) == 6
    assert (told / "built").read_text() == "once\n"
    left = kept(home) - kept(alone)
    assert {
        path for path in left if path.startswith("ray") or is_draft(home / path) or path.endswith(".draft")
    } == set()
    assert held_locks(home) == []
    assert faulty(home) == {}


@pytest.mark.slow
def test_a_trial_without_a_share_of_a_gpu_sees_none_and_one_with_a_share_sees_one(
    nodes: Nodes, home: Path, plugin: Path
) -> None:
    told = home / "told"
    told.mkdir()
    (told / "go").touch()
    words = tiny_run(home, "--seeds", "2", "--plugin", plugin, methods="waits")
    words += ["--scheduler", "ray", "--ray-address", nodes.address]
    subprocess.run([sys.executable, "-c", WITH_SHARES, *words], env=nodes.variables, check=True, timeout=240)
    seen = {seed: (told / f"cards {seed}").read_text() for seed in (0, 1)}
    assert seen[0] == "''"
    assert seen[1] in ("'0'", "'1'")


@pytest.mark.slow
def test_a_node_with_another_version_is_refused_and_the_others_go_on(
    nodes: Nodes, home: Path, plugin: Path, tmp_path: Path
) -> None:
    told, facts = home / "told", tmp_path / "installed" / "vdbench-99.0.dist-info"
    for folder in (told, facts):
        folder.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: vdbench\nVersion: 99.0\n")
    nodes.start("other", PYTHONPATH=os.pathsep.join([str(facts.parent), os.environ.get("PYTHONPATH", "")]))
    more = ["--seeds", "2", "--plugin", plugin, "--scheduler", "ray"]
    words = tiny_run(home, *more, "--ray-address", nodes.address, methods="waits")
    with (
        (tmp_path / "output").open("w") as output,
        subprocess.Popen([sys.executable, "-c", PROGRAM, *words], env=nodes.variables, stderr=output) as driver,
    ):
        try:
            until(lambda: any(r.failure for r in results(home).values()), "a refusal", tmp_path / "output")
            (told / "go").touch()
            assert driver.wait(240) == 1
        finally:
            driver.kill()
    assert {r.status for r in results(home).values()} == {"done", "failed"}
    failures = [r.failure for r in results(home).values() if r.failure is not None]
    assert {failure.kind for failure in failures} == {"dependency"}
    said = f"has vdbench 99.0, not {installed()} with which the run was started; install the same vdbench on every"
    assert all(said in failure.message for failure in failures)
    assert said in (tmp_path / "output").read_text()
