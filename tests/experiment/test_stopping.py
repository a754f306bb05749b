"""A request to stop: made by SIGTERM, withdrawn at the end, and how a trial is told before it is ended."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.experiment.test_trial import trial
from vdbench.experiment import worker
from vdbench.experiment.stopping import StopRequest
from vdbench.experiment.trial import Job


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
    monkeypatch.setattr(worker, "LOOK_EVERY", 0)
    progress = worker._Progress(worker._silent, job(tmp_path))
    progress(1)
    assert not progress.due()
    (tmp_path / ".stop").touch()
    progress(2)  # notices
    assert progress.due()
    with pytest.raises(KeyboardInterrupt):
        progress(3)


def test_a_trial_that_is_too_slow_keeps_its_state_first(tmp_path: Path) -> None:
    progress = worker._Progress(worker._silent, job(tmp_path, timeout=0.05))
    assert not progress.due()
    time.sleep(0.06)
    assert progress.due()
    with pytest.raises(worker.TrialTimeoutError):
        progress(1)


def test_state_is_kept_at_intervals(tmp_path: Path) -> None:
    assert not worker._Progress(worker._silent, job(tmp_path, checkpoint_every=3600)).due()
    progress = worker._Progress(worker._silent, job(tmp_path, checkpoint_every=0))
    assert progress.due()
    assert progress.due()
