"""Boards under both questions: sentences by column, ranks and intervals on other clips, and what lacks outcomes."""

import numpy as np
import pytest

from vdbench_leaderboard.statistics.columns import ClipColumn, SeedColumn
from vdbench_leaderboard.statistics.comparisons import corrected
from vdbench_leaderboard.tables import frames, verdict_words
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.both_sides import both_sides
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.column_words import sentence
from vdbench_leaderboard.tables.outcomes import Outcomes
from vdbench_leaderboard.tables.overview import overviews
from vdbench_leaderboard.tables.pools import factorial
from vdbench_leaderboard.tables.pools_on_other_clips import on_other_clips
from vdbench_leaderboard.tables.verdicts import verdicts


@pytest.fixture(scope="module")
def outcomes(with_outcomes):
    return Outcomes({clips.fingerprint: clips for clips in with_outcomes[1]})


@pytest.fixture(scope="module")
def tables(with_outcomes):
    return {board.group.dataset_title: board for board in boards(gather(with_outcomes[0]))}


def board_of(tables, name):
    return next(board for title, board in tables.items() if title.startswith(name))


def cells(board, ipc):
    return [cell for cell in board.cells if cell.ipc == ipc]


def test_sentences_and_ranks_are_those_of_the_columns(tables, outcomes):
    board = board_of(tables, "ucf101")
    found = both_sides(board, outcomes)
    assert [str(said.budget) for said in found.said] == ["IPC 1", "IPC 5"]
    for said, ipc in zip(found.said, (1, 5), strict=True):
        column = ClipColumn({cell.method: outcomes.of(cell) for cell in cells(board, ipc)})
        assert said.others == sentence(column, "random")
        assert said.these == sentence(SeedColumn({c.method: c.runs for c in cells(board, ipc)}), "random")
        assert said.others != said.these
        for cell in cells(board, ipc):
            assert found.ranks[cell.place].rstrip("=") == str(column.ranks()[cell.method])
            assert found.top1[cell.place] == column.means[cell.method]
    assert found.known
    assert not found.lacking


def test_a_board_without_outcomes_says_what_holds_on_these_clips(tables, outcomes):
    found = both_sides(board_of(tables, "hmdb51"), outcomes)
    assert (found.known, found.lacking) == (False, True)
    assert [said.others for said in found.said] == [None, None]
    assert all(said.these.startswith("k-means beats random") for said in found.said)
    assert found.ranks == {}


def test_methods_are_spoken_of_beside_the_control_that_is_stored_as_they_are(make, outcomes):
    top1 = {"random": 0.4, "herding": 0.6}
    results = [make(m, (v + s / 90,), seed=s) for m, v in top1.items() for s in range(3)]
    for place, (method, value) in enumerate({**top1, "dm": 0.41}.items()):
        for seed in range(3):
            other = make(method, (value + seed ** (1 + place) / 90,), seed=seed, codec="h264:28")
            results.append(other.model_copy(update={"id": f"{10 * place + seed:016x}"}))
    (board,) = boards(gather(results))
    found = both_sides(board, outcomes)
    assert len(found.said) == 2
    assert sum("dm" in said.these for said in found.said) == 1
    lonely = [make("dm", (0.5,), seed=seed) for seed in range(3)]
    (said,) = both_sides(*boards(gather(lonely)), outcomes).said
    assert said.these == "Random clips were not judged here, so nothing is said of the methods."


def test_nothing_is_said_where_only_random_clips_were_judged(make, outcomes):
    results = [make("random", (0.5 + seed / 90,), seed=seed) for seed in range(3)]
    results += [make("full", (0.9,), ipc=None, seed=seed) for seed in range(3)]
    (board,) = boards(gather(results))
    assert both_sides(board, outcomes).said == ()


def test_a_student_at_chance_has_no_sentence(make, outcomes):
    results = [make(m, (0.13,), seed=seed) for m in ("random", "dm") for seed in range(3)]
    results += [make("full", (0.125 + seed / 200,), ipc=None, seed=seed) for seed in range(3)]
    (board,) = boards(gather(results))
    assert board.at_chance
    assert both_sides(board, outcomes).said == ()


def test_documents_name_the_question_where_the_answers_differ(tables, outcomes):
    lines = both_sides(board_of(tables, "ucf101"), outcomes).lines
    assert [line.partition(": k")[0] for line in lines] == [
        "IPC 1: on other clips of this kind, other seeds", "IPC 1: on these test clips, other seeds",
        "IPC 5: on other clips of this kind, other seeds", "IPC 5: on these test clips, other seeds",
    ]  # fmt: skip
    plain = both_sides(board_of(tables, "hmdb51"), outcomes).lines
    assert [line[:14] for line in plain] == ["IPC 1: k-means", "IPC 5: k-means"]


