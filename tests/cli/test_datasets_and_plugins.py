"""Data sets and plugins from the first command to the leaderboard."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import TINY, Cli, results, selector, tiny_run
from tests.extensions.test_kinds import STUDENT
from tests.worlds import World, damage, hmdb_world, kinetics_world, ssv2_world, truncate
from vdbench.extensions import kinds
from vdbench.registry import Registry
from vdbench.testing import check_method


def run_on(name: str, home: Path, method: str, *more: object) -> list[object]:
    """A run of seconds on a data set that is prepared in ``home``."""
    base = ["run", "--home", home, "--datasets", name, "--suite", "quick", "--partial", "--scheduler", "inline"]
    return [*base, "--methods", method, "--set", f"{method}.encoder=pixels", "--ipc", 1, "--seeds", 1, *TINY, *more]


@pytest.mark.parametrize(
    ("make", "name"), [(kinetics_world, "kinetics400"), (ssv2_world, "ssv2"), (hmdb_world, "hmdb51")]
)
def test_a_miniature_with_broken_and_missing_clips_reaches_the_leaderboard(
    cli: Cli,
    tmp_path: Path,
    mlflow_store: str,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], World],
    name: str,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store)
    world, home = make(tmp_path / "data"), tmp_path / "home"
    broken, cut, gone = world.files()[0], world.files()[3], world.files()[-3]
    damage(broken)
    truncate(cut)
    gone.unlink()
    shape = ["--frames", 8, "--size", 32, "--workers", 1]
    cli("datasets", "prepare", name, "--data-root", world.root, "--home", home, *shape).ended(3, "missing")
    prepared = cli("datasets", "prepare", name, "--partial", "--data-root", world.root, "--home", home, *shape).ended(
        0, "broken", "of disk"
    )
    shown = json.loads(cli("datasets", "show", name, "--home", home, "--json").out)
    faults = {Path(fault["clip"]).name.split(".")[0]: fault["status"] for fault in shown["faults"]}
    assert faults[broken.stem.split(".")[0]] == "broken"
    assert faults[cut.stem.split(".")[0]] in ("truncated", "broken")
    assert faults[gone.stem.split(".")[0]] == "missing"
    assert Path(shown["sheet"]).stat().st_size > 1000
    answer = cli(*run_on(name, home, "k-center")).ended(0)
    stored = results(home).values()
    assert sorted(r.method for r in stored) == ["full", "k-center", "random"]
    assert all(r.dataset.partial for r in stored)
    facts = next(iter(stored)).dataset
    counted = f"{facts.clips - facts.test_clips} train and {facts.test_clips} test clips, "
    counted += f"{facts.clips} of {facts.clips_total} (partial)"
    assert f"{name}, split 1: 3 of {facts.classes_total} classes, {counted}" in prepared.out
    assert (
        f"split 1: 3 of {facts.classes_total} classes, {counted}" in cli("datasets", "show", name, "--home", home).out
    )
    assert f"{name}, 3 of" in answer.out
    assert cli("datasets", "verify", name, "--data-root", world.root, "--home", home).code == 0
    damage(world.files()[1])
    verified = cli("datasets", "verify", name, "--data-root", world.root, "--home", home).ended(3)
    assert "is not the file that the store was made from" in verified.out


def test_a_plugin_runs_with_the_file_beside_it_and_an_edit_of_that_is_another_trial(
    cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(
        "from typing import ClassVar\n"
        "from helper import first\n"
        "from vdbench.method import Card\n"
        "from vdbench.selector import Selector, SelectorSettings\n"
        "class Mine(Selector):\n"
        "    name = 'mine'\n"
        "    card: ClassVar[Card] = Card(title='what the helper says')\n"
        "    Settings = SelectorSettings\n"
        "    def select(self, features, k, rng, task):\n"
        "        return first(k)\n"
    )
    (tmp_path / "statistics.py").write_text("raise SystemExit('not the library')\n")
    monkeypatch.chdir(tmp_path)
    kept = []
    for start in (0, 1):
        (tmp_path / "helper.py").write_text(f"def first(k):\n    return list(range({start}, {start} + k))\n")
        cli(*tiny_run(home, "--plugin", "mine.py", methods="mine")).ended(0)
        kept.append(
            {r.id: r.provenance.clip_ids for r in results(home).values() if r.method == "mine" and r.provenance}
        )
    assert [len(trials) for trials in kept] == [1, 2]
    assert len(set(kept[1].values())) == 2


ANSWERS = """
from typing import Any, ClassVar
from vdbench.method import Card, Settings, identity
from vdbench.selector import Selector, SelectorSettings
class Free(SelectorSettings):
    free: Any = identity(None, "anything")
