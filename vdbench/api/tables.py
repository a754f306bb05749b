"""Results as a table: one row per network that was trained and tested."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vdbench.api.arguments import checked
from vdbench.errors import DataError
from vdbench.experiment.home import Home
from vdbench.experiment.result_store import ResultStore
from vdbench.records import by_condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from vdbench.experiment.result import Result
    from vdbench.records import Condition, StudentScores

NETWORK: Mapping[str, str] = MappingProxyType(
    {
        "condition": "'own', as the method means its set, or another one of the protocol, such as 'hard'",
        "student": "name of the network",
        "width": "channels of its first layer",
        "depth": "its blocks, for a student that is sized by them",
        "network": "seed of its initial weights and batches",
        "top1": "share of test clips whose most likely class is right, 0 to 1",
        "top5": "share of test clips with the right class among the five most likely, 0 to 1",
        "macro": "mean over classes of each class's own top-1, 0 to 1",
        "shuffled": "top-1 with the frames of each test clip out of order, 0 to 1; missing where not tested",
        "still": "top-1 with the middle frame of each test clip shown all the time, 0 to 1; missing where not tested",
        "train_loss": "mean training loss of the last epoch",
    }
)
"""The columns that :meth:`vdbench.api.sets.EvaluatedSet.frame` has, with what they mean."""
COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "result": "id of the trial, which names its JSON file",
        "method": "as tables call it: with its pool, unless that is 'real'",
        "pool": "'real' or 'generated'; missing for a method that takes no pool",
        "control": "whether the suite added it as a control",
        "dataset": "name of the data set",
        "partial": "whether classes or clips of the data set were missing",
        "suite": "name of the protocol",
        "evaluated_on": "'test' or 'validation'",
        "ipc": "instances per class; missing for a method without a budget",
        "budget_bytes": "bytes that the distilled set was allowed; missing where an IPC was asked for",
        "codec": "what its clips were to be stored as; missing as the method stores them",
        "seed": "of the distillation",
        "settings": "the settings of the method that decide its outcome, as JSON",
        "stored_clips": "clips in the distilled set",
        "stored_bytes": "bytes of everything that rendering it needs",
        "health": "signs that the clips were not learned well, such as 'bound; unfinished'; missing without any",
        "distill_seconds": "wall-clock time of the distillation, shared work not counted",
        "device": "the machine that computed",
        **NETWORK,
    }
)
"""The columns of :func:`load_results`, in order, with what they mean."""
KINDS = {
    "result": "string", "method": "string", "pool": "string", "control": "bool", "dataset": "string",
    "partial": "bool", "suite": "string", "evaluated_on": "string", "ipc": "Int64", "budget_bytes": "Int64",
    "codec": "string", "seed": "int64", "settings": "string", "stored_clips": "int64", "stored_bytes": "int64",
    "health": "string", "distill_seconds": "float64", "device": "string", "condition": "string", "student": "string",
    "width": "Int64", "depth": "Int64", "network": "int64", "top1": "float64", "top5": "float64", "macro": "float64",
    "shuffled": "float64", "still": "float64", "train_loss": "float64",
}  # fmt: skip
"""What pandas holds each of them as."""


@checked
def load_results(folder: str | Path | None = None) -> pd.DataFrame:
    """Read stored results into one table, a row per network. Failed trials have no networks, and so no rows.

    Args:
        folder: of result files, such as ``leaderboard/results``; those of the user's home where left out.

    Returns:
        The columns that :data:`COLUMNS` explains. Scores are shares from 0 to 1.

    Raises:
        UsageError: it is no path.
        DataError: there is no such folder, or it is a home, whose results lie one folder deeper. A file in it that is
            no result is left out, with a warning.

    Example:
        >>> frame = load_results("leaderboard/results")
        >>> own = frame[frame.condition == "own"]
        >>> means = own.groupby(["dataset", "suite", "method", "ipc"]).top1.mean()
    """
    if folder is None:
        return frame_of(Home.to_read().results.readable())
    place = Path(folder)
    if not place.is_dir():
        raise DataError(f"there is no folder {place}; check the path")
    if not ResultStore(place).paths() and ResultStore(place / "results").paths():
        raise DataError(f"{place} holds no results, but its folder results does; give {place / 'results'}")
    return frame_of(ResultStore(place).readable())


def frame_of(results: Iterable[Result]) -> pd.DataFrame:
    """Results as :func:`load_results` gives them."""
    return _frame((row for result in results for row in _rows(result)), COLUMNS)


def networks_frame(students: Sequence[StudentScores], conditions: Sequence[Condition]) -> pd.DataFrame:
    """Scores alone, in the columns of :data:`NETWORK`."""
    return _frame(_networks(students, conditions), NETWORK)


def _frame(rows: Iterable[dict[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(list(rows), columns=list(columns))
    return frame.astype({name: KINDS[name] for name in columns})


def _rows(result: Result) -> Iterator[dict[str, Any]]:
    if result.status != "done":
        return
    own = {
        "result": result.id,
        "method": result.label,
        "pool": result.pool,
        "control": result.control,
        "dataset": result.dataset.name,
        "partial": result.dataset.partial,
        "suite": result.suite,
        "evaluated_on": result.evaluated_on,
        "ipc": result.ipc,
        "budget_bytes": result.budget_bytes,
        "codec": result.codec,
        "seed": result.seed,
        "settings": json.dumps(result.settings, sort_keys=True),
        "stored_clips": result.stored_clips,
        "stored_bytes": result.stored_bytes,
        "health": "; ".join(result.health) or None,
        "distill_seconds": result.stages["distill"].seconds,
        "device": result.environment.device,
    }
    yield from (own | network for network in _networks(result.students, result.conditions))


def _networks(students: Sequence[StudentScores], conditions: Sequence[Condition]) -> Iterator[dict[str, Any]]:
    for name, scores in by_condition(students, conditions):
        for score in scores.scores:
            yield {
                "condition": name,
                "student": scores.student,
                "width": scores.width,
                "depth": scores.depth,
                "network": score.seed,
                **score.model_dump(exclude={"seed", "outcomes"}),
            }
