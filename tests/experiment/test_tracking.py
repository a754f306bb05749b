"""Where the MLflow mirror lies, and what becomes of a run that ends long before it."""

import signal
import sqlite3
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from vdbench.experiment.home import Home
from vdbench.experiment.tracking import MlflowMirror, SharedWork, mirror_file


@pytest.mark.parametrize("name", ["job?3%2F7#b ü", "plain name"])
def test_everything_lies_in_the_home_whatever_it_is_called(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    sheet = tmp_path / "here" / "sheet.txt"
    sheet.write_text("a sheet")
    home = Home.at(tmp_path / name)
    mirror = MlflowMirror(home, "a run")
    mirror.record_work(SharedWork("asset", "title", {}, files=[sheet]))
    assert mirror.recording
    assert mirror_file(home).stat().st_size > 50_000
    assert [path.read_text() for path in (home.mlflow / "artifacts").rglob("sheet.txt")] == ["a sheet"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["here", name])
    assert list((tmp_path / "here").iterdir()) == [sheet]


def test_a_store_that_was_cut_short_while_it_was_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    home = Home.at(tmp_path)

    def killed(uri: str) -> None:
        with sqlite3.connect(uri.removeprefix("sqlite:///")) as half:
            half.execute("CREATE TABLE experiments (half INTEGER)")
        raise ConnectionError("this is where the process was killed")

    with monkeypatch.context() as patched, pytest.warns(UserWarning, match="is where the process was killed"):
        patched.setattr("mlflow.MlflowClient", killed)
        assert not MlflowMirror(home, "the first run").recording
    mirror = MlflowMirror(home, "the second run")
    mirror.record_work(SharedWork("asset", "title", {}))
    assert mirror.recording


class SlowClient:
    """A store that answers its first question, and the next when it may."""

    def __init__(self, uri: str) -> None:
        self.may, self.asked = threading.Event(), 0

    def search_experiments(self, max_results: int) -> None:
        """It can be reached."""

    def get_experiment_by_name(self, name: str) -> SimpleNamespace:
        self.asked += 1
        self.may.wait(60)
        raise ConnectionError("it was asked long enough")


def test_ctrl_c_forgoes_what_is_still_to_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = SlowClient("")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://slow.invalid")
    monkeypatch.setattr("mlflow.MlflowClient", lambda uri: client)
    mirror = MlflowMirror(Home.at(tmp_path), "a run")
    assert mirror.recording
    job = SimpleNamespace(trial=SimpleNamespace(distillation_id="made"))
    for number in range(3):
        mirror.finished(job, SimpleNamespace(id=str(number), suite="tiny"))
    assert mirror.behind == 3
    main = threading.main_thread().ident
    threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        mirror.close()
    with pytest.warns(UserWarning, match="is not recording: it was asked long enough"):
        client.may.set()
        while mirror.behind:
            time.sleep(0.01)
    assert client.asked == 1
