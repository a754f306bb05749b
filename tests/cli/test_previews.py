"""Which previews the page shows: those of the home, or those beside the results, and no others."""

import shutil
from pathlib import Path

from tests.cli.conftest import Cli, tiny_run


def test_a_page_shows_the_previews_that_belong_to_its_results(cli: Cli, home: Path, tmp_path: Path) -> None:
    assert cli(*tiny_run(home)).code == 0
    ours = (home / "leaderboard" / "index.html").read_text()
    assert ours.count('<video src="data:video/mp4;base64,') == 1

    stored, board = tmp_path / "shared" / "results", tmp_path / "shared"
    assert cli("results", "export", stored, "--home", home).code == 0
    assert cli("leaderboard", "build", "--results", stored, "--out", board).code == 0
    assert "data:video" not in (board / "index.html").read_text()

    shutil.copytree(home / "distilled", board / "previews")
    assert cli("leaderboard", "check", "--results", stored, "--out", board).code == 1
    assert cli("leaderboard", "build", "--results", stored, "--out", board).code == 0
    assert (board / "index.html").read_text() == ours

    elsewhere = tmp_path / "empty"
    elsewhere.mkdir()
    asked = ("--results", stored, "--out", board, "--previews", elsewhere)
    assert cli("leaderboard", "build", *asked).code == 0
    assert "data:video" not in (board / "index.html").read_text()
    assert cli("leaderboard", "check", *asked).code == 0
