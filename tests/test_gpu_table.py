"""The arithmetic of what is measured on a GPU, with planted clocks and traces, and a table that comes in any case."""

import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from importlib import import_module
from itertools import count
from pathlib import Path
from threading import Thread
from types import ModuleType

import numpy as np
import pytest
import torch

FOLDER = Path(__file__).parents[1] / "benchmarks" / "speed"
CPU = torch.device("cpu")
ASKED = Namespace(
    device="cpu", classes=4, clips=40, frames=4, size=16, width=4, steps=20, lr=1e-4, seconds=1e9,
    learn=2, learn_lr=1e-3, strength=64,
)  # fmt: skip


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield {
        name: import_module(name)
        for name in ("marks", "noise", "gpu_training", "gpu_methods", "gpu_networks", "gpu", "whole")
    }
    for path in FOLDER.glob("*.py"):
        sys.modules.pop(path.stem, None)


def test_a_process_that_is_waited_for_when_time_is_up_is_ended(
    scripts: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What started it then goes on, and takes its folder away."""
    gpu, ended = scripts["gpu"], []
    monkeypatch.setattr(gpu, "GRACE", 0)
    monkeypatch.setattr(gpu.os, "_exit", ended.append)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        monkeypatch.setattr(gpu, "RUNNING", [process])
        watch = Thread(target=gpu.give_up, args=[gpu.Table([gpu.Row("a row", "", str)])])
        watch.start(), watch.join()
        assert process.wait(60) != 0
    assert ended == [1] and "| a row | not measured: no time was left |" in capsys.readouterr().out


def test_what_lies_between_the_first_mark_and_the_last_is_measured(scripts: dict[str, ModuleType]) -> None:
    moments = iter([10.0, 11.0, 14.0])
    marks = scripts["marks"].Marks(CPU, every=2, clock=lambda: next(moments))
    for step in range(1, 8):
        marks(step, 5 * step)
    assert marks.whole == (4.0, 4, 20)  # from the second step to the sixth


def test_one_mark_is_no_measurement(scripts: dict[str, ModuleType]) -> None:
    marks = scripts["marks"].Marks(CPU)
    marks(1)
    with pytest.raises(ValueError, match="1 marks"):
        _ = marks.whole


def test_measuring_ends_when_there_is_enough(scripts: dict[str, ModuleType]) -> None:
    moments = count(100)
    marks = scripts["marks"].Marks(CPU, most=2, clock=lambda: float(next(moments)))
    marks(1), marks(2)
    with pytest.raises(scripts["marks"].EnoughError):
        marks(3)
    assert marks.whole.seconds == 2


def ticking(scripts: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Make a second pass between two looks at the clock."""
    moments, plain = count(), scripts["marks"].Marks

    def marks(*words: object, **named: object) -> object:
        return plain(*words, **named, clock=lambda: float(next(moments)))

    for name in modules:
        monkeypatch.setattr(scripts[name], "Marks", marks)


def test_a_share_counts_the_clips_that_were_shown(
    scripts: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    training = scripts["gpu_training"]
    ticking(scripts, monkeypatch, "gpu_training")
    monkeypatch.setattr(training, "BATCH", 3)  # of four clips: an epoch has batches of three and of one
    monkeypatch.setattr(training, "matmul_rate", lambda device: 100.0)
    monkeypatch.setattr(training, "operations", lambda *shape: 10.0)
    # a mark every two steps, hence half a second a step; four clips in two steps make 4 a second and 40 operations
    assert training.step(training.one_each, "float32", ASKED) == "500.00 ms, 4 clips/s, 0.400 of the rate, 0.0 GiB"


def test_a_split_has_whole_batches_alone(scripts: dict[str, ModuleType]) -> None:
    training = scripts["gpu_training"]
    assert len(training.train_split(Namespace(**vars(ASKED) | {"clips": 700}))) == 512
    assert len(training.train_split(Namespace(**vars(ASKED) | {"clips": 3328, "size": 2}))) == 13 * 256


def test_operations_of_a_step_are_those_of_the_issue(scripts: dict[str, ModuleType]) -> None:
    each = scripts["gpu_training"].operations(50, 16, 112, 64)
    assert each == pytest.approx(38e15 / 5000 / 256, rel=0.05)


def test_test_passes_are_counted(scripts: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    ticking(scripts, monkeypatch, "gpu_training")
    assert scripts["gpu_training"].testing(ASKED) == "1.00 s, 120 clips/s"  # three passes of forty clips a second


def test_iterations_are_counted_and_nothing_is_kept(
    scripts: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    methods, moments = scripts["gpu_methods"], count()

    def setup(self: object, device: torch.device, most: float) -> None:
        scripts["marks"].Marks.__init__(self, device, 1, most, lambda: 3.0 * next(moments))

    monkeypatch.setattr(methods.Waiting, "__init__", setup)

    assert methods.iteration(methods.DM, 2, methods.SMALL, ASKED) == "3.000 s, 0.0 GiB"
    assert next(moments) == 3  # of the five iterations, all but the first two


def test_bytes_copies_and_waits_are_counted_per_step(scripts: dict[str, ModuleType]) -> None:
    copy = {"cat": "gpu_memcpy", "name": "Memcpy HtoD (Pageable -> Device)", "args": {"bytes": 400}}
    back = {"cat": "gpu_memcpy", "name": "Memcpy DtoH (Device -> Pageable)", "args": {"bytes": 7}}
    wait = {"cat": "cuda_runtime", "name": "cudaStreamSynchronize"}
    trace = {"traceEvents": [copy, copy, back, wait, {"cat": "kernel", "name": "conv"}, {"name": "no kind"}]}
    assert scripts["gpu_training"].crossings(trace, 4) == "200 bytes in 0.50 copies, 0.25 waits"


def test_a_profiler_that_saw_nothing_proves_nothing(scripts: dict[str, ModuleType]) -> None:
    with pytest.raises(ValueError, match="no kernels"):
        scripts["gpu_training"].crossings({"traceEvents": [{"cat": "cpu_op", "name": "aten::add"}]}, 4)


def test_precisions_are_compared_with_the_spread_of_seeds(scripts: dict[str, ModuleType]) -> None:
    curves = {"float32": np.array([[2.0, 1.0], [2.0, 1.25]]), "bf16": np.array([[2.0, 1.5], [2.0, 1.5]])}
    scores = {"float32": np.array([0.5, 0.75]), "bf16": np.array([0.5, 0.5])}
    told = scripts["gpu_training"].compared(curves, scores)
    assert told.startswith("top-1 0.125 apart, within the seeds' 0.250; loss 0.375 apart, beyond the seeds' 0.250; ")
    assert told.endswith("top-1 of float32 0.625, loss 1.125, bf16 0.500, loss 1.500")


def test_classes_differ_by_colours_that_every_seed_shares(scripts: dict[str, ModuleType]) -> None:
    train, test = (scripts["noise"].coloured(8, 2, 16, 16, seed).clips.astype(float) for seed in (0, 1))
    assert not np.array_equal(train, test)
    means = {name: clips.reshape(4, 2, -1).mean(0) for name, clips in (("train", train), ("test", test))}
    across = np.abs(means["train"] - means["test"]).mean()
    assert across < np.abs(means["train"][0] - means["train"][1]).mean()


def test_a_row_that_fails_says_why_in_one_cell(scripts: dict[str, ModuleType]) -> None:
    gpu = scripts["gpu"]

    def fails(asked: Namespace) -> str:
        raise RuntimeError("out | of\nmemory")

    table = gpu.Table([gpu.Row("first", "", fails), gpu.Row("second", "", lambda asked: "1 s")])
    table.measure(ASKED, float("inf"))
    assert table.values == ["failed: RuntimeError: out / of", "1 s"]
    assert not table.whole


def test_another_versions_code_is_not_taken_for_that_of_the_base(
    scripts: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gpu = scripts["gpu"]
    words, popen = (
        [sys.executable, "-c", """print('{"code": "/elsewhere", "clips_per_second": 5}')"""],
        subprocess.Popen,
    )
    monkeypatch.setattr(gpu.subprocess, "Popen", lambda command, **named: popen(words, **named))
    with pytest.raises(ValueError, match="elsewhere"):
        gpu.told_by(tmp_path, Namespace(**vars(ASKED) | {"left": 600}))
    assert not gpu.RUNNING


@pytest.mark.parametrize("hangs", ["threading.Event().wait()", "os.kill(os.getpid(), signal.SIGTERM)"])
def test_the_table_comes_when_a_row_hangs_and_when_the_process_is_told_to_end(hangs: str) -> None:
    code = f"""
import os, signal, sys, threading
sys.path.insert(0, {str(FOLDER)!r})
sys.argv = ["gpu.py", "--device=cpu", "--minutes=0.02"]
import gpu
gpu.GRACE = 1
gpu.gpu_methods.rows = gpu.gpu_networks.rows = lambda asked: []
gpu.gpu_training.rows = lambda asked: [
    gpu.Row("first", "", lambda asked: "1 s"), gpu.Row("second", "", lambda asked: {hangs}), gpu.Row("third", "", str)
]
gpu.main()
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 1
    *_, first, second, third = ended.stdout.splitlines()
    assert first == "| first | 1 s |  |"
    assert second.startswith("| second | not measured")
    assert third.startswith("| third | not measured")


def test_a_network_that_is_made_ready_is_timed_beside_one_that_is_not(
    scripts: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticking(scripts, monkeypatch, "gpu_training")
    made: list[object] = []
    monkeypatch.setattr(scripts["gpu_networks"], "best", lambda device: "float32")
    networks = scripts["gpu_networks"]
    found = networks.otherwise(lambda student, asked: made.append(student) or student, ASKED)
    assert len(made) == 1
    # a mark every two steps, hence half a second a step, of each
    assert found == "500.00 ms, 500.00 ms as it is, in float32"


def test_networks_side_by_side_have_the_losses_that_they_have_alone(
    scripts: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = scripts["gpu_networks"]
    assert networks.side_by_side(ASKED).endswith("equal losses")
    turns = networks.train_in_turns
    monkeypatch.setattr(
        networks, "train_in_turns", lambda some, device: turns(some, device) if len(some) == 1 else [()] * len(some)
    )
    with pytest.raises(ValueError, match="other losses"):
        networks.side_by_side(ASKED)
