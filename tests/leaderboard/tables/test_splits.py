"""Means over official splits."""

import pytest

from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.splits import split_means


@pytest.fixture
def results(make):
    """Two methods and full on three splits, another data set on one, and a method that a split lacks."""
    found = []
    for split in (1, 2, 3):
        suite = "clean" if split == 1 else "clean-modified"
        for seed in range(3):
            for method, mean in (("random", 0.3), ("herding", 0.4), ("full", 0.8), ("k-means", 0.5)):
                if method == "k-means" and split == 2:
                    continue
                top1 = mean + split / 100 + seed / 1000
                ipc = None if method == "full" else 1
                protocol = {"frames": 8, "split": split}
                one = make(method, [top1, top1 + 0.02], ipc=ipc, seed=seed, suite=suite, protocol=protocol)
                found.append(one.model_copy(update={"dataset": one.dataset.model_copy(update={"split": split})}))
    return [*found, *(make("random", seed=seed, dataset="other") for seed in range(3))]


def test_splits_are_averaged_seed_by_seed_where_all_of_them_are_there(results) -> None:
    (means,) = split_means(gather(results))
    assert (means.suite, means.splits, [str(b) for b in means.budgets]) == ("clean", (1, 2, 3), ["IPC 1", "None"])
    assert set(means.rows) == {"random", "herding", "full"}
    herding, none = means.rows["herding"]
    assert none is None
    assert herding.mean == pytest.approx(40 + 2 + 0.1 + 1)  # its mean, that of splits, of seeds and of networks
    assert (herding.repeats, herding.over) == (3, "seeds")
    assert herding.std == pytest.approx(0.1)
    assert means.rows["full"][1].mean == pytest.approx(83.1)


def test_other_protocols_and_classes_are_not_averaged(make, results) -> None:
    def changed(result):
        if result.dataset.split == 1:
            return result
        names = (*result.dataset.class_names[1:], "another")
        return result.model_copy(update={"dataset": result.dataset.model_copy(update={"class_names": names})})

    (means,) = split_means(gather(map(changed, results)))
    assert means.splits == (2, 3)
    wider = [r.model_copy(update={"protocol": r.protocol | {"frames": r.dataset.split}}) for r in results]
    assert split_means(gather(wider)) == []


def test_pages_show_the_means_only_where_there_are_some(results, documents) -> None:
    three = documents(results)
    assert "splits 1, 2, 3\n\n| method | IPC 1 | all clips |" in three["README.md"]
    assert "| herding | 43.1 ± 0.1 | – |" in three["README.md"]
    assert '<th scope="row">herding</th><td class="num">43.1 ± 0.1</td>' in three["index.html"]
    one = documents([r for r in results if r.dataset.split == 1])
    assert "Means over official splits" not in one["README.md"]
