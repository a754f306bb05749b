"""Where the MLflow mirror lies."""

from pathlib import Path

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
