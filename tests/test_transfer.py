"""benchmarks/transfer.py, which asks whether one preset holds for other clips."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import worlds
from tests.leaderboard.conftest import clip_list, judged, make_result, store
from vdbench.datasets.spec import load_dataset
from vdbench.records import Condition
from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes

TRANSFER = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "transfer.py"))
SEEDS, CLIPS = 5, 60


def planted(gains: dict[str, float], seed: int = 0) -> dict[str, ClipOutcomes]:
    """Methods whose chance of a right answer is 60 %, and so many points more for those that are named."""
    rng = np.random.default_rng(seed)
    labels, sources = np.arange(CLIPS) % 4, np.arange(CLIPS)
    return {
        method: ClipOutcomes(
            {k: np.where(rng.random(CLIPS) < 0.6 + gains.get(method, 0) / 100, 100.0, 0.0) for k in range(SEEDS)},
            "clips", labels, sources,
        )
        for method in ("random", "mtt", "vdsd")
    }  # fmt: skip


def test_subsets_are_of_classes_that_are_at_hand_and_differ() -> None:
    spec, names = load_dataset("hmdb51"), list("abcdefgh")
    drawn = [subset.subset for subset in TRANSFER["subsets"](spec, names, 0)]
    assert [len(subset) for subset in drawn] == [2, 2, 3, 5, 7]
    assert len(set(drawn)) == 5
    assert {name for subset in drawn for name in subset} <= set(names)
    assert drawn == [subset.subset for subset in TRANSFER["subsets"](spec, names, 0)]
    others = list(TRANSFER["subsets"](spec, names, 1))
    assert drawn != [subset.subset for subset in others]
    assert [subset.name for subset in others][::4] == ["hmdb51-2-a1", "hmdb51-7-e1"]
    assert [subset.classes for subset in TRANSFER["subsets"](spec, names[:4], 0)] == [2, 2, 3]


def test_subsets_are_declared_and_prepared(tmp_path: Path) -> None:
    world = worlds.ucf_world(tmp_path / "videos", classes=4)
    names = TRANSFER["declared"]("ucf101", world.root, tmp_path / "home", 0)
    assert names == ["ucf101-2-a", "ucf101-2-b", "ucf101-3-c"]
    assert [load_dataset(name, tmp_path / "home").classes for name in names] == [2, 2, 3]


def test_a_method_that_harms_is_below_random_there_and_nowhere_else() -> None:
    cells = {("a", 1): planted({}), ("b", 1): planted({"vdsd": -40.0}, 1), ("b", 5): planted({"mtt": 30.0}, 2)}
    found = TRANSFER["rows"](cells)
    assert {key for key, row in found.items() if row.below} == {("vdsd", ("b", 1))}
    row = found["mtt", ("b", 5)]
    won = cells["b", 5]
    assert row.these.mean == pytest.approx(np.mean([won["mtt"].won[k] - won["random"].won[k] for k in range(SEEDS)]))
    assert row.others.mean == row.these.mean > max(row.others.low, row.these.low) > 0
    text = TRANSFER["table"](found)
    assert f"| b | 5 | {row.base:.1f} | **+{row.these.mean:.1f}** (" in text
    assert len(text.splitlines()) == 2 + len(cells)


def test_a_lead_of_the_recipe_is_none_over_random_clips_at_that_recipe() -> None:
    cells = {("a", 1): planted({"mtt": 30.0}), ("b", 1): planted({"vdsd": -30.0}, 1)}
    for place, other in ((("a", 1), planted({"random": 30.0}, 2)), (("b", 1), planted({"random": 30.0}, 3))):
        cells[place] |= {TRANSFER["control"](method): other["random"] for method in ("mtt", "vdsd")}
    suite, own = (TRANSFER["rows"](cells, same_recipe) for same_recipe in (False, True))
    assert suite["mtt", ("a", 1)].these.low > 0 > own["mtt", ("a", 1)].these.low
    assert own["mtt", ("a", 1)].base > 80 > suite["mtt", ("a", 1)].base
    assert {key for key, row in own.items() if row.below} == {("mtt", ("b", 1)), ("vdsd", ("a", 1)), ("vdsd", ("b", 1))}
    assert {key for key, row in suite.items() if row.below} == {("vdsd", ("b", 1))}
    text = TRANSFER["table"](own)
    assert f"| b | 1 | {own['mtt', ('b', 1)].base:.1f} |" in text and f"| {own['vdsd', ('b', 1)].base:.1f} |" in text


def test_rows_without_results_are_named_and_not_filled_with_others() -> None:
    """Random clips at the suite's recipe do not stand in for those at the method's own."""
    cells = {("a", 1): planted({}), ("b", 1): planted({}, 1)}
    whole = planted({"random": 30.0}, 2)["random"]
    few = ClipOutcomes({3: whole.won[3]}, whole.test_set, whole.labels, whole.sources)
    some = ClipOutcomes({k: whole.won[k] for k in (0, 1, 4)}, whole.test_set, whole.labels, whole.sources)
    cells["a", 1] |= {TRANSFER["control"]("mtt"): some, TRANSFER["control"]("vdsd"): few}
    places = [*cells, ("c", 1)]
    own = TRANSFER["rows"](cells, same_recipe=True)
    assert set(own) == {("mtt", ("a", 1))}
    assert own["mtt", ("a", 1)].base == pytest.approx(np.mean([some.won[k] for k in (0, 1, 4)]))
    assert TRANSFER["table"](own).splitlines()[2].endswith("|  | no row |")
    said = TRANSFER["lacking"](cells, places, SEEDS, True)
    assert said[0] == ("mtt on a at IPC 1: seeds 2, 3 without a result of it or of random as mtt, left out of its row")
    assert said[1].startswith("vdsd on a at IPC 1: seeds 0, 1, 2, 4 ") and said[1].endswith("so that there is no row")
    assert len(said) == 6, "all of b, which has no such clips, and of c, which has no results"
    assert len(TRANSFER["lacking"](cells, places, SEEDS, False)) == 2
    assert len(TRANSFER["rows"](cells)) == 4


def test_random_clips_at_a_methods_recipe_are_read_beside_it(tmp_path: Path) -> None:
    clips, rng = clip_list("motion-digits"), np.random.default_rng(0)
    level = {"random": 0.4, "mtt": 0.6, "vdsd": 0.5, "random as mtt": 0.55, "random as vdsd": 0.45}
    won = {name: rng.random((3, 1, len(clips))) < share for name, share in level.items()}
    results = []
    for name in ("random", "mtt", "vdsd"):
        for seed in range(3):
            made = judged(make_result(name, (0.5,), seed=seed), clips, won[name][seed])
            if name != "random":
                alike = judged(made, clips, won[f"random as {name}"][seed]).students
                condition = Condition(labels="own", augmented=False, random=True, students=alike)
                made = made.model_copy(update={"conditions": (condition,), "step_size": 0.01})
            results.append(made)
    store(tmp_path / "results", results, [clips])
    cells = TRANSFER["read"](tmp_path, ["motion-digits"])
    (found,) = cells.values()
    assert {name: one.won.keys() for name, one in found.items()} == dict.fromkeys(won, {0, 1, 2})
    for name, one in found.items():
        assert all(np.array_equal(one.won[seed], 100.0 * won[name][seed][0]) for seed in range(3))
    row = TRANSFER["rows"](cells, same_recipe=True)["vdsd", ("motion-digits", 1)]
    assert row.base == pytest.approx(100 * won["random as vdsd"].mean())


def test_rows_are_corrected_together() -> None:
    place = {("a", 1): planted({"mtt": -25.0})}
    more = place | {(f"b{number}", 1): planted({}, number) for number in range(1, 60)}
    alone, among = (TRANSFER["rows"](cells)["mtt", ("a", 1)] for cells in (place, more))
    assert alone.these == among.these
    assert alone.below
    assert not among.below
