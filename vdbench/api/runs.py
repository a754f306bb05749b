"""Evaluating methods on data sets: a whole run, from Python."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial as with_arguments
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vdbench.api.arguments import checked
from vdbench.api.asking import (
    Asked,
    apart,
    at_least_one,
    budgets,
    counted,
    dataset_of,
    ipcs,
    nested,
    not_empty,
    plugin_files,
    requested,
)
from vdbench.api.progress import listening
from vdbench.api.rounds import MOST_SEEDS, Search, Searched, in_rounds
from vdbench.api.shown import escaped, table
from vdbench.api.tables import frame_of
from vdbench.clips.codecs import parse_codec
from vdbench.errors import UsageError
from vdbench.experiment.estimate import estimate
from vdbench.experiment.home import Home
from vdbench.experiment.plan import make_plan
from vdbench.experiment.run import carry_out
from vdbench.experiment.schedule import run_inline
from vdbench.experiment.trial import Means
from vdbench.storage.text import counted as counted_as

if TYPE_CHECKING:
    import pandas as pd

    from vdbench.api.asking import MethodLike, SuiteLike
    from vdbench.experiment.plan import Plan
    from vdbench.experiment.result import Result
    from vdbench.experiment.run import Outcome
    from vdbench.experiment.schedule import Scheduler
    from vdbench_leaderboard.tables.undecided import Question


@dataclass(frozen=True, repr=False)
class Run:
    """What became of a run. It shows itself as a table in a notebook.

    Attributes:
        results: of every trial that is finished, earlier runs' included.
        failures: the records of trials that failed in this run; a failure is never counted as a result.
        home: where they are kept.
        questions: of a run with ``until``: what was to be decided, and what is known of it.
    """

    results: tuple[Result, ...]
    failures: tuple[Result, ...]
    home: Path
    questions: tuple[Question, ...] = ()

    def frame(self) -> pd.DataFrame:
        """The results, a row per network, in the columns of :data:`vdbench.api.tables.COLUMNS`."""
        return frame_of(self.results)

    def __repr__(self) -> str:
        rows = "\n".join("  ".join(row) for row in self._rows())
        return f"{self._title}\n{rows}" if rows else self._title

    def _repr_html_(self) -> str:
        """A table with a row per method, budget and student, and the failures below it."""
        head = ("dataset", "suite", "method", "ipc", "student", "seeds", "top-1")
        why = "".join(f"<li>{escaped(line)}</li>" for line in self._reasons())
        return f"<p>{escaped(self._title)}</p>{table(head, self._rows())}{f'<ul>{why}</ul>' if why else ''}"

    @property
    def _title(self) -> str:
        return f"{counted_as(len(self.results), 'trial')} done, {len(self.failures)} failed, in {self.home}"

    def _reasons(self) -> list[str]:
        return [f"{r.label}, seed {r.seed}: {r.failure.message}" for r in self.failures if r.failure is not None]

    def _rows(self) -> list[tuple[str, ...]]:
        """Mean and standard deviation over seeds of each seed's mean over its networks."""
        frame = self.frame()
        frame = frame[frame.condition == "own"].assign(ipc=frame.ipc.astype("string").fillna("all"))
        cell = ["dataset", "suite", "method", "settings", "ipc", "student"]
        rows = []
        for key, group in frame.groupby(cell, sort=False):
            means = 100 * group.groupby("seed").top1.mean()
            spread = f" ± {means.std():.1f}" if len(means) > 1 else ""
            dataset, suite, method, _, ipc, student = key
            told = (dataset, suite, method, ipc, student, len(means), f"{means.mean():.1f} %{spread}")
            rows.append(tuple(map(str, told)))
        return rows


