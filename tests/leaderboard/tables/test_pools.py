"""Selectors on real and on generated clips: what is paired, differences, and means over selectors."""

import random

import pandas as pd
import pytest

from tests.leaderboard.tables.conftest import GAIN, LEVEL, selector, table, without
from vdbench_leaderboard.statistics.estimates import average
from vdbench_leaderboard.tables import frames, pool_words
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather


def test_differences_are_those_put_in(crossed):
    found = table(crossed)
    assert [str(budget) for budget in found.budgets] == ["IPC 1", "IPC 5"]
    assert {row.label for row in found.selectors} == LEVEL.keys()
    for row in found.selectors:
        for pair in row.pairs:
            assert pair.gap.value.mean == pytest.approx(100 * GAIN[row.label])
            assert pair.gap.value.std == pytest.approx(1)
            assert (pair.gap.value.over, pair.gap.seeds, pair.gap.equal_bytes) == ("seeds", 3, True)
            assert pair.gap.value.excludes_zero == (row.label != "k-center")
            assert pair.gap.significant == (row.label == "herding"), (
                "only the largest survives the correction for the table"
            )
            assert pair.real.cell.top1.std > 2
    assert found.one_sided == ()
    assert pool_words.remarks(found) == []


def test_means_are_over_selectors_seed_by_seed(crossed):
    closing = table(crossed).means["mean"]
    for mean, ipc in zip(closing, (1, 5), strict=True):
        real = {r.seed: [] for r in crossed}
        for r in crossed:
            if (r.pool, r.ipc) == ("real", ipc):
                real[r.seed].append(100 * sum(score.top1 for score in r.students[0].scores) / 2)
        per_seed = [sum(values) / len(values) for values in real.values()]
        assert mean.real.mean == pytest.approx(sum(per_seed) / 3)
        assert mean.gap.value.mean == pytest.approx(-1)
        assert mean.gap.value.std == pytest.approx(1)
        assert mean.generated.mean - mean.real.mean == pytest.approx(mean.gap.value.mean)
        assert mean.real_bytes == mean.generated_bytes == 8 * ipc * 8 * 32 * 32 * 3


def test_average_keeps_what_all_have():
    first, second = {0: {0: 10.0, 1: 20.0}, 1: {0: 30.0}}, {0: {0: 30.0}, 2: {0: 1.0}}
    assert average([first, second]) == {0: {0: 20.0}}
    assert average([first]) == first
    assert average([first, {1: {5: 1.0}}]) == {}


def test_order_of_results_does_not_matter(crossed):
    frame = frames.pools(table(crossed))
    shuffled = random.Random(1).sample(crossed, len(crossed))
    pd.testing.assert_frame_equal(frames.pools(table(shuffled)), frame)


def test_pools_at_different_budgets_are_no_pair(make, generate):
    assert table([make("herding", ipc=1), generate("herding", (0.5,), ipc=5)]) is None
    found = table([make("herding"), make("herding", ipc=5), generate("herding", (0.5,), ipc=5)])
    assert [str(budget) for budget in found.budgets] == ["IPC 5"]


def test_a_selector_that_lacks_a_pool_is_named(crossed, make):
    found = table([*crossed, make("k-means", seed=0), make("dm", pool=None)])
    assert found.one_sided == ("k-means",)
    assert "not shown: k-means" in pool_words.remarks(found)[0]


def test_missing_seeds_are_told_and_kept_from_the_mean(crossed):
    two = without(crossed, method="herding", pool="generated", ipc=1, seed=2)
    gap = selector(two, "herding").pairs[0].gap
    assert (gap.seeds, gap.value.mean) == (2, pytest.approx(-8.5))
    assert pool_words.gap_remarks(gap) == ["2 common seeds"]
    closing = table(two).means["mean"]
    assert [mean.selectors for mean in closing] == [2, 3]
    assert [pool_words.mean_remarks(mean) for mean in closing] == [["2 of 3 selectors"], []]
    assert closing[0].gap.value.mean == pytest.approx(2.5)

    one = without(two, method="herding", pool="generated", ipc=1, seed=1)
    assert pool_words.gap_remarks(selector(one, "herding").pairs[0].gap) == ["1 common seed"]
    none = without(one, method="herding", pool="real", ipc=1, seed=0)
    gap = selector(none, "herding").pairs[0].gap
    assert (gap.value, pool_words.gap(gap), pool_words.gap_remarks(gap)) == (None, "–", ["no common seeds"])


def test_a_cell_that_was_not_run_is_empty(crossed):
    results = [r for r in crossed if (r.method, r.pool, r.ipc) != ("herding", "generated", 5)]
    pair = selector(results, "herding").pairs[1]
    assert (pair.generated, pair.gap) == (None, None)
    row = frames.pools(table(results)).astype(str).set_index("selector").loc["herding"]
    assert (row["IPC 5 generated"], row["IPC 5 Δ"]) == ("–", "–")


