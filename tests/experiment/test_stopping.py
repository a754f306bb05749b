"""A request to stop: made by SIGTERM, withdrawn at the end, and how a trial is told before it is ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.experiment.test_trial import trial
from vdbench.experiment import progress as trial_progress
from vdbench.experiment.progress import TrialProgress, TrialTimeoutError
from vdbench.experiment.stopping import StopRequest
from vdbench.experiment.trial import Job
from vdbench.work.reports import silent


def job(home: Path, **changes: Any) -> Job:
    return Job(trial=trial(), settings={}, home=home, store=home, **changes)


def test_sigterm_makes_the_request_and_the_end_withdraws_it(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    stop = StopRequest(tmp_path)
    with stop.on_sigterm():
        assert not stop.made
        stop.raise_if_made()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.made
        assert StopRequest(tmp_path).made
        with pytest.raises(KeyboardInterrupt):
            stop.raise_if_made()
    assert not stop.made
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_request_that_a_killed_run_left_is_not_heeded(tmp_path: Path) -> None:
    (tmp_path / ".stop").touch()
    with StopRequest(tmp_path).on_sigterm():
        assert not StopRequest(tmp_path).made


def test_a_trial_is_told_to_keep_its_state_before_it_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_progress, "LOOK_EVERY", 0)
    progress = TrialProgress(silent, job(tmp_path))
    progress(1)
    assert not progress.due()
    (tmp_path / ".stop").touch()
    progress(2)  # notices
    assert progress.due()
    with pytest.raises(KeyboardInterrupt):
        progress(3)


def test_a_trial_that_is_too_slow_keeps_its_state_first(tmp_path: Path) -> None:
    progress = TrialProgress(silent, job(tmp_path, timeout=0.05))
    assert not progress.due()
    time.sleep(0.06)
    assert progress.due()
    with pytest.raises(TrialTimeoutError):
        progress(1)


def test_state_is_kept_at_intervals(tmp_path: Path) -> None:
    assert not TrialProgress(silent, job(tmp_path, checkpoint_every=3600)).due()
    progress = TrialProgress(silent, job(tmp_path, checkpoint_every=0))
    assert progress.due()
    assert progress.due()


STUCK = """
import sys, time
from pathlib import Path
from vdbench.experiment import stopping
stopping.GRACE, stopping.END = 0.5, 1.5
import os
stop = stopping.StopRequest(Path(sys.argv[1]))
def leave():
    print("given up", flush=True)
    os._exit(130)
try:
    with stop.on_sigterm(lambda: print("asked", flush=True), leave):
        print("ready", flush=True)
        while True:
            try:
                time.sleep(0.05)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
                if sys.argv[2] == "heeds":
                    raise
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("asks", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("how", "said"), [("heeds", ["asked", "interrupted"]), ("ignores", ["asked", "interrupted", "given up"])]
)
def test_work_that_never_looks_is_interrupted_and_then_given_up(
    tmp_path: Path, asks: signal.Signals, how: str, said: list[str]
) -> None:
    process = subprocess.Popen([sys.executable, "-c", STUCK, tmp_path, how], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(asks)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.split("\n")[:-1] == said
