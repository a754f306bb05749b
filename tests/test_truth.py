"""benchmarks/truth.py: what is expected is held against made results."""

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from vdbench.registry import Registry
from vdbench_methods.learned import PixelMethod

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "truth.py"
TRUTH = runpy.run_path(str(SCRIPT))
Number, Order = TRUTH["Number"], TRUTH["Order"]
AT_TEN = sorted(["herding", *TRUTH["LEARNED"]])


def networks(
    method: str, ipc: int | None, top1: dict[int, list[float]], condition: str = "own"
) -> list[dict[str, Any]]:
    """Rows of load_results, in percent by seed."""
    return [
        {"result": f"{method}-{ipc}-{seed}", "method": method, "ipc": ipc, "seed": seed, "condition": condition,
         "network": 1000 * seed + place, "top1": value / 100}
        for seed, values in top1.items()
        for place, value in enumerate(values)
    ]  # fmt: skip


def frame(*rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame([row for some in rows for row in some]).astype({"ipc": "Int64"})


def told(
    expected: Any, *rows: list[dict[str, Any]], best: dict[tuple[str, int], float] | None = None
) -> tuple[str, str]:
    found: tuple[str, str] = expected.told(TRUTH["accuracies"](frame(*rows), best or {}))
    return found


@pytest.mark.parametrize(
    ("measured", "meets"),
    [
        ([12.2], True),
        ([12.3], False),
        ([11.5, 11.5], True),
        ([12.0, 14.0], True),
        ([13.0, 15.0], False),
        ([10.7], False),
    ],
)
def test_a_number_is_met_where_the_two_intervals_touch(measured: list[float], meets: bool) -> None:
    """11.5 with 0.7 ends at 12.2; 12 and 14 have a mean of 13 and a deviation of 1.41, and begin at 11.6."""
    line, well = told(Number(("random", 1), 11.5, 0.7), networks("random", 1, {0: measured}))
    assert (well == "met") is meets
    assert ("MISSES" in line) is not meets


def test_networks_count_where_they_were_best_and_other_conditions_do_not() -> None:
    line, well = told(
        Number(("dm", 1), 15.0, 0.1),
        networks("dm", 1, {0: [12.0], 1: [14.0]}),
        networks("dm", 1, {0: [99.0]}, "hard"),
        networks("dm", 10, {0: [50.0]}),
        best={("dm-1-0", 0): 0.15},
    )
    assert line.startswith("dm at IPC 1: 14.5 ± 0.7 chosen on test, 13.0 at the end; meets") and well == "met"


def test_a_method_without_a_budget_is_found_and_what_is_missing_is_no_success() -> None:
    line, well = told(Number(("full", None), 56.2, 1.2), networks("full", None, {0: [56.0]}))
    assert line.startswith("full: 56.0") and well == "met"
    for missing in (Number(("dm", 5), 1, 1), Order(("full", None), ("dm", 1), "")):
        line, well = told(missing, networks("full", None, {0: [56.0]}))
        assert "not measured" in line and well == "missed"


@pytest.mark.parametrize(
    ("ours", "state", "well"),
    [
        ({0: [51, 53], 1: [62, 62], 2: [73, 73]}, "+2.3 ± 0.7 points, holds", "met"),
        ({0: [51], 1: [59], 2: [71]}, "+0.3 ± 1.3 points, UNDECIDED", "undecided"),
        ({0: [48], 1: [57], 2: [68]}, "-2.3 ± 0.7 points, CONTRADICTED", "missed"),
        ({3: [80]}, "no seed in common", "missed"),
    ],
)
def test_an_order_is_paired_by_seed(ours: dict[int, list[float]], state: str, well: str) -> None:
    """Gains of 2, 2 and 3 points by seed: 2.33 with a standard error of 0.33, though seeds differ by 20."""
    order = Order(("herding", 10), ("dm", 10), "it is so")
    line, found = told(order, networks("herding", 10, ours), networks("dm", 10, {0: [50.0], 1: [60.0], 2: [70.0]}))
    assert f"herding at IPC 10 above dm at IPC 10: {state}" in line and found == well


def test_every_method_that_learns_pixels_is_expected_below_herding() -> None:
    registry = Registry()
    learns = {name for name in registry.names() if issubclass(registry.get(name), PixelMethod)}
    assert learns <= set(TRUTH["LEARNED"])


def result(method: str, ipc: int | None) -> Any:
    score = SimpleNamespace(seed=0, top1=0.2, checkpoints=[SimpleNamespace(top1=0.3), SimpleNamespace(top1=0.2)])
    return SimpleNamespace(id=f"{method}-{ipc}-0", students=[SimpleNamespace(scores=[score])])


def test_the_best_of_the_way_is_that_of_a_network() -> None:
    assert TRUTH["chosen_on_test"]([result("dm", 1)]) == {("dm-1-0", 0): 0.3}


@pytest.mark.parametrize(
    ("arguments", "runs", "values", "code"),
    [
        ([], [["dm", "full", "random"], AT_TEN], {"herding": 33.0, "dm": 15.0}, 0),
        ([], [["dm", "full", "random"], AT_TEN], {"herding": 13.0, "dm": 15.0}, 1),
        (["--reduced"], [["dm", "full", "herding", "mtt", "random"]], {"full": 80.0, "herding": 33.0, "dm": 15.0}, 0),
        (["--reduced", "--methods", "random,herding"], [["herding", "random"]], {"herding": 5.0}, 1),
        (["--reduced", "--methods", "random,herding"], [["herding", "random"]], {"herding": 11.5}, 3),
    ],
)
def test_the_exit_status_says_whether_all_is_met(
    arguments: list[str], runs: list[list[str]], values: dict[str, float], code: int,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Two seeds of one network each, alike, so that every difference decides."""
    asked, rows = [], []

    def run(methods: list[str], dataset: str, ipc: int, **means: Any) -> Any:
        asked.append(methods)
        assert (dataset, means["suite"]) == (
            ("ucf101", "quick") if arguments else ("miniucf-as-published", "as-published")
        )
        usual = {"random": 11.5, "dm": 15.1, "full": 56.2} | values
        found = []
        for method in {*methods, "random", "full"}:  # controls always run
            own = None if method == "full" else ipc
            top1 = 15.1 if (method, own) == ("dm", 1) else usual.get(method, 12.0)
            rows.extend(networks(method, own, {0: [top1], 1: [top1]}))
            found += [SimpleNamespace(id=f"{method}-{own}-{seed}", students=[]) for seed in (0, 1)]
        return SimpleNamespace(results=found, failures=(), home=tmp_path)

    monkeypatch.setattr("vdbench.run", run)
    monkeypatch.setattr("vdbench.load_results", lambda folder: frame(rows).drop_duplicates())
    assert TRUTH["main"](arguments) == code
    assert asked == runs
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == (1 if "--methods" in arguments else 4 if arguments else 10)
    assert any("MISSES" in line or "CONTRADICTED" in line for line in lines) is (code == 1)
    assert any("UNDECIDED" in line for line in lines) is (code == 3)
