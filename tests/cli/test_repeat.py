"""The command that repeats a row: typed as it is, it plans the very trials that the row was made of."""

import json
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import TINY, Cli
from vdbench.experiment.repeat import repeat_command
from vdbench.experiment.result import Result
from vdbench.experiment.result_store import ResultStore


def ids(cli: Cli, prepared: Path, command: str) -> set[str]:
    program, *words = shlex.split(command)
    assert program == "vdbench"
    answer = cli(*words, "--home", prepared, "--dry-run", "--json").ended(0)
    return {trial["trial"] for trial in json.loads(answer.out)["trials"]}


RUNS = {
    "as the suite says": ["--suite", "quick", "--methods", "mtt,vdsd,herding", "--ipc", 1],
    "a modified protocol": ["--suite", "quick", "--methods", "random", "--ipc", 1, *TINY],
    "settings, nested ones too": [
        "--suite", "quick", "--methods", "herding,tac-dt@real", "--ipc", 2, "--set", "herding.encoder.name=pixels",
        "--set", "herding.encoder.dim=7", "--set", "tac-dt.window=3",
    ],
    "a choice that changes what is prescribed": [
        "--suite", "quick", "--methods", "vdsd", "--ipc", 1, "--set", "vdsd.base=dm", "--set", "vdsd.lr_dynamic=1e-7",
    ],
    "another pool, and its generator": [
        "--suite", "factorial", "--methods", "tac-dt,random@generated", "--ipc", 1,
        "--set", "generator.training.steps=7", "--set", "generator.sampling.guidance=1.5",
    ],
    "a preset of the generator": [
        "--suite", "factorial", "--methods", "k-means@generated", "--ipc", 1, "--set", "generator.preset=small",
    ],
    "methods that sample by the generator": [
        "--suite", "quick", "--methods", "d4m,mode-guided@generated", "--ipc", 1, "--set", "d4m.strength=0.4",
        "--set", "generator.training.steps=7",
    ],
    "bytes and a codec": ["--suite", "quick", "--methods", "random,dm", "--budget", "bytes=512KiB", "--codec", "uint8"],
    "odd bytes": ["--suite", "quick", "--methods", "random", "--budget", "bytes=400001"],
    "configurations and tests on the way": [
        "--suite", "quick", "--methods", "random", "--ipc", 1, "--set", "protocol.checkpoints=[0.5, 1]", "--set",
        "protocol.configurations={same: {}, b: {recipe: {lr: 1, augmentation: {}}}, c: {student: {width: 5}}}",
    ],
    "augmentation": [
        "--suite", "small", "--methods", "random", "--ipc", 1, "--set", "protocol.augmentation=null",
        "--set", "protocol.students=[{name: minic3d, width: 4}]",
    ],
}  # fmt: skip


@pytest.mark.parametrize("arguments", RUNS.values(), ids=RUNS)
def test_the_command_and_the_result_plan_the_trials_of_a_row(
    cli: Cli, prepared: Path, tmp_path: Path, planned, arguments
) -> None:
    results = planned("--partial", "--seeds", 2, *arguments)
    rows: dict[tuple[object, ...], list[Result]] = {}
    for result in results:
        rows.setdefault((result.label, result.ipc), []).append(result)
    assert len(rows) >= 2
    for row in rows.values():
        command = repeat_command(row)
        assert {result.id for result in row} <= ids(cli, prepared, command), command
        file = ResultStore(tmp_path).write(row[-1])
        assert ids(cli, prepared, f"vdbench run --from {file}") == {row[-1].id}
        assert ids(cli, prepared, f"vdbench run --from {file} --seeds 2") == {result.id for result in row}


@pytest.mark.parametrize("method", ["d4m", "mode-guided"])
def test_clips_of_another_generator_are_another_trial(cli: Cli, prepared: Path, method: str) -> None:
    asked = f"vdbench run --partial --suite quick --datasets ucf101 --methods {method} --ipc 1 --seeds 1"
    controls = ids(cli, prepared, asked.replace(method, "random"))
    changes = ["", " --set generator.training.steps=7", " --set generator.sampling.steps=5"]
    own = [ids(cli, prepared, asked + change) - controls for change in changes]
    assert [len(one) for one in own] == [1, 1, 1]
    assert len(set.union(*own)) == 3


