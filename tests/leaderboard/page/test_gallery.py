"""Which previews are shown for a row, and beside an answer."""

import pytest

from vdbench_leaderboard.page.gallery import Gallery
from vdbench_leaderboard.page.methods import summaries
from vdbench_leaderboard.page.previews import Previews
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.outcomes import Outcomes
from vdbench_leaderboard.tables.verdicts import verdicts


@pytest.fixture
def gallery(tmp_path):
    """``gallery(results, "set-a", ...)``: with previews of these sets."""

    def put(results, *names):
        for name in names:
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "preview.png").write_bytes(b"picture")
        tables = boards(gather(results))
        return Gallery(tables, summaries(tables, Previews(tmp_path))), tables

    return put


def results_of(make, levels, **options):
    return [
        make(name, (level + seed * (place + 1) / 300,), seed=seed, distilled=f"{name}-{seed}", **options)
        for place, (name, level) in enumerate(levels.items())
        for seed in range(3)
    ]


LEVELS = {"random": 0.3, "dm": 0.5, "herding": 0.6, "k-means": 0.55}


def test_leaders_stand_beside_real_clips(make, gallery):
    results = results_of(make, LEVELS)
    found, tables = gallery(results, *(f"{name}-0" for name in LEVELS))
    (verdict,) = verdicts(tables, Outcomes({}))
    assert found.beside(verdict) == [
        ("herding-0", "herding, IPC 1"),
        ("k-means-0", "k-means, IPC 1"),
        ("random-0", "random (real clips, picked at random), IPC 1"),
    ]


def test_clips_of_a_third_method_stand_for_no_leader(make, gallery):
    found, tables = gallery(results_of(make, LEVELS), "dm-0", "random-0")
    assert found.beside(verdicts(tables, Outcomes({}))[0]) == []


def test_real_clips_alone_are_beside_nothing(make, gallery):
    found, tables = gallery(results_of(make, LEVELS), "random-0")
    assert found.beside(verdicts(tables, Outcomes({}))[0]) == []


def test_the_seed_that_is_on_the_page_is_found(make, gallery):
    found, tables = gallery(results_of(make, LEVELS), "dm-2")
    assert found.of("dm", tables[0].group) == ("dm-2", "dm, IPC 1")
    assert found.of("herding", tables[0].group) is None
    assert found.named == {"motion-digits": {"dm": ("dm-2", "dm, IPC 1")}}


def test_clips_of_another_suite_are_shown_only_where_there_are_none_and_those_of_other_data_never(make, gallery):
    small = [make("dm", suite="small", distilled="small", ipc=5)]
    quick = [make("dm", suite="quick", distilled="quick", ipc=1)]
    other = [make("dm", dataset="hmdb51", distilled="none")]
    found, tables = gallery(small + quick + other, "small", "quick")
    groups = {(table.group.suite, table.group.dataset_title): table.group for table in tables}
    assert found.of("dm", groups["quick", "motion-digits"]).distilled == "quick"
    assert found.of("dm", groups["quick", "hmdb51"]) is None
