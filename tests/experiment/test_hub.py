"""Results as the Hugging Face hub gathers them."""

from datetime import UTC, datetime

import pytest
import yaml

from tests.experiment.results import failed, result, scores
from vdbench.experiment.hub import evaluation_files


def test_a_method_has_a_file_with_the_mean_over_its_seeds() -> None:
    results = [result(seed=seed, top1=top1) for seed, top1 in enumerate((0.5, 0.6, 0.7))] + [failed(seed=3)]
    ((name, text),) = evaluation_files(results, "my-lab/videos", "https://example.org/board").items()
    assert name == "random/.eval_results/quick-motion-digits.yaml"
    assert yaml.safe_load(text) == [
        {
            "dataset": {"id": "my-lab/videos", "task_id": "quick-ipc1-minic3d-16"},
            "value": 60.0,
            "date": "2026-01-01",
            "source": {"url": "https://example.org/board", "name": "vdbench"},
            "notes": "top-1 in %, mean ± 10.00 over 3 seeds of 1 network each; motion-digits; 80 bytes; vdbench 0.1.0",
        }
    ]


def test_files_are_the_same_in_any_order_of_results_and_name_the_owner_where_nobody_said_it() -> None:
    results = [result(seed=seed, method=method) for seed in range(2) for method in ("random", "herding")]
    files = evaluation_files(results, None, None)
    assert files == evaluation_files(results[::-1], None, None)
    assert list(files) == [f"{name}/.eval_results/quick-motion-digits.yaml" for name in ("herding", "random")]
    assert "OWNER/motion-digits" in files["random/.eval_results/quick-motion-digits.yaml"]


def test_what_differs_stands_in_entries_of_its_own_and_validation_in_none() -> None:
    late = datetime(2026, 3, 1, tzinfo=UTC)
    results = [
        result(),
        result(ipc=5, id="a" * 16, students=(scores(0, 0.9),), started=late),
        result(ipc=None, budget_bytes=4096, codec="h264:28", id="b" * 16),
        result(settings={"power": 2}, id="c" * 16),
        result(evaluated_on="validation", id="d" * 16),
    ]
    (text,) = evaluation_files(results, "a/b", None).values()
    entries = yaml.safe_load(text)
    tasks = [entry["dataset"]["task_id"] for entry in entries]
    assert len(set(tasks)) == len(tasks) == 4
    assert {"quick-ipc5-minic3d-16", "quick-4096-bytes-h264-28-minic3d-16"} <= set(tasks)
    assert sum(task.startswith("quick-ipc1-") for task in tasks) == 2
    assert next(e for e in entries if "ipc5" in e["dataset"]["task_id"]) | {"notes": ""} == {
        "dataset": {"id": "a/b", "task_id": "quick-ipc5-minic3d-16"}, "value": 90.0, "date": "2026-03-01", "notes": "",
    }  # fmt: skip


def test_the_library_of_the_hub_reads_every_entry() -> None:
    hub = pytest.importorskip("huggingface_hub", reason="nox -s hub installs it")
    (text,) = evaluation_files([result()], "a/b", "https://example.org").values()
    (entry,) = hub.parse_eval_result_entries(yaml.safe_load(text))
    assert (entry.dataset_id, entry.task_id, entry.value) == ("a/b", "quick-ipc1-minic3d-16", 50.0)
    assert hub.eval_result_entries_to_yaml([entry]) == yaml.safe_load(text)