@checked
def run(
    methods: MethodLike | Iterable[MethodLike] | None = None,
    datasets: str | Path | Iterable[str | Path] | None = None,
    ipc: int | Iterable[int] | None = None,
    seeds: int | Iterable[int] | None = None,
    *,
    until: str | None = None,
    hours: float | None = None,
    most_seeds: int = MOST_SEEDS,
    suite: SuiteLike | None = None,
    set: Mapping[str, Any] | None = None,
    budget: int | str | Iterable[int | str] | None = None,
    codec: str | None = None,
    partial: bool = False,
    plugins: Sequence[str | Path] = (),
    scheduler: Literal["inline", "ray"] = "inline",
    workers: int | None = None,
    ray_address: str = "local",
    tracking: bool = False,
    device: str = "auto",
    gpus_per_trial: float | None = None,
    timeout: float | None = None,
    checkpoint_every: float = 120.0,
    home: str | Path | None = None,
) -> Run:
    """Evaluate methods on data sets, as ``vdbench run`` does: the same trials with the same ids in the same home.

    What is done is not run twice, whoever ran it. Interrupted, what is done is kept, and the same call goes on. The
    leaderboard of a home is built by ``vdbench leaderboard build``.

    Args:
        methods: names, ``name@pool``, globs, classes or instances, several of one class with settings of their own
            too; the suite's where left out. The suite's controls run beside them.
        datasets: their names; the suite's where left out.
        ipc: instances per class.
        seeds: how many distillation seeds, counted from 0, or which; beside ``until`` those of the first look.
        until: add seeds round by round until methods are told from ``random`` and from the leader (``"told"``), or
            until their differences to ``random`` are known to within some points (``"3pts"``). What was found stands in
            the questions of what is returned.
        hours: begin no round that would end later; ``until`` is ``"told"`` then if left out.
        most_seeds: that ``until`` may come to.
        suite: the protocol: a name, the path of a YAML file, or a suite. ``quick`` on ``motion-digits`` and ``clean``
            on real data where left out.
        set: settings that differ, such as ``{"herding.encoder": "pixels", "protocol.recipe.max_steps": 100}``.
        budget: instead of IPCs, bytes that a distilled set may take, as numbers or as ``"512KiB"``.
        codec: what clips are stored as, such as ``"uint8"`` or ``"h264:28"``; as each method stores them if left out.
        partial: whether data sets of which only some classes or clips are there are allowed.
        plugins: Python files that define methods.
        scheduler: ``inline`` runs one trial after the other in this process; ``ray`` runs them in parallel, each with
            its share of the machine, and takes some seconds to start.
        workers: cores that a local Ray uses; all of them where left out.
        ray_address: an existing Ray cluster; ``local`` starts one here.
        tracking: whether every trial is mirrored in MLflow; ``vdbench mlflow --rebuild`` does so later.
        device: ``auto``, ``cpu`` or ``cuda``.
        gpus_per_trial: share of a GPU per trial; where left out, what trials like it took, or what the method declares.
        timeout: seconds per trial; one that never reports is ended, in a process of its own.
        checkpoint_every: seconds after which long methods keep their state.
        home: where vdbench keeps what it makes; ``VDBENCH_HOME`` or the user's data folder where left out.

    Raises:
        UsageError: a name, a setting or a number makes no sense, or another run is using this home.
        DataError: a data set is not prepared, or partial and that was not allowed.
        KeyboardInterrupt: it was asked to end; what is done is kept.

    Example:
        >>> done = run("random", "motion-digits", ipc=1, seeds=1)
        >>> sorted(done.frame().method)
        ['full', 'random']
    """
    search = None if until is None and hours is None else _search(until, hours, seeds, most_seeds)
    asked = Asked(
        methods=_several(methods, "methods"),
        datasets=[dataset_of(dataset) for dataset in _several(datasets, "datasets") or ()] or None,
        ipc=ipcs(ipc),
        seeds=counted(search.looks[-1] if search else seeds),
        suite=suite,
        settings=nested(set),
        budgets=budgets(budget),
        codec=None if codec is None else parse_codec(codec),
        partial=partial,
        plugins=plugin_files(plugins),
    )
    means = Means(device, ray_address != "local", gpus_per_trial, timeout, checkpoint_every)
    place = Home.at(home)
    workers = None if workers is None else at_least_one(workers, "workers")
    carrier = scheduler_named(scheduler, ray_address, workers)
    requests = [requested(replace(asked, methods=group), place, means) for group in apart(asked.methods)]
    for path in place.results.set_aside_corrupt():
        warnings.warn(f"{path} is no result that can be read; it was set aside, and its trial runs again", stacklevel=2)
    if search is not None:
        requests = [search.drawing(request) for request in requests]
    plan = reduce(or_, [make_plan(request, place) for request in requests])
    if search is not None and (shared := search.shared(plan.jobs)):
        warnings.warn(shared, stacklevel=2)

    def carry(part: Plan) -> Outcome:
        pending = len(part.pending)
        listeners = [
            listener for listener in (listening(pending), _mirror(place, tracking and pending > 0)) if listener
        ]
        try:
            return carry_out(part, place, carrier, listeners)
        finally:
            for listener in listeners:
                listener.close()

    if search is None:
        outcome = carry(plan)
        found = Searched(outcome.done, outcome.failed, "interrupted" if outcome.interrupted else "decided", ())
    else:
        at_once = 1 if scheduler == "inline" else workers or os.cpu_count() or 1
        found = in_rounds(plan, search, lambda part: estimate(part, place, at_once).seconds, carry)
    if found.ended == "interrupted":
        raise KeyboardInterrupt("the run was asked to end; what is done is kept, and the same call goes on")
    return Run(found.results, found.failed, place.root, found.questions)


def _search(until: str | None, hours: float | None, seeds: int | Iterable[int] | None, most: int) -> Search:
    if seeds is not None and not isinstance(seeds, int):
        raise UsageError("seeds is the number of the first look beside until; give a number, not which")
    return Search.of(until, hours, seeds or 0, most)


def scheduler_named(
    name: str, address: str = "local", workers: int | None = None, isolate: bool | None = None
) -> Scheduler:
    """The scheduler of a name.

    Args:
        name: ``inline`` or ``ray``.
        address: of an existing Ray cluster, or ``local``.
        workers: cores that a local Ray uses; all of them where None.
        isolate: whether ``inline`` works in another process; see :func:`vdbench.experiment.schedule.run_inline`.

    Raises:
        UsageError: there is no such scheduler.
    """
    if name == "inline":
        return with_arguments(run_inline, isolate=isolate)
    if name != "ray":
        raise UsageError(f"there is no scheduler '{name}'; choose inline or ray")
    from vdbench.experiment.on_ray import RayScheduler

    return RayScheduler(address=address, cpus=workers)


def _mirror(place: Home, wanted: bool) -> Any:
    if not wanted:
        return None
    from vdbench.experiment.tracking import MlflowMirror

    return MlflowMirror(place, "vdbench.run")


def _several(some: Any, what: str) -> list[Any] | None:
    """A list of what may be one or several; None where it was left out."""
    if some is None:
        return None
    return [some] if isinstance(some, str | type) or not isinstance(some, Iterable) else not_empty(some, what)
