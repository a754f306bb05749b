"""Commands that only read do so where nothing can be written, and homes are merged as they are."""

from pathlib import Path

from tests.cli.conftest import Cli, tiny_run


def test_commands_that_only_read_make_no_home(cli: Cli, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for words in (["home", "check"], ["datasets", "list"]):
        assert cli(*words, "--home", home).code == 0
        assert not home.exists()


def test_a_home_is_merged_into_another(cli: Cli, home: Path, tmp_path: Path) -> None:
    assert cli(*tiny_run(home, "--seeds", 1)).code == 0
    other = tmp_path / "other"
    assert "added" in cli("results", "merge", home, "--home", other).out
    assert list((other / "results").glob("*.json"))
    assert cli("results", "validate", home).code == 0
    assert cli("results", "merge", home, "--home", other, "--into", tmp_path).code == 2
