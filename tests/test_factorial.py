"""benchmarks/factorial.py, whose page says what it makes of the committed results, and benchmarks/preferences.py."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes

ROOT = Path(__file__).parents[1]
FACTORIAL = runpy.run_path(str(ROOT / "benchmarks" / "factorial.py"))
PREFERENCES = runpy.run_path(str(ROOT / "benchmarks" / "preferences.py"))
SEEDS, CLIPS = 5, 60


def planted(gains: dict[str, float], seed: int = 0) -> dict[tuple[str, str], ClipOutcomes]:
    """Arms whose chance of a right answer is 40 %, and so many points more for those that are named."""
    rng = np.random.default_rng(seed)
    labels, sources = np.arange(CLIPS) % 4, np.arange(CLIPS)
    arms = {}
    for method in FACTORIAL["METHODS"]:
        for pool in ("generated",) if method in FACTORIAL["GUIDED"] else ("real", "generated"):
            share = 0.4 + gains.get(f"{method}@{pool}", 0) / 100
            won = {k: np.where(rng.random(CLIPS) < share, 100.0, 0.0) for k in range(SEEDS)}
            arms[method, pool] = ClipOutcomes(won, "clips", labels, sources)
    return arms


def test_a_question_is_the_mean_of_its_arms_minus_that_of_its_base() -> None:
    arms = planted({})
    for asked in FACTORIAL["QUESTIONS"]:
        (these, others) = FACTORIAL["intervals"](asked, arms)
        means = [np.mean([list(arms[arm].won.values()) for arm in side]) for side in (asked.arms, asked.base)]
        assert these.mean == others.mean == pytest.approx(means[0] - means[1])
        assert others.low < these.mean < others.high


def test_guided_clips_that_are_better_are_told_and_nothing_else_is() -> None:
    found = FACTORIAL["answered"]({("ucf101", 1): planted({"mode-guided@generated": 50.0})})
    told = {asked.words for (asked, _), answer in found.items() if answer.told}
    assert told == {asked.words for asked in FACTORIAL["QUESTIONS"] if asked.arms == (("mode-guided", "generated"),)}


def test_questions_are_corrected_together() -> None:
    place = {("ucf101", 1): planted({"random@generated": 30.0})}
    more = place | {("hmdb51", ipc): planted({}, seed=ipc) for ipc in range(40)}
    (asked, *_) = FACTORIAL["QUESTIONS"]
    alone, among = (FACTORIAL["answered"](arms)[asked, ("ucf101", 1)] for arms in (place, more))
    assert alone.these == among.these
    assert alone.told
    assert not among.told


def test_the_page_says_what_the_committed_results_give() -> None:
    """If it does not, ``python benchmarks/factorial.py`` writes it anew."""
    arms = FACTORIAL["read"](FACTORIAL["RESULTS"])
    page = FACTORIAL["PAGE"].read_text(encoding="utf-8")
    assert FACTORIAL["replaced"](page, FACTORIAL["table"](arms)) == page
    assert FACTORIAL["PICTURE"].read_text(encoding="utf-8") == FACTORIAL["picture"](arms)


def test_a_clip_is_placed_within_its_class() -> None:
    rng = np.random.default_rng(0)
    clips = rng.uniform(0, 255, (40, 4, 6, 6))
    clips[:, 1:] = clips[:, :1]  # still,
    clips[7, 1:] = 255 - clips[7, :1]  # but for one
    labels = np.arange(40) % 2
    still = np.array([1, 3])
    found = PREFERENCES["places"]([(clips[[7]], labels[[7]])], clips, labels)
    assert found["motion"] == pytest.approx(97.5)  # above 19 of 20, level with itself
    assert PREFERENCES["places"]([(clips[still], labels[still])], clips, labels)["motion"] == pytest.approx(47.5)
    everything = PREFERENCES["places"]([(clips, labels)], clips, labels)
    assert list(everything.values()) == pytest.approx([50] * 3)


def test_the_mean_clip_of_a_class_is_nearest_to_it() -> None:
    around = np.random.default_rng(1).uniform(0, 255, (20, 4, 6, 6))
    clips = np.concatenate([around, around.mean(axis=0, keepdims=True)])
    labels = np.zeros(21, dtype=np.int64)
    found = PREFERENCES["places"]([(clips[[20]], labels[[20]])], clips, labels)
    assert found["distance to the class mean"] == pytest.approx(100 / 42)
