"""The log of a trial: what is in it, how large it gets, and that it ends nothing."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tests.experiment.test_stopping import job
from vdbench.experiment import trial_log
from vdbench.experiment.home import Home
from vdbench.experiment.lost import lost
from vdbench.experiment.trial_log import LIMIT, LINE, TrialLog, crashed


def test_stages_warnings_and_the_traceback_stand_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "one.log"
    log = TrialLog(path)
    shown = warnings.showwarning
    with (
        pytest.raises(ValueError, match="half \ud800"),
        pytest.warns(UserWarning, match="frames are short"),
        log.attempt("herding  ucf101"),
    ):
        with log.stage("assets"):
            warnings.warn("frames are short", UserWarning, stacklevel=1)
        with log.stage("distill"):
            raise ValueError("half \ud800 a character")
    assert warnings.showwarning is shown
    told = path.read_text(encoding="utf-8")
    wanted = (
        "== ", "herding  ucf101", "assets begins", "UserWarning: frames are short", "assets done after 0.0 s",
        "distill begins", "distill broke off after", "Traceback", "ValueError: half \\ud800 a character",
    )  # fmt: skip
    places = [told.find(part) for part in wanted]
    assert -1 not in places and places == sorted(places), told


def test_a_log_grows_no_larger_than_its_limit_and_keeps_room_for_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, log = tmp_path / "one.log", TrialLog(tmp_path / "one.log")
    monkeypatch.setattr(warnings, "showwarning", lambda *shown, **named: None)
    with pytest.raises(KeyError), log.attempt("one"):
        for number in range(200):
            warnings.showwarning(UserWarning(f"{number} " * LINE), UserWarning, "file.py", 3)
        raise KeyError("the end")
    assert LIMIT // 2 < path.stat().st_size <= LIMIT
    assert path.read_text().rstrip().endswith("KeyError: 'the end'")
    with log.attempt("again"):
        pass
    assert path.stat().st_size < 1000, "a log that is more than half full was begun anew"
    for _ in range(200):
        log("x" * LINE)
    assert path.stat().st_size <= LIMIT


def test_another_attempt_stands_below_the_first(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "one.log")
    for title in ("first", "second"):
        with log.attempt(title):
            pass
    told = (tmp_path / "one.log").read_text()
    assert told.count(trial_log.ATTEMPT) == 2
    assert told.index("first") < told.index("second")


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file in its place")
    log, done = TrialLog(tmp_path / "logs" / "one.log"), []
    with log.crashes(), log.attempt("one"), log.stage("assets"):
        done.append(1)
    assert done
    assert crashed(tmp_path / "logs" / "one.log") == ""


CRASH = """
import os, signal, sys
from pathlib import Path
from vdbench.experiment.trial_log import TrialLog

def dive():
    os.kill(os.getpid(), getattr(signal, sys.argv[2]))

log = TrialLog(Path(sys.argv[1]))
with log.crashes(), log.attempt("one"):
    dive()
"""


@pytest.mark.parametrize(("signal", "kind"), [("SIGSEGV", "bug"), ("SIGKILL", "oom")])
def test_a_crash_is_told_from_a_kill_for_want_of_memory_by_the_log(tmp_path: Path, signal: str, kind: str) -> None:
    """Ray names both signals whenever a worker is gone."""
    mine = job(tmp_path)
    path = Home(tmp_path).log(mine.trial.id)
    subprocess.run([sys.executable, "-c", CRASH, str(path), signal], check=False)
    assert ("in dive" in crashed(path)) == (signal == "SIGSEGV")
    cause = "(1) The process is killed by SIGKILL by OOM killer (2) The worker is crashed due to SIGSEGV"
    failure = lost(mine, cause).failure
    assert failure is not None
    assert failure.kind == kind
    assert ("in dive" in failure.details) == (signal == "SIGSEGV")
    assert cause in failure.details
    assert ("--workers" in failure.message) == (signal == "SIGKILL")
    assert failure.message in path.read_text()
    with TrialLog(path).attempt("again"):
        pass
    assert crashed(path) == "", "what crashed was an earlier attempt"
