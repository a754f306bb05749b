"""`vdbench run` at equal bytes and under every condition: what is asked for is what results and tables hold."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, results, tiny_run
from tests.conftest import Watch
from vdbench.distilled import DistilledSet
from vdbench.experiment.home import Home
from vdbench.experiment.result import Result
from vdbench.experiment.rules import faults_of
from vdbench_methods.random import Random

PIXELS = 4 * 16 * 16 * 3
"""Bytes of one clip of uint8 pixels in these runs."""
CLASSES = 3


def at(home: Path, budget: str, *more: object, methods: str = "random,herding") -> list[str]:
    """Arguments of a run with a budget of bytes instead of an IPC."""
    words = tiny_run(home, "--budget", budget, *more, methods=methods)
    place = words.index("--ipc")
    return words[:place] + words[place + 2 :]


def budgeted(home: Path) -> list[Result]:
    return [result for result in results(home).values() if result.method != "full"]


def test_every_method_gets_the_largest_ipc_that_fits(cli: Cli, home: Path) -> None:
    allowed = 2 * CLASSES * PIXELS + 100
    answer = cli(*at(home, f"bytes={allowed}")).ended(0)
    found = budgeted(home)
    assert {result.method for result in found} == {"random", "herding"}
    for result in found:
        assert (result.ipc, result.budget_bytes, result.codec) == (2, allowed, None)
        assert result.stored_bytes == 2 * CLASSES * PIXELS <= allowed
    assert f"{allowed / 1024:.1f} KiB" in answer.out


def test_a_codec_stores_what_is_judged(cli: Cli, home: Path) -> None:
    cli(*at(home, "3KiB", "--codec", "h264:40")).ended(0)
    for result in budgeted(home):
        assert result.distilled is not None
        stored = DistilledSet.load(home / "distilled" / result.distilled)
        assert stored.record.form == "video"
        assert result.codec == "h264:40"
        assert result.stored_as == stored.record.codec
        assert result.stored_bytes == stored.stored_bytes <= 3 << 10
        assert result.ipc is not None
        assert result.ipc >= 1
        assert len(stored) == CLASSES * result.ipc
    assert cli(*at(home, "3KiB", "--codec", "h264:40")).err.count("0 to run") == 1


def test_a_set_is_verified_by_what_it_was_stored_as_and_not_by_what_was_asked(cli: Cli, home: Path) -> None:
    assert cli(*at(home, "3KiB", "--codec", "h264:40")).code == 0
    result = budgeted(home)[0]
    again = ["evaluate", home / "distilled" / str(result.distilled), "--verify", result.id, "--home", home]
    Home(home).results.write(result.model_copy(update={"codec": "h264:1"}))
    assert cli(*again).code == 0
    Home(home).results.write(result.model_copy(update={"stored_as": "h264:1"}))
    assert "its stored_as is h264:40, not h264:1" in cli(*again).err


def test_plans_tell_of_budgets(cli: Cli, home: Path) -> None:
    answer = cli(*at(home, "bytes=20KiB,bytes=10KiB", "--codec", "uint8", "--dry-run", "--json"))
    trials = json.loads(answer.out)["trials"]
    ipc = {(t["method"], t["budget_bytes"]): t["ipc"] for t in trials}
    assert ipc["random", 10 << 10] == (10 << 10) // (CLASSES * PIXELS) == 1
    assert ipc["random", 20 << 10] == (20 << 10) // (CLASSES * PIXELS) == 2
    assert ipc["full", None] is None


@pytest.mark.parametrize(
    ("budget", "codec", "sentence"),
    [
        ("2KiB", "uint8", "one clip per class of random on ucf101 takes 9216 bytes, more than the budget of 2048"),
        ("lots", "uint8", "--budget lots is no number of bytes"),
        ("1MiB", "av1", "unknown codec 'av1'"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(cli: Cli, home: Path, budget: str, codec: str, sentence: str) -> None:
    answer = cli(*at(home, budget, "--codec", codec)).ended(2, sentence)
    assert "Traceback" not in answer.err


def test_conditions_stand_in_results_curves_and_tables(cli: Cli, home: Path) -> None:
    conditions = ["--set", "protocol.labels=[hard, soft]", "--set", "protocol.augmentation={crop: 0.1}"]
    cli(*tiny_run(home, *conditions, methods="random")).ended(0, "building teacher for ucf101")
    (random,) = budgeted(home)
    assert [way.name for way in random.conditions] == ["soft", "own-augmented"]
    assert random.protocol["augmentation"] == {"mirror": True, "crop": 0.1, "jitter": 1}
    (score,) = random.students[0].scores
    assert None not in (score.macro, score.shuffled, score.still)
    assert sum(count for _, _, count in random.students[0].confusion) == random.dataset.test_clips
    (full,) = [result for result in results(home).values() if result.method == "full"]
    assert full.conditions == ()
    table = (home / "leaderboard" / "leaderboard.csv").read_text()
    assert "lrs" in table.splitlines()[0].split(",")


def test_a_set_is_distilled_once_for_all_configurations_and_a_new_one_judges_it_again(
    cli: Cli, home: Path, watched: Watch
) -> None:
    distill = watched(Random, "distill")
    first = tiny_run(home, "--seeds", 2, "--set", "protocol.configurations={same: {}}")
    assert cli(*first).code == 0
    trials = [result for result in budgeted(home) if result.method == "random"]
    assert [[way.name for way in result.conditions] for result in trials] == [["own.same"]] * 2
    for result in trials:
        (same,) = result.conditions
        assert [s.outcomes for s in same.students[0].scores] == [s.outcomes for s in result.students[0].scores]
    assert cli(*first).err.count("0 to run") == 1
    more = [*first, "--set", "protocol.configurations.adamw={recipe: {optimiser: adamw, lr: 0.001}}"]
    assert cli(*more).code == 0
    assert sorted(task.seed for (_, task), _ in distill.call_args_list) == [0, 1]
    names = {tuple(way.name for way in result.conditions) for result in budgeted(home)}
    assert names == {("own.same",), ("own.adamw", "own.same")}
    assert cli("leaderboard", "check", "--home", home).code == 0
    assert all(not list(faults_of(result)) for result in budgeted(home))