class Bad(Selector):
    name = "bad"
    card: ClassVar[Card] = Card(title="first clips")
    Settings = Free
    def select(self, features, k, rng, task):
        return list(range(k))
    {answer}
"""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("def needs(self, task): raise KeyError('x')", "needs() of its class Bad fails with KeyError: 'x'"),
        ("def needs(self, task): return None", "needs() gives None, not a tuple of AssetSpecs"),
        ("def needs(self, task): return 'features'", "needs() gives 'features', not a tuple of AssetSpecs"),
        ("def needs(self, task): return ['features']", "needs() names 'features', which is no AssetSpec"),
        ("def __init__(self): pass", "constructor of its class Bad fails with TypeError: "),
        ("def __init__(self, settings): self.settings = Free(free=object())", "settings.identity() of its class Bad"),
        ("def stored_bytes(self, task, clip_bytes=None): return 'many'", "stored_bytes() of its class Bad fails with"),
    ],
)
def test_a_run_says_which_method_gave_no_usable_answer(
    cli: Cli, home: Path, tmp_path: Path, answer: str, reason: str
) -> None:
    plugin = tmp_path / "bad.py"
    plugin.write_text(ANSWERS.format(answer=answer))
    asked = tiny_run(home, "--dry-run", "--plugin", plugin, methods="bad")
    if "bytes" in answer:
        asked[asked.index("--ipc") : asked.index("--ipc") + 2] = ["--budget", "bytes=1MiB"]
    told = cli(*asked).ended(3, "error: method 'bad' cannot be used: ", reason, "mend it, 'vdbench --debug ...'")
    assert "bug in vdbench" not in told.err
    assert cli("methods", "check", plugin).ended(1).out.startswith("bad: ")


SPOKEN = [
    ("work", "raise KeyError('x')", "KeyError: 'x'"),
    ("work", "import sys; sys.exit(3)", "SystemExit: 3"),
    ("work", "return 5", "TypeError: work() gives 5, not a tuple of Works"),
    ("work", "return ['step']", "TypeError: work() names 'step', which is no Work"),
    ("work", "return [Work(('a',), dict, 1, float('nan'))]", "ValueError: work() gives nan times, "),
    ("work", "return [Work(('a',), dict, 1, -1)]", "ValueError: work() gives -1 times, "),
    ("work", "return [Work(('a',), dict, 0, 1)]", "ValueError: work() gives batches of 0, "),
    ("work", "return [Work(('a',), dict, 1, 1)]", "TypeError: 'dict' object is not callable"),
    ("limits", "raise KeyError('x')", "KeyError: 'x'"),
    ("limits", "return None", "TypeError: limits() gives None, not Limits"),
    ("limits", "return Limits('low')", "ValueError: limits() gives standstill='low'"),
    ("limits", "return Limits(float('nan'))", "ValueError: limits() gives standstill=nan"),
    ("limits", "return Limits(1, -0.5)", "ValueError: limits() gives least_step_size=-0.5"),
]  # fmt: skip
"""What a method may do wrong when it says how much work it is, and by what it is judged to have learned."""


def speaking(folder: Path, function: str, body: str) -> Path:
    """A plugin whose ``work()`` or ``limits()`` does something wrong."""
    plugin = folder / "bad.py"
    task = ", task" if function == "work" else ""
    plugin.write_text(
        "from vdbench.method import Limits\nfrom vdbench.work.workload import Work\n"
        + ANSWERS.format(answer=f"def {function}(self{task}): {body}")
    )
    return plugin


@pytest.mark.parametrize(("function", "body", "why"), SPOKEN)
def test_the_conformance_suite_finds_what_a_method_says_wrong_of_itself(
    tmp_path: Path, function: str, body: str, why: str
) -> None:
    findings = check_method(Registry([speaking(tmp_path, function, body)]).get("bad"))
    assert len(findings) == 1 and findings[0].startswith(f"its {function}() fails: {why}")


def test_a_run_goes_on_without_the_time_of_a_method_that_says_it_wrong(cli: Cli, home: Path, tmp_path: Path) -> None:
    for _, body, why in (SPOKEN[1], SPOKEN[4], SPOKEN[7]):
        plugin = speaking(tmp_path, "work", body)
        with pytest.warns(UserWarning, match=re.escape(f"method 'bad': work() of its class Bad fails with {why}")):
            answer = cli(*tiny_run(home, "--dry-run", "--plugin", plugin, methods="bad")).ended(0)
        assert "not counted: bad" in answer.out


def test_a_trial_says_whose_limits_are_wrong_before_it_distils(cli: Cli, home: Path, tmp_path: Path) -> None:
    plugin = speaking(tmp_path, "limits", "return 5")
    answer = cli(*tiny_run(home, "--plugin", plugin, methods="bad"))
    answer.ended(1, "method 'bad' cannot be used: limits() of its class Bad fails with TypeError: limits() gives 5")
    (failed,) = [r for r in results(home).values() if r.method == "bad"]
    assert failed.failure is not None and failed.failure.stage == "assets"


def test_check_says_that_a_plugin_ended_its_process(cli: Cli, tmp_path: Path) -> None:
    at_once = selector(tmp_path, "at-once", "import os; os._exit(0)")
    crashing = selector(tmp_path, "crashing", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    for plugin, how in ((at_once, "exit status 0"), (crashing, "SIGSEGV")):
        cli("methods", "check", plugin).ended(1, f"error: {plugin} ended the process that checked it ({how}); ")


@pytest.mark.parametrize(
    ("code", "why"),
    [("import os; os._exit(0)", "SystemExit: os._exit(0)"), ("1 / 0", "ZeroDivisionError: division by zero")],
)
def test_what_ends_at_its_import_is_named(cli: Cli, home: Path, tmp_path: Path, code: str, why: str) -> None:
    plugin = tmp_path / "at_once.py"
    plugin.write_text(code)
    for command in (tiny_run(home), ["datasets", "prepare", "motion-digits", "--home", home], ["methods", "list"]):
        cli(*command, "--plugin", plugin).ended(3, f"error: plugin {plugin} cannot be used: {why}")


def test_check_finds_what_a_method_does_wrong(cli: Cli, tmp_path: Path) -> None:
    answer = cli("methods", "check", selector(tmp_path, "greedy", "k += 1")).ended(1)
    assert "greedy" in answer.out


@pytest.mark.parametrize("scheduler", ["inline", pytest.param("ray", marks=pytest.mark.slow)])
def test_processes_that_carry_out_trials_know_the_student_of_a_plugin_file(
    cli: Cli, home: Path, tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "in_use", {})
    plugin = tmp_path / "colour.py"
    plugin.write_text(STUDENT.format(name="mean-colour"))
    student = ["--plugin", plugin, "--set", "protocol.students=[{name: mean-colour}]"]
    cli(*tiny_run(home, *student, "--scheduler", scheduler)).ended(0)
    judged = {(r.method, s.student) for r in results(home).values() for s in r.students}
    assert judged == {("random", "mean-colour"), ("full", "mean-colour")}
