"""docs/findings.md: its tables say what the committed leaderboard says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
CELLS = pd.read_csv(ROOT / "leaderboard" / "leaderboard.csv")
DATASETS = {"motion-digits": "motion-digits", "UCF101, 7 classes": "ucf101", "HMDB51, 10 classes": "hmdb51"}
NUMBER = re.compile(r"[-+]?\d+\.\d+")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its header."""
    lines = PAGE.split(f"\n## {heading}", 1)[1].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    ruler = next(place for place, row in enumerate(rows) if set("".join(row)) <= set("-: "))
    width = len(rows[ruler])
    found = []
    for row in rows[ruler + 1 :]:
        if len(row) != width or set("".join(row)) <= set("-: "):
            break
        found.append(row)
    return found


def cell(suite: str, dataset: str, method: str, ipc: int, student: str = "minic3d") -> pd.Series:
    """The row of the CSV; ``NAME@real`` is called ``NAME`` there."""
    found = CELLS[(CELLS.suite == suite) & (CELLS.dataset == dataset) & (CELLS.student == student)]
    ((_, row),) = found[(found.method == method.removesuffix("@real")) & (found.ipc == ipc)].iterrows()
    return row


def numbers(text: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(text.replace("−", "-"))]


def of_ten_seeds() -> Iterator[tuple[str, str, int, str, str]]:
    dataset = ""
    for name, *rest in table("Ten seeds"):
        heads = name.startswith("**")
        dataset = DATASETS[name.split("**")[1]] if heads else dataset
        method = "random" if heads else name.split(" (")[0]
        yield dataset, method, 1, rest[0], rest[1]
        yield dataset, method, 5, rest[2], rest[3]


@pytest.mark.parametrize(("dataset", "method", "ipc", "mean", "difference"), list(of_ten_seeds()))
def test_a_mean_of_ten_seeds_and_its_difference_to_random(
    dataset: str, method: str, ipc: int, mean: str, difference: str
) -> None:
    row = cell("quick", dataset, method, ipc)
    assert row.seeds == 10
    assert numbers(mean) == [pytest.approx(row.top1, abs=0.051)]
    if difference == "the same clips":
        assert row.top1 in {cell("quick", dataset, other, ipc).top1 for other in ("k-center", "k-means")}
    elif method != "random":
        against = ["", "_low", "_high", "_others_low", "_others_high"]
        assert numbers(difference) == pytest.approx([row[f"against_random{end}"] for end in against], abs=0.051)
        told = max(row.against_random_p, row.against_random_others_p) < 0.05
        assert difference.startswith("**") == told


def test_means_and_intervals_of_five_seeds() -> None:
    for method, *texts in table("Motion Digits, suite `small`"):
        for student, text in zip(("minic3d", "r2plus1d", "video-vit"), texts, strict=True):
            if method == "*full*":
                (full,) = CELLS[(CELLS.suite == "small") & (CELLS.dataset == "motion-digits")
                                & (CELLS.student == student) & (CELLS.method == "full")].top1  # fmt: skip
                assert numbers(text) == [pytest.approx(full, abs=0.051)]
                continue
            row = cell("small", "motion-digits", method.strip("`"), 5, student)
            assert numbers(text) == pytest.approx([row.top1, row.top1_others_low, row.top1_others_high], abs=0.051)
            assert text.startswith("**") == (max(row.against_random_p, row.against_random_others_p) < 0.05)


def test_in_how_many_recipes_a_method_is_above_random() -> None:
    for method, *halves in table("Motion Digits, suite `recipes`"):
        for ipc, count, gain in ((1, *halves[:2]), (5, *halves[2:])):
            row = cell("recipes", "motion-digits", method, ipc)
            assert count == f"{row.configurations_won:.0f} of {row.configurations:.0f}"
            if gain != "the same clips":
                ends = [row[f"configurations_gain{end}"] for end in ("", "_low", "_high")]
                assert numbers(gain) == pytest.approx(ends, abs=0.051)


@pytest.mark.parametrize(("heading", "dataset"), [("UCF101 in part, suite `small`", "ucf101"),
                                                  ("HMDB51 in part, suite `small`", "hmdb51")])  # fmt: skip
def test_means_over_students_of_three_seeds(heading: str, dataset: str) -> None:
    board = CELLS[(CELLS.suite == "small") & (CELLS.dataset == dataset)]
    halves = [half for row in table(heading) for half in (row[:3], row[3:]) if half[0]]
    assert len(halves) == board.method.nunique()
    for name, one, five in halves:
        own = board[board.method == name.strip("*")]
        for ipc, text in ((1, one), (5, five)):
            assert numbers(text) == [pytest.approx(own[own.ipc.isna() | (own.ipc == ipc)].top1.mean(), abs=0.051)]
