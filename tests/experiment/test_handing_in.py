"""A submission that is prepared: its text, and its branch in a checkout."""

import subprocess
from pathlib import Path

import pytest

from tests.experiment.results import CLIPS, failed, result
from vdbench.errors import DataError, UsageError
from vdbench.experiment.handing_in import prepare_branch, request_text
from vdbench.experiment.result import Result
from vdbench.experiment.result_store import ResultStore
from vdbench.experiment.rules import Finding


def handed_in(results: list[Result], folder: Path) -> None:
    """Results in a folder, beside their test set."""
    ResultStore(folder).clip_lists.write(CLIPS)
    for value in results:
        ResultStore(folder).write(value)


def git(checkout: Path, *words: str) -> str:
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    command = ["git", *identity, "-C", str(checkout), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository whose shared results are those of one seed."""
    folder = tmp_path / "checkout"
    handed_in([result(seed=0)], folder / "leaderboard" / "results")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "config", "user.name", "somebody")
    git(folder, "config", "user.email", "somebody@example.org")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


def test_a_branch_holds_the_new_results_in_one_commit_and_main_does_not(checkout: Path, tmp_path: Path) -> None:
    results = [result(seed=seed) for seed in range(3)]
    handed_in(results, tmp_path / "new")
    branch = prepare_branch(checkout, tmp_path / "new", results)
    assert git(checkout, "branch", "--show-current") == branch
    assert git(checkout, "log", "--format=%s", "main..") == "Add results of random"
    assert {r.id for r in ResultStore(checkout / "leaderboard" / "results")} == {r.id for r in results}
    assert git(checkout, "status", "--porcelain") == ""
    git(checkout, "switch", "--quiet", "main")
    assert [r.id for r in ResultStore(checkout / "leaderboard" / "results")] == [results[0].id]
    with pytest.raises(UsageError, match=f"has a branch {branch} already"):
        prepare_branch(checkout, tmp_path / "new", results)


def test_a_checkout_that_cannot_take_them_is_left_as_it_is(checkout: Path, tmp_path: Path) -> None:
    other = [result(seed=0, top1=0.9)]
    handed_in(other, tmp_path / "new")
    with pytest.raises(DataError, match="1 result has another outcome"):
        prepare_branch(checkout, tmp_path / "new", other)
    with pytest.raises(UsageError, match="has no leaderboard/results"):
        prepare_branch(tmp_path / "new", tmp_path / "new", other)
    (checkout / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="has changes that are not committed"):
        prepare_branch(checkout, tmp_path / "new", other)
    assert git(checkout, "branch", "--format=%(refname:short)") == "main"


def test_the_text_names_what_was_run_and_how_to_run_it_again() -> None:
    results = [result("herding", seed) for seed in range(3)] + [failed("herding", 3), result(control=True)]
    text = request_text(results, [Finding("herding", "too few seeds", False)])
    assert "**Method:** herding\n" in text
    assert "quick; motion-digits; 1; 0, 1, 2, 3" in text
    assert "5, 1 of them failed" in text
    assert text.count("vdbench run ") == 1 and "--methods herding" in text and "--seeds 4" in text
    assert "- herding: too few seeds" in text


def test_controls_are_named_where_they_are_all_there_is() -> None:
    text = request_text([result(control=True)], [])
    assert "**Method:** random\n" in text and "--methods random" in text
