"""Columns from outcomes per clip: the values of the statistics, and nothing where outcomes are not known."""

import logging

import numpy as np
import pandas as pd
import pytest

from tests.leaderboard.conftest import judged
from vdbench.errors import DataError
from vdbench.outcomes import ClipList
from vdbench_leaderboard.build import build, variances
from vdbench_leaderboard.statistics.comparisons import corrected
from vdbench_leaderboard.statistics.moderated import moderate
from vdbench_leaderboard.statistics.two_way import of_accuracy, of_difference, parts
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.interval_columns import COLUMNS
from vdbench_leaderboard.tables.numbers import numbers
from vdbench_leaderboard.tables.outcomes import Outcomes

LEVELS = {"random": 0.5, "herding": 0.7, "k-center": 0.4, "k-means": 0.65}
CLIPS = ClipList(
    classes=tuple(f"class {label}" for label in range(8)),
    ids=tuple(map(str, range(80))),
    labels=tuple(row // 10 for row in range(80)),
    groups=tuple(f"video {row // 3}" for row in range(80)),
)


def hits(method: str, ipc: int, seed: int, network: int) -> np.ndarray:
    """Which clips a network has right: easy sources are hit by all."""
    rng = np.random.default_rng([len(method), ipc, seed, network])
    easy = np.random.default_rng(0).normal(0, 0.2, 27)[CLIPS.sources]
    return rng.random(80) < LEVELS[method] + 0.02 * ipc + easy


@pytest.fixture
def full(make):
    """Four methods at two IPCs, three seeds of two networks, with outcomes."""

    def result(method, ipc, seed):
        won = np.stack([hits(method, ipc, seed, network) for network in range(2)])
        return judged(make(method, ipc=ipc, seed=seed), CLIPS, won)

    return [result(method, ipc, seed) for method in LEVELS for ipc in (1, 5) for seed in range(3)]


def bare(results):
    return [result.model_copy(update={"test_set": None}) for result in results]


def answers(method: str, ipc: int) -> np.ndarray:
    return np.stack([100 * np.mean([hits(method, ipc, seed, n) for n in range(2)], axis=0) for seed in range(3)])


def test_columns_hold_what_the_statistics_say(full):
    frame = numbers(boards(gather(full)), Outcomes({CLIPS.fingerprint: CLIPS})).set_index(["method", "ipc"])
    labels = np.array(CLIPS.labels)
    for ipc in (1, 5):
        gains = {}
        for method in LEVELS:
            row, won = frame.loc[(method, ipc)], answers(method, ipc)
            own = parts(won, labels, CLIPS.sources)
            told = of_accuracy(own)
            assert row.top1 == pytest.approx(told.mean, abs=1e-4)
            assert (row.top1_others_low, row.top1_others_high) == pytest.approx((told.low, told.high), abs=1e-4)
            assert row.top1_error_seeds == pytest.approx(own.seeds**0.5, abs=1e-4)
            assert row.top1_error_sources == pytest.approx(own.sources**0.5, abs=1e-4)
            if method != "random":
                gains[method] = of_difference(parts(won - answers("random", ipc), labels, CLIPS.sources))
        p = corrected({method: gain.p for method, gain in gains.items()})
        for method, gain in gains.items():
            row = frame.loc[(method, ipc)]
            ends = (row.against_random_others_low, row.against_random_others_high)
            assert ends == pytest.approx((gain.low, gain.high), abs=1e-4)
            assert row.against_random_others_p == pytest.approx(p[method], abs=1e-4)
    assert frame.loc[[("random", 1), ("random", 5)], "against_random_others_low"].isna().all()


def test_variances_are_moderated_over_all_cells_of_a_table(full):
    frame = numbers(boards(gather(full)), Outcomes({CLIPS.fingerprint: CLIPS})).set_index(["method", "ipc"])
    means = moderate({(m, ipc): answers(m, ipc).mean(axis=1).tolist() for m in LEVELS for ipc in (1, 5)})
    assert means.prior is not None
    for place, cell in means.cells.items():
        ends = (frame.loc[place].top1_moderated_low, frame.loc[place].top1_moderated_high)
        assert ends == pytest.approx((cell.low, cell.high), abs=1e-4)


def test_results_without_outcomes_have_the_columns_that_they_had(full):
    plain = numbers(boards(gather(bare(full))), Outcomes({CLIPS.fingerprint: CLIPS}))
    rich = numbers(boards(gather(full)), Outcomes({CLIPS.fingerprint: CLIPS}))
    assert [*plain.columns, *COLUMNS] == [*rich.columns]
    pd.testing.assert_frame_equal(rich[[*plain.columns]], plain)
    pd.testing.assert_frame_equal(numbers(boards(gather(full)), Outcomes({})), plain)


def test_a_cell_of_which_one_seed_lacks_outcomes_has_none(full):
    mixed = [*bare(full[:1]), *full[1:]]
    frame = numbers(boards(gather(mixed)), Outcomes({CLIPS.fingerprint: CLIPS})).set_index(["method", "ipc"])
    assert pd.isna(frame.loc[("random", 1)].top1_others_low)
    assert pd.isna(frame.loc[("herding", 1)].against_random_others_low), "there is nothing to pair it with"
    assert not pd.isna(frame.loc[("herding", 5)].against_random_others_low)


def test_a_leaderboard_reads_test_sets_beside_results_and_does_without(full, save, tmp_path, caplog):
    results = save(tmp_path / "results", full)
    with caplog.at_level(logging.WARNING):
        build(results, tmp_path / "without")
    assert "there is no test set" in caplog.text
    header = (tmp_path / "without" / "leaderboard.csv").read_text().splitlines()[0]
    assert "others" not in header
    (results / "test-sets").mkdir()
    path = results / "test-sets" / f"{CLIPS.fingerprint}.json"
    path.write_text(CLIPS.model_dump_json(), encoding="utf-8")
    build(results, tmp_path / "with")
    frame = pd.read_csv(tmp_path / "with" / "leaderboard.csv")
    assert frame.top1_others_low.notna().all()
    assert header == ",".join(frame.columns[: -len(COLUMNS)])
    first = variances(results)[0]
    row = frame[(frame.method == first["method"]) & (frame.ipc == first["ipc"])].iloc[0]
    seeds, clips = row.top1_error_seeds, row.top1_error_sources
    assert (first["by_seeds"], first["by_clips"]) == (round(seeds, 2), round(clips, 2))
    assert first["clips_percent"] == round(100 * clips**2 / (seeds**2 + clips**2))
    assert first["by_draws"] is None, "these trials used no network that seeds share"


def test_where_no_result_keeps_outcomes_the_variance_is_one_sentence(full, save, tmp_path):
    with pytest.raises(DataError, match="no two seeds of one method that keep what networks made of every test clip"):
        variances(save(tmp_path / "results", bare(full)))


def test_of_single_seeds_the_variance_asks_for_more_and_does_not_blame_earlier_versions(full, save, tmp_path):
    results = save(tmp_path / "results", [result for result in full if result.seed == 0])
    (results / "test-sets").mkdir()
    path = results / "test-sets" / f"{CLIPS.fingerprint}.json"
    path.write_text(CLIPS.model_dump_json(), encoding="utf-8")
    with pytest.raises(DataError, match="has no two seeds of one method; run more seeds$"):
        variances(results)


def test_outcomes_of_another_length_are_left_out_with_a_warning(full, caplog):
    short = CLIPS.model_copy(update={"ids": CLIPS.ids[:-9], "labels": CLIPS.labels[:-9], "groups": CLIPS.groups[:-9]})
    with caplog.at_level(logging.WARNING):
        frame = numbers(boards(gather(full)), Outcomes({CLIPS.fingerprint: short}))
    assert "top1_others_low" not in frame
    assert "are not those of 71 clips and 8 classes" in caplog.text