def test_what_the_suite_and_the_defaults_say_is_not_repeated(planned) -> None:
    results = {
        r.label: [r]
        for r in planned("--partial", "--suite", "quick", "--methods", "mtt,tac-dt@real", "--ipc", 1)
        if r.seed == 2
    }
    assert repeat_command(results["mtt"]) == (
        "vdbench run --suite quick --datasets ucf101 --methods mtt --ipc 1 --seeds 3 --partial"
    )
    assert "--methods tac-dt@real --ipc 1" in repeat_command(results["tac-dt"])
    assert "--methods full --ipc 1" in repeat_command(results["full"])


def test_a_method_of_somebody_else_gets_all_that_was_not_prescribed(planned) -> None:
    (result, *_) = planned("--partial", "--suite", "quick", "--methods", "random", "--ipc", 1)
    other = result.model_copy(
        update={"method": "theirs", "settings": {"a": {"b": "x y"}, "c": 1e-7, "d": 2}, "prescribed": {"d": 2}}
    )
    assert repeat_command([other]).endswith("--set 'theirs.a.b=x y' --set theirs.c=1.0e-07")


def test_settings_that_this_version_does_not_know_are_still_told(planned) -> None:
    (result, *_) = planned("--partial", "--suite", "quick", "--methods", "random", "--ipc", 1)
    old = result.model_copy(update={"method": "herding", "settings": {"gone": 1}, "suite": "retired"})
    assert "--suite retired" in repeat_command([old])
    assert "--set herding.gone=1" in repeat_command([old])


def test_a_generator_that_is_not_described_whole_is_still_told(planned) -> None:
    (result, *_) = planned("--partial", "--suite", "quick", "--methods", "random", "--ipc", 1)
    settings = {**result.settings, "generator": {"source": "pipeline", "prompt": "a {class}"}}
    strange = result.model_copy(update={"settings": settings, "prescribed": {"generator": None}})
    assert "--set 'generator.prompt=a {class}'" in repeat_command([strange])


def test_a_result_is_run_again_whatever_the_defaults_are_by_now_and_a_difference_is_told(
    cli: Cli, prepared: Path, tmp_path: Path, planned
) -> None:
    run = planned("--partial", "--suite", "quick", "--methods", "herding", "--ipc", 1, "--seeds", 1, *TINY)
    result = next(result for result in run if result.method == "herding")
    retired = result.model_copy(update={"suite": "retired-bent"})
    file = ResultStore(tmp_path).write(retired)
    assert ids(cli, prepared, f"vdbench run --from {file}") == {result.id}
    options = ["--home", prepared, "--from", file, "--dry-run"]
    assert "another id" not in cli("run", *options).err
    moved = retired.model_copy(update={"id": "0" * 16})
    answer = cli("run", "--home", prepared, "--from", ResultStore(tmp_path).write(moved), "--dry-run")
    assert f"the trial of result {'0' * 16} has another id here, {result.id}" in answer.err
    for option in (("--ipc", 5), ("--set", "herding.encoder=pixels"), ("--suite", "small")):
        cli("run", *options, *option).ended(2, f"{option[0]} has no effect beside --from")
    assert cli("run", "--home", prepared, "--from", tmp_path / "none.json").code == 3


def test_a_row_from_before_networks_were_drawn_anew_is_repeated_with_one_draw(planned) -> None:
    """Results of vdbench 0.1 do not name their draws: every seed had the encoder, teacher and experts of draw 0."""
    asked = ("--partial", "--suite", "quick", "--methods", "herding", "--ipc", 1, "--seeds", 2)
    now = {(r.label, r.seed): r for r in planned(*asked)}
    then = {(r.label, r.seed): r for r in planned(*asked, "--set", "protocol.draws=1")}
    old = [
        Result.model_validate(
            then["herding", seed].model_dump(mode="json", exclude={"draws"}) | {"stages": {"assets": {"seconds": 1.0}}}
        )
        for seed in range(2)
    ]
    assert "--set protocol.draws=1" in repeat_command(old)
    assert "draws" not in repeat_command([now["herding", 0], now["herding", 1]])
    assert "draws" not in repeat_command([now["random", 0]])


def test_a_row_whose_later_seeds_had_draws_of_their_own_is_repeated_with_these(planned) -> None:
    asked = ("--partial", "--suite", "quick", "--methods", "herding", "--ipc", 1)
    fixed = [r for r in planned(*asked, "--seeds", 3) if r.label == "herding"]
    added = [r for r in planned(*asked, "--until", "told", "--most-seeds", 5) if r.label == "herding"]
    ids = {r.id for r in fixed}
    row = [*fixed, *(r for r in added if r.id not in ids)]
    assert sorted(r.seed for r in row) == [0, 1, 2, 3, 4]
    assert "--set protocol.draws=5" in repeat_command(row)