def test_a_verdict_on_other_clips_has_the_means_and_other_tests(tables, outcomes):
    every = list(tables.values())
    for verdict in verdicts(every, outcomes):
        other = verdict.on_other_clips
        assert verdict.on_these_clips is None
        if verdict.group.dataset_title.startswith("hmdb51"):
            assert other is None
            continue
        assert other.on_these_clips.means == verdict.means
        for method, top1 in verdict.means.items():
            assert other.means[method].mean == pytest.approx(top1.mean)
            assert (other.means[method].low, other.means[method].high) != (top1.low, top1.high)
        mean = {c.method: outcomes.of(c) for c in cells(verdict.boards[0], 1)}["k-means"].won[0]
        both = (mean + {c.method: outcomes.of(c) for c in cells(verdict.boards[0], 5)}["k-means"].won[0]) / 2
        assert verdict.clips.outcomes["k-means"].won[0] == pytest.approx(both)
        assert other.lines[-1].top1.low < other.lines[-1].top1.mean
        assert other.more_seeds is None
        assert (
            verdict_words.averaged(other) == verdict_words.averaged(verdict) == "6 seeds, IPC 1 and 5, student minic3d"
        )


def test_intervals_of_ranks_need_outcomes_or_five_seeds(tables, outcomes):
    every = list(tables.values())
    (mixed,) = overviews(every, outcomes)
    assert (mixed.these, mixed.others, mixed.middles_on_other_clips) == (None, None, {})  # three seeds on hmdb51
    kept = [board for board in every if not board.group.dataset_title.startswith("hmdb51")]
    (found,) = overviews(kept, outcomes)
    assert set(found.others.ranks) == set(found.these.ranks) == {"random", "herding", "k-means"}
    assert [*found.middles_on_other_clips] == [*found.middles] == ["k-means", "herding", "random"]
    for method, middle in found.middles_on_other_clips.items():
        assert middle.mean == found.middles[method].mean
        assert middle.high - middle.low > found.middles[method].high - found.middles[method].low
    table = frames.leaders(found).set_index("method")
    ends = found.others.ranks["herding"]
    assert table["average rank [95 %]"]["herding"] == f"2.00 [{ends.low:.1f}, {ends.high:.1f}]"
    (bare,) = overviews(kept, Outcomes({}))
    assert bare.others is None
    assert bare.these == found.these
    plain = frames.leaders(mixed)
    assert list(plain.columns) == ["method", "average rank", "interquartile mean [95 %]"]


def test_gaps_between_pools_speak_of_other_clips(with_outcomes, outcomes):
    results = [r for r in with_outcomes[0] if r.dataset.name == "ucf101" and r.method in ("random", "herding")]
    results += [
        other.model_copy(update={"method": "herding", "pool": "generated", "id": f"{place:016x}", "settings": {}})
        for place, other in enumerate(
            r for r in with_outcomes[0] if r.dataset.name == "ucf101" and r.method == "k-means"
        )
    ]
    (board,) = boards(gather(results))
    table = factorial(board)
    found = on_other_clips(table, outcomes)
    pairs = dict(zip(("IPC 1", "IPC 5"), found.selectors[0].pairs, strict=True))
    p = {}
    for ipc, pair in zip((1, 5), pairs.values(), strict=True):
        by_method = {cell.method: outcomes.of(cell) for cell in cells(board, ipc)}
        gain = by_method["herding@generated"].against(by_method["herding"])
        assert (pair.gap.value.low, pair.gap.value.high) == pytest.approx((gain.low, gain.high))
        p[ipc] = gain.p
    adjusted = corrected(p)
    assert [pair.gap.significant for pair in pairs.values()] == [adjusted[ipc] < 0.05 for ipc in (1, 5)]
    (mean,) = {row[0].gap.value.mean for row in found.means.values()}
    assert mean == pytest.approx(found.selectors[0].pairs[0].gap.value.mean)
    assert on_other_clips(table, Outcomes({})) is None


def test_outcomes_are_read_once(tables, outcomes):
    cell = cells(board_of(tables, "ucf101"), 1)[0]
    assert outcomes.of(cell) is outcomes.of(cell)
    won = outcomes.of(cell).won
    assert np.mean([one.mean() for one in won.values()]) == pytest.approx(cell.top1.mean)
