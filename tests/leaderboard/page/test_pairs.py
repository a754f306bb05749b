"""Every two methods compared: differences and tests by hand, corrections by family, and no more than fits."""

import json

import pytest
from scipy import stats

from vdbench_leaderboard.page import pairs
from vdbench_leaderboard.page.gallery import Clips
from vdbench_leaderboard.statistics.comparisons import corrected
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.outcomes import Outcomes
from vdbench_leaderboard.tables.verdicts import verdicts

TOP1 = {
    "random": (0.40, 0.43, 0.41, 0.45),
    "dm": (0.44, 0.46, 0.46, 0.47),
    "herding": (0.60, 0.62, 0.63, 0.66),
    "k-means": (0.52, 0.59, 0.50, 0.61),
}


@pytest.fixture
def results(make):
    lift = {1: 0.0, 5: 0.1}
    found = [
        make(name, (top1 + up + (ipc == 5 and name == "dm") * 0.01 * seed,), ipc=ipc, seed=seed)
        for name, values in TOP1.items()
        for seed, top1 in enumerate(values)
        for ipc, up in lift.items()
    ]
    return found + [make("full", (0.9 - seed / 200,), ipc=None, seed=seed) for seed in range(4)]


def payload(results, clips=None):
    tables = boards(gather(results))
    data = json.loads(
        json.dumps(
            pairs.payload(pairs.places(tables, verdicts(tables, Outcomes({})), Outcomes({})), clips or {}),
            allow_nan=False,
        )
    )
    texts = data["texts"]
    named = {
        (data["methods"][a], data["methods"][b]): {
            tuple(data["places"][row[0]][:4]): [texts[int(text, 36)] for text in row[1:]] for row in rows
        }
        for a, b, rows in data["pairs"]
    }
    return data, named


def test_a_column_is_compared_as_scipy_does_and_corrected_by_family(results):
    _, found = payload(results)
    assert set(found) == {
        ("dm", "full"), ("dm", "herding"), ("dm", "k-means"), ("dm", "random"), ("full", "herding"),
        ("full", "k-means"), ("full", "random"), ("herding", "k-means"), ("herding", "random"), ("k-means", "random"),
    }  # fmt: skip
    raw = {pair: stats.ttest_rel(TOP1[pair[0]], TOP1[pair[1]]).pvalue for pair in found if "full" not in pair}
    with_random = corrected({pair: p for pair, p in raw.items() if "random" in pair})
    others = corrected({pair: p for pair, p in raw.items() if "random" not in pair})
    for pair, p in (with_random | others).items():
        mean, interval, shown, side, paired = found[pair]["quick", "motion-digits", "minic3d", "IPC 1"]
        differences = [100 * (a - b) for a, b in zip(TOP1[pair[0]], TOP1[pair[1]], strict=True)]
        half = stats.t.ppf(0.975, 3) * stats.sem(differences)
        middle = sum(differences) / 4
        assert float(mean.replace("−", "-")) == pytest.approx(middle, abs=0.051)
        ends = [float(end) for end in interval.replace("−", "-").split(" … ")]
        assert ends == pytest.approx([middle - half, middle + half], abs=0.051)
        assert shown == ("< 0.001" if p < 0.001 else f"{p:.3f}")
        assert side == ("" if p >= 0.05 else "up" if middle > 0 else "down")
        assert paired == "4 seeds"


def test_what_the_page_says_first_and_what_the_tables_say_is_said_again(results):
    tables = boards(gather(results))
    (verdict,) = verdicts(tables, Outcomes({}))
    _, found = payload(results)
    for method, comparison in verdict.comparisons.items():
        _, _, p, side, _ = found[method, "random"]["quick", "motion-digits", None, None]
        assert p == ("< 0.001" if comparison.adjusted < 0.001 else f"{comparison.adjusted:.3f}")
        assert bool(side) == (method in verdict.better or method in verdict.worse)
    for standing in tables[0].standings:
        if standing.random_comparison and standing.cell.budget:
            place = ("quick", "motion-digits", "minic3d", str(standing.cell.budget))
            _, _, p, _, _ = found[standing.cell.method, "random"][place]
            adjusted = standing.random_comparison.adjusted
            assert p == ("< 0.001" if adjusted < 0.001 else f"{adjusted:.3f}")


def test_full_is_compared_at_every_budget(results):
    _, found = payload(results)
    rows = found["full", "herding"]
    assert list(rows) == [
        ("quick", "motion-digits", None, None),
        ("quick", "motion-digits", "minic3d", "IPC 1"),
        ("quick", "motion-digits", "minic3d", "IPC 5"),
    ]


def test_what_has_no_seed_in_common_is_not_compared_and_one_seed_is_not_tested(make):
    results = [make("random", (0.4, 0.5), seed=0), make("dm", (0.5, 0.7), seed=0), make("herding", (0.6,), seed=1)]
    _, found = payload(results)
    single = found["dm", "random"]["quick", "motion-digits", "minic3d", "IPC 1"]
    assert single[0] == "+15.0"
    assert single[2:] == ["–", "", "2 networks of one seed"]
    assert ("dm", "herding") not in found


def test_data_sets_as_a_whole_come_first_and_only_what_fits_is_compared(results, monkeypatch):
    data, _ = payload(results)
    assert [place[2:4] for place in data["places"]] == [[None, None], ["minic3d", "IPC 1"], ["minic3d", "IPC 5"]]
    assert data["places"][0][4] == "4 seeds, IPC 1 and 5, student minic3d"
    monkeypatch.setattr(pairs, "MOST", 20)
    assert [place[2:4] for place in payload(results)[0]["places"]] == [[None, None], ["minic3d", "IPC 1"]]


def test_clips_are_handed_on(results):
    data, _ = payload(results, {"motion-digits": {"dm": Clips("set-a", "dm, IPC 1")}})
    assert data["clips"] == {"motion-digits": {"dm": ["set-a", "dm, IPC 1"]}}


def test_every_pair_with_outcomes_has_its_two_way_interval_and_test(with_outcomes):
    results, tests = with_outcomes
    tables = boards(gather(results))
    outcomes = Outcomes({clips.fingerprint: clips for clips in tests})
    found = pairs.places(tables, verdicts(tables, outcomes), outcomes)
    assert len(found) == 3 + 3 * 2
    for place in found:
        elsewhere = place.on_other_clips()
        if place.group.dataset_title.startswith("hmdb51"):
            assert elsewhere == {}
            continue
        assert set(elsewhere) == set(place.compared())
        raw = {pair: place.outcomes[pair[0]].against(place.outcomes[pair[1]]) for pair in elsewhere}
        with_random = corrected({pair: one.p for pair, one in raw.items() if "random" in pair and "full" not in pair})
        for pair, one in elsewhere.items():
            assert (one.difference.low, one.difference.high) == (raw[pair].low, raw[pair].high)
            assert one.difference.mean == pytest.approx(place.compared()[pair].difference.mean)
            if pair in with_random:
                assert one.p == pytest.approx(with_random[pair])
    data = pairs.payload(found, {})
    lengths = {(data["places"][row[0]][1].split(",")[0], len(row)) for *_, rows in data["pairs"] for row in rows}
    assert lengths == {("motion-digits", 9), ("ucf101", 9), ("hmdb51", 6)}