def test_a_failed_trial_is_shown_and_never_counted(crossed, generate):
    results = without(crossed, method="herding", pool="generated", ipc=1, seed=1)
    lost = generate("herding", (), ipc=1, seed=1, failure="oom", provenance=None)
    row = selector([*results, lost], "herding")
    assert row.pairs[0].gap == selector(results, "herding").pairs[0].gap
    frame = frames.pools(table([*results, lost])).astype(str).set_index("selector")
    assert "[2 of 3 seeds, oom]" in frame["IPC 1 generated"]["herding"]

    every = [r for r in crossed if (r.method, r.pool) != ("herding", "generated")]
    dead = [generate("herding", (), ipc=i, seed=s, failure="oom", provenance=None) for s in range(3) for i in (1, 5)]
    frame = frames.pools(table([*every, *dead])).astype(str).set_index("selector")
    assert list(frame.loc["herding", ["IPC 1 generated", "IPC 1 Δ"]]) == ["oom × 3", "–"]
    assert [mean.selectors for mean in table([*every, *dead]).means["mean"]] == [2, 2]


def encoded(one, name, top1):
    """Three seeds of herding with this encoder; ``one`` makes a result."""
    settings = {"encoder": {"name": name, "width": 8}}
    return [one("herding", (top1 + seed / 100,), seed=seed, settings=settings) for seed in range(3)]


def test_settings_are_paired_and_the_generator_is_not_one_of_them(make, generate):
    results = [
        *encoded(make, "pixels", 0.3),
        *encoded(make, "minic3d", 0.5),
        *encoded(generate, "pixels", 0.4),
        *encoded(generate, "minic3d", 0.8),
    ]
    assert {cell.method for cell in gather(results)} == {
        f"herding{pool} (encoder.name={name})" for pool in ("", "@generated") for name in ("pixels", "minic3d")
    }
    gaps = {row.label: row.pairs[0].gap.value.mean for row in table(results).selectors}
    assert gaps == {
        "herding (encoder.name=pixels)": pytest.approx(10),
        "herding (encoder.name=minic3d)": pytest.approx(30),
    }


def test_a_label_without_settings_still_finds_its_own_pair(make, generate):
    real = [*encoded(make, "pixels", 0.3), *encoded(make, "minic3d", 0.5)]
    found = table([*real, *encoded(generate, "minic3d", 0.8)])
    assert [(row.label, row.pairs[0].gap.value.mean) for row in found.selectors] == [
        ("herding (encoder.name=minic3d)", pytest.approx(30))
    ]
    assert found.one_sided == ("herding (encoder.name=pixels)",)


def test_other_versions_and_settings_are_no_pair(make, generate):
    assert table([make("herding"), generate("herding", (0.5,), method_version=2)]) is None
    assert table([make("herding", settings={"a": 1}), generate("herding", (0.5,), settings={"a": 2})]) is None


def test_what_a_suite_prescribes_is_paired(make, generate):
    results = []
    for ipc, value in ((1, 1.0), (5, 10.0)):
        for seed in range(3):
            given = {"settings": {"lr": value}, "prescribed": {"lr": value}, "ipc": ipc, "seed": seed}
            results += [make("herding", (0.4,), **given), generate("herding", (0.5,), **given)]
    row = selector(results, "herding")
    assert [pair.gap.value.mean for pair in row.pairs] == [pytest.approx(10)] * 2


def test_generators_set_rows_and_means_apart(make, generate):
    results = [
        one
        for seed in range(3)
        for method in ("herding", "random")
        for one in (
            make(method, (0.4,), seed=seed),
            generate(method, (0.5,), seed=seed, steps=10),
            generate(method, (0.6,), seed=seed, steps=25),
        )
    ]
    assert "herding@generated (generator.sampling.steps=10)" in {cell.method for cell in gather(results)}
    found = table(results)
    gaps = {row.label: row.pairs[0].gap.value.mean for row in found.selectors}
    assert gaps == {
        f"{method} (generator.sampling.steps={steps})": pytest.approx(gap)
        for method in ("herding", "random")
        for steps, gap in ((10, 10), (25, 20))
    }
    assert {label: means[0].gap.value.mean for label, means in found.means.items()} == {
        "mean (generator.sampling.steps=10)": pytest.approx(10),
        "mean (generator.sampling.steps=25)": pytest.approx(20),
    }


def test_two_seeds_never_tell_pools_apart(make, generate):
    results = [
        made
        for seed, level in enumerate((0.4, 0.5))
        for made in (make("random", (level,), seed=seed), generate("random", (level + 0.1 + seed / 10**6,), seed=seed))
    ]
    (pair,) = selector(results, "random").pairs
    assert (pair.gap.seeds, pair.p < 0.05, pair.gap.significant) == (2, True, False)


def test_all_generated_clips_are_no_upper_bound(crossed, generate):
    (board,) = boards(gather([*crossed, generate("full", (0.6, 0.7), ipc=None)]))
    titles = frames.bounds(board).iloc[:, 0].tolist()
    assert titles == ["full (upper bound)", "full@generated (whole pool)", "chance"]
