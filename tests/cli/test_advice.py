"""Commands that are printed as advice name the places that were typed, and those alone."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli, tiny_run
from tests.worlds import World, truncate


@pytest.mark.parametrize(
    ("typed", "advised"),
    [
        (["datasets", "show", "ucf101"], "datasets prepare ucf101 --data-root FOLDER --home {home}"),
        (["datasets", "verify", "hmdb51", "--data-root", "/v"], "datasets prepare hmdb51 --data-root /v --home {home}"),
        (
            ["run", "--datasets", "ucf101", "--partial", "--data-root", "my videos"],
            "datasets prepare ucf101 --data-root 'my videos' --partial --home {home}",
        ),
        (["generator", "sample", "ssv2"], "datasets prepare ssv2 --data-root FOLDER --home {home}"),
        (["results", "show", "abc"], "results list --home {home}"),
        (["results", "export", "{home}/out"], "run --home {home}"),
        (["leaderboard", "show"], "run --home {home}"),
        (["mlflow"], "mlflow --rebuild --home {home}"),
    ],
)
def test_advice_keeps_what_was_typed(cli: Cli, tmp_path: Path, typed: list[str], advised: str) -> None:
    home = tmp_path / "my home"
    answer = cli(*(word.format(home=home) for word in typed), "--home", home)
    assert answer.code in (2, 3)
    assert f"vdbench {advised.format(home=repr(str(home)))}" in answer.err


def test_advice_leaves_out_what_the_environment_names(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VDBENCH_HOME", str(tmp_path))
    monkeypatch.setenv("VDBENCH_DATA", str(tmp_path))
    assert cli("datasets", "verify", "ucf101").err.endswith("type: vdbench datasets prepare ucf101\n")


def test_advice_after_preparing_names_the_data_set_as_it_was_typed(cli: Cli, world: World, tmp_path: Path) -> None:
    from vdbench.datasets.spec import load_dataset

    declared, home = tmp_path / "own.yaml", tmp_path / "home"
    declared.write_text(load_dataset("ucf101").model_copy(update={"name": "own"}).model_dump_json())
    named = str(declared)
    missing = cli("datasets", "verify", named, "--home", home, "--data-root", world.root)
    assert f"vdbench datasets prepare {named} --data-root {world.root} --home {home}" in missing.err
    truncate(world.files()[0])
    shape = ["--frames", 8, "--size", 32, "--workers", 1, "--partial"]
    prepared = cli("datasets", "prepare", named, "--home", home, "--data-root", world.root, *shape)
    prepared.ended(0, f"`vdbench datasets show {named} --home {home}` names them")
    assert cli("datasets", "show", named, "--home", home).code == 0


def test_a_failed_trial_says_how_to_see_it(cli: Cli, home: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "failing.py"
    assert cli("methods", "new", "failing", "--folder", tmp_path).code == 0
    plugin.write_text(plugin.read_text().replace("distance = ", "distance = 1 / 0 + ", 1))
    answer = cli(*tiny_run(home, "--plugin", plugin, "--no-isolate", methods="failing")).ended(1)
    assert f" --home {home}; log {home}/logs/" in answer.err.split("(vdbench results show ")[1]
