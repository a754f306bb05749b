"""Results in the form that the Hugging Face hub gathers from everybody: ``.eval_results/*.yaml``.

Source of the format: https://huggingface.co/docs/hub/eval-results and ``eval_results.yaml`` of huggingface/hub-docs.
That a task is named by ``task_id``, and that there are ``notes``, is how huggingface_hub reads it
(``_eval_results.py``). Each entry names a data set of the hub that is registered as a benchmark, a task, and a value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import yaml

from vdbench.storage.files import digest

if TYPE_CHECKING:
    from vdbench.experiment.result import Result

OWNER = "OWNER"
"""Stands for whoever registered the benchmark, where nobody said it."""


def evaluation_files(results: Sequence[Result], benchmark: str | None, source: str | None) -> dict[str, str]:
    """The files of all methods, by their path: ``METHOD/.eval_results/SUITE-DATASET.yaml``.

    Only finished results on test clips count. A value is the mean top-1, in percent, of one student over all seeds and
    networks.

    Args:
        results: of any methods, suites and data sets.
        benchmark: id of the benchmark on the hub; ``OWNER/NAME`` of the data set where left out.
        source: an address that shows where the numbers come from.
    """
    kinds: dict[tuple[str, str, str], dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for result in sorted(results, key=lambda r: (r.ipc or 0, r.budget_bytes or 0, r.seed, r.id)):
        if result.status == "done" and result.evaluated_on == "test":
            likeness = [result.settings, result.ipc, result.budget_bytes, result.codec, result.protocol]
            file = (result.label, result.suite, result.dataset.name)
            kinds[file][digest([*likeness, result.dataset.fingerprint, result.method_version])].append(result)
    return {
        f"{label}/.eval_results/{suite}-{dataset}.yaml": yaml.safe_dump(
            _entries(groups, benchmark or f"{OWNER}/{dataset}", source), sort_keys=False, allow_unicode=True, width=1000
        )
        for (label, suite, dataset), groups in sorted(kinds.items())
    }


def _entries(groups: dict[str, list[Result]], benchmark: str, source: str | None) -> list[dict[str, Any]]:
    tasks = [_task(seeds[0]) for seeds in groups.values()]
    entries = []
    for task, (likeness, seeds) in zip(tasks, groups.items(), strict=True):
        told = task if tasks.count(task) == 1 else f"{task}-{likeness[:6]}"
        for place, student in enumerate(seeds[0].students):
            name = f"{told}-{student.student}-{student.width}"
            value, last = round(mean(_means(seeds, place)), 2), max(result.started for result in seeds)
            entry = {"dataset": {"id": benchmark, "task_id": name}, "value": value, "date": last.date().isoformat()}
            entry |= {"source": {"url": source, "name": "vdbench"}} if source else {}
            entries.append(entry | {"notes": _notes(seeds, place)})
    return entries


def _task(result: Result) -> str:
    """What of a suite was run: ``quick-ipc5``, ``small-524288-bytes-h264``."""
    size = f"{result.budget_bytes}-bytes" if result.budget_bytes else f"ipc{result.ipc}" if result.ipc else "all-clips"
    return "-".join(filter(None, [result.suite, size, (result.codec or "").replace(":", "-")]))


def _means(seeds: Sequence[Result], place: int) -> list[float]:
    """In percent, for every seed the mean of a student's networks."""
    return [100 * mean(score.top1 for score in result.students[place].scores) for result in seeds]


def _notes(seeds: Sequence[Result], place: int) -> str:
    first, means = seeds[0], _means(seeds, place)
    spread = f" ± {stdev(means):.2f}" if len(means) > 1 else ""
    networks = len(first.students[place].scores)
    count = f"{len(seeds)} seed{'s' * (len(seeds) > 1)} of {networks} network{'s' * (networks > 1)} each"
    return (
        f"top-1 in %, mean{spread} over {count}; {first.dataset.title}; {first.stored_bytes} bytes; "
        f"vdbench {first.environment.vdbench}"
    )
