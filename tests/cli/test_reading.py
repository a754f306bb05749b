"""A method that reads the protocol is distilled anew where that changes; others keep their sets."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli, results, tiny_run

PLUGIN = """
from typing import ClassVar
from vdbench.method import Card
from vdbench.selector import Selector, SelectorSettings

class Mine(Selector):
    name = "mine"
    card: ClassVar[Card] = Card(title="clips from the one that the protocol names")
    Settings = SelectorSettings
    reads = ("recipe", "budget_bytes")
    def select(self, features, k, rng, task):
        first = task.recipe.batch if task.budget_bytes is None else task.budget_bytes // 4096
        return [(first + place) % len(features) for place in range(k)]
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN, encoding="utf-8")
    return path


def made(home: Path, method: str) -> dict[str, tuple[str, ...]]:
    """Clips of the distilled sets of a method, by the name of the set."""
    stored = [r for r in results(home).values() if r.method == method]
    return {r.distilled or "": r.provenance.clip_ids or () for r in stored if r.provenance}


def test_another_recipe_is_another_set_for_who_reads_it_alone(cli: Cli, home: Path, plugin: Path) -> None:
    """The third run judges by more networks, which nobody reads."""
    for changes in (("recipe.batch=1",), ("recipe.batch=2",), ("recipe.batch=2", "evaluation_seeds=2")):
        typed = [word for change in changes for word in ("--set", f"protocol.{change}")]
        cli(*tiny_run(home, "--plugin", plugin, "--no-isolate", *typed, methods="mine")).ended(0)
    assert (len(made(home, "mine")), len(made(home, "random"))) == (2, 1)
    assert len(set(made(home, "mine").values())) == 2


def test_bytes_that_were_asked_for_reach_who_reads_them(cli: Cli, home: Path, plugin: Path) -> None:
    """Both trials have one clip per class."""
    batch = ("--set", "protocol.recipe.batch=1")
    cli(*tiny_run(home, "--plugin", plugin, *batch, "--budget", "bytes=12KiB", methods="mine")).ended(0)
    assert {(r.ipc, r.budget_bytes) for r in results(home).values() if r.method == "mine"} == {(1, None), (1, 12288)}
    assert len(set(made(home, "mine").values())) == 2
