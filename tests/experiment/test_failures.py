"""What is recorded of an exception: its kind, a sentence that can be stored, and the traceback."""

import errno
from pathlib import Path

import pytest
import torch

from tests.experiment.test_stopping import job
from vdbench.errors import DataError, DivergedError, FailureKind, VdbenchError
from vdbench.experiment import bench, worker
from vdbench.experiment.failures import FEWER, SMALLER, failure_kind, failure_of, gpu_full, sentence_of
from vdbench.experiment.home import Home
from vdbench.experiment.reproducing import reproducibly


class OddError(VdbenchError):
    kind: FailureKind = "odd"  # type: ignore[assignment]


class SilentError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class OutcomeError(BaseException):
    pass


def ended_by_ray() -> SystemExit:
    error = SystemExit(0)
    error.ray_terminate_msg = "the process receives a SIGTERM"  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (DataError("a file is gone"), "data", "a file is gone"),
        (DivergedError("dm", 3), "diverged", "the loss of dm is not finite at step 3; lower its learning rate"),
        (OddError("x"), "bug", "x"),
        (MemoryError(), "oom", f"the memory of the machine ran out (MemoryError); {FEWER}, or {SMALLER}"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 80 bytes"),
            "oom",
            f"the memory of the machine ran out (RuntimeError); {FEWER}, or {SMALLER}",
        ),
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), "oom", gpu_full()),
        (RuntimeError("CUDA error: out of memory"), "oom", gpu_full()),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), "oom", gpu_full()),
        (ImportError("no such library"), "dependency", "ImportError: no such library"),
        (FileNotFoundError("gone"), "data", "FileNotFoundError: gone"),
        (
            PermissionError(errno.EACCES, "kept", "x"),
            "data",
            "the disk refuses x (kept); see to its permissions and run again",
        ),
        (OSError(errno.ENOSPC, "full", "x"), "data", "the disk refuses x (full); free some disk and run again"),
        (ValueError("two\nlines"), "bug", "ValueError: two lines"),
        (ValueError("half \ud800 a character"), "bug", "ValueError: half \\ud800 a character"),
        (SilentError(), "bug", "SilentError: it has no message that can be read"),
        (SystemExit(3), "bug", "it called sys.exit(3), which ends a program and not a trial"),
        (SystemExit("done"), "bug", "it called sys.exit('done'), which ends a program and not a trial"),
        (OutcomeError("x"), "bug", "OutcomeError: x"),
        (KeyboardInterrupt("asked to end"), "interrupted", "KeyboardInterrupt: asked to end"),
        (ended_by_ray(), "interrupted", "SystemExit: 0"),
    ],
)
def test_every_exception_is_of_a_kind_and_told_in_a_sentence(
    error: BaseException, kind: FailureKind, sentence: str
) -> None:
    assert (failure_kind(error), sentence_of(error)) == (kind, sentence)
    failure = failure_of(error, "distill")
    assert (failure.kind, failure.message, failure.stage) == (kind, sentence, "distill")
    failure.model_dump_json().encode()


def test_what_would_fit_on_a_gpu_depends_on_what_the_trial_had_of_it() -> None:
    shared, alone = gpu_full(20 << 30, 80 << 30), gpu_full(76 << 30, 80 << 30)
    assert "had 20.0 GiB of 80.0 GiB" in shared and "--gpus-per-trial 1" in shared and SMALLER not in shared
    assert "had 76.0 GiB of 80.0 GiB" in alone and "--gpus-per-trial" not in alone and SMALLER in alone


@pytest.mark.parametrize("error", [ValueError("half \ud800 a character"), SystemExit(3), SilentError()])
def test_whatever_ends_a_trial_leaves_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(bench, "open_view", fail)
    monkeypatch.setattr(worker.ClipStore, "open", lambda folder: None)
    mine = job(tmp_path)
    worker.run_trial(mine, lambda step, **metrics: None)
    stored = Home(tmp_path).results.read(mine.trial.id)
    assert stored is not None
    assert stored.failure is not None
    assert (stored.status, stored.failure.kind) == ("failed", "bug")
    assert stored.failure.details


def test_switches_are_put_back_as_they_were() -> None:
    switches = [
        (torch.backends.cudnn, "deterministic", True),
        (torch.backends.cudnn, "allow_tf32", False),
        (torch.backends.cuda.matmul, "allow_tf32", False),
    ]
    before = [getattr(place, name) for place, name, _ in switches]
    try:
        for others in (True, False):
            for place, name, _ in switches:
                setattr(place, name, others)
            with pytest.raises(ValueError), reproducibly():  # noqa: PT011
                assert [getattr(place, name) for place, name, _ in switches] == [wanted for *_, wanted in switches]
                raise ValueError
            assert [getattr(place, name) for place, name, _ in switches] == [others] * 3
    finally:
        for (place, name, _), value in zip(switches, before, strict=True):
            setattr(place, name, value)
