"""The scripts that measure run to their end, those for a GPU on a CPU, at sizes that say nothing of speed."""

import multiprocessing
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import worlds
from tests.conftest import Digits

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "speed" / "gpu.py"
TESTS = Path(__file__).parent
SCRIPTS = [*SCRIPT.parents[1].glob("*.py"), *SCRIPT.parent.glob("*.py")]
TINY = {"device": "cpu", "classes": 4, "clips": 24, "size": 16, "frames": 4, "width": 4, "steps": 3, "seconds": 0.5}
LEARNS = {"learn": 60, "learn-lr": 0.003, "strength": 128}
LAST = "vdsd iteration on mtt"


def with_help(script: Path) -> None:
    """What ``python SCRIPT --help`` does, where nothing of the tests is at hand."""
    sys.argv = [str(script), "--help"]
    sys.path[:] = [str(script.parent), *(path for path in sys.path if Path(path) != TESTS)]
    for name, module in list(sys.modules.items()):
        if TESTS in Path(getattr(module, "__file__", None) or "").parents:
            del sys.modules[name]
    runpy.run_path(str(script), run_name="__main__")


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_can_be_started(script: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """In a fork of this process, which may have imported what scripts take seconds to import."""
    process = multiprocessing.get_context("fork").Process(target=with_help, args=(script,))
    process.start()
    process.join()
    assert process.exitcode == 0, capfd.readouterr().err


def table_of(**options: object) -> tuple[dict[str, str], subprocess.CompletedProcess[str]]:
    """What was measured by name of the row, and how the script ended; it finds the checkout by itself."""
    words = [f"--{name}={value}" for name, value in (TINY | LEARNS | options).items()]
    command = [sys.executable, str(SCRIPT), *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line.strip("| ").split(" | ") for line in ended.stdout.splitlines() if line.startswith("| ")]
    return {what: value for what, value, *_ in lines[1:]}, ended


@pytest.mark.slow
def test_every_row_of_the_table_is_measured() -> None:
    rows, ended = table_of(base=SCRIPT.parents[2])
    assert ended.returncode == 0, ended.stderr
    assert "failed" not in ended.stdout
    assert "24 clips, bf16" in " ".join(rows)
    assert rows["a network of 4 clips"].endswith("s for 15 steps in bf16")
    assert rows["bf16 against float32"].startswith("top-1 ")
    assert rows["training on a split, against the earlier version"].endswith("times as many")
    for what in ("three test passes of 24 clips", "DM iteration, 4 classes x 6", "MTT outer step of 10, float32", LAST):
        assert " s, " in rows[what], what


@pytest.mark.slow
def test_a_row_that_fails_takes_no_other_with_it() -> None:
    rows, ended = table_of(learn=1, base=SCRIPT.parent)
    assert ended.returncode == 1
    failed = {what for what, value in rows.items() if value.startswith("failed: ")}
    assert failed == {"bf16 against float32", "training on a split, against the earlier version"}
    assert "agreement would say nothing" in rows["bf16 against float32"]
    assert rows[LAST].endswith("GiB")


@pytest.mark.slow
def test_when_time_is_up_the_table_is_printed_nevertheless() -> None:
    rows, ended = table_of(minutes=0)
    assert ended.returncode == 1
    assert set(rows.values()) == {"not measured: no time was left"}
    assert LAST in rows


@pytest.mark.slow
def test_every_stage_is_measured_over_clips() -> None:
    command = [sys.executable, str(SCRIPT.with_name("scale.py")), "--clips", "600", "900", "--trials", "20"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    rows = [line.split(" | ") for line in ended.stdout.splitlines() if line.startswith("| ")]
    assert [len(row) for row in rows] == [4] * len(rows)
    for what in ("index", "fingerprint", "manifest check", "view", "plan of 20", "herding, 50", "k-center, 50",
                 "memory that a manifest", "memory that a view"):  # fmt: skip
        assert any(row[0].startswith(f"| {what}") for row in rows), what


@pytest.mark.slow
def test_trials_with_nothing_to_do_are_measured() -> None:
    command = [sys.executable, str(SCRIPT.with_name("trials.py")), "--trials", "20", "--scheduler", "inline"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    heading, _, row = (line.strip("| ").split(" | ") for line in ended.stdout.splitlines() if line.startswith("|"))
    assert len(row) == len(heading)
    assert row[:2] == ["inline", "20"]


def rows_of(script: str, *words: object) -> dict[str, list[str]]:
    """The table that a script prints, by the first column."""
    command = [sys.executable, str(SCRIPT.with_name(script)), *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    lines = [line.strip("| ").split(" | ") for line in ended.stdout.splitlines() if line.startswith("| ")]
    return {what: values for what, *values in lines[1:]}


@pytest.mark.slow
def test_arithmetic_is_measured_beside_that_of_another_version() -> None:
    rows = rows_of("training.py", "--base", SCRIPT.parents[2], "--rounds", 1, "--steps", 2, "--clips", 8)
    steps = [f"training step of {name}" for name in ("minic3d", "r2plus1d", "cnn-gru", "cnn-lstm", "video-vit")]
    assert {"uint8 to input, 24 clips of 16x112x112", "iteration of mtt, 8 classes, IPC 1", *steps} <= set(rows)
    assert all(last.endswith("x") for *_, last in rows.values())


@pytest.mark.slow
def test_trials_are_measured_beside_those_of_another_version(tmp_path: Path, digits: Digits) -> None:
    words = ["--base", SCRIPT.parents[2], "--trials", 10, "--rounds", 1, "--scheduler", "inline", "--no-demo"]
    words += ["--clips", digits(tmp_path)]
    assert set(rows_of("runs.py", *words)) == {"a trial inline, beside its stages", "a trial inline, processor time"}


@pytest.mark.slow
def test_preparing_is_measured_beside_bare_decoding(tmp_path: Path) -> None:
    world = worlds.ucf_world(tmp_path, classes=2, groups=8, clips=1)
    rows = rows_of("decoding.py", "--data-root", world.root, "--clips", 4, "--rounds", 1)
    assert {"decord alone", "PyAV alone", "prepare by decord", "prepare by pyav"} <= set(rows)
    assert rows["decord alone"][1] == rows["PyAV alone"][2] == "1.00"


@pytest.mark.parametrize("script", ["noise", "training", "whole"])
def test_an_earlier_version_is_measured_by_its_own_modules_beside_an_editable_installation(
    script: str, tmp_path: Path
) -> None:
    """The finder of an editable installation gives what the earlier version lacks: the rooms of today."""
    today = SCRIPT.parents[2] / "vdbench"
    modules = {
        "__init__": f"__path__.append({str(today)!r})",
        "assets": "Assets = 'earlier'",
        "clipset": "ClipSet = Normalisation = 'earlier'",
        "train": "Recipe = on_device = train_student = 'earlier'",
    }
    (tmp_path / "vdbench").mkdir()
    for name, text in modules.items():
        (tmp_path / "vdbench" / f"{name}.py").write_text(text)
    name = "ClipSet" if script == "noise" else "Recipe"
    code = f"import sys; sys.path[:0] = {[str(tmp_path), str(SCRIPT.parent)]}; import {script}; print({script}.{name})"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "earlier\n"
