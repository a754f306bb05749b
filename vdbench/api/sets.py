"""Distilling one set, and evaluating any."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vdbench.api.arguments import checked
from vdbench.api.asking import Asked, at_least_one, budgets, dataset_of, nested, plugin_files, requested, seed_of
from vdbench.api.progress import watching
from vdbench.api.shown import escaped, table
from vdbench.api.tables import networks_frame
from vdbench.clips.clipset import ClipSet
from vdbench.clips.codecs import parse_codec
from vdbench.datasets.spec import as_declared_now
from vdbench.distilled.distilled_set import DistilledSet
from vdbench.distilled.outside.loading import Reading, from_arrays, is_outside, load_outside
from vdbench.distilled.sharing.reading import open_set
from vdbench.distilled.soundness import check_set
from vdbench.errors import UsageError
from vdbench.evaluation.evaluate import check_fit
from vdbench.evaluation.networks import StudentSpec
from vdbench.experiment.bench import Bench, device_named
from vdbench.experiment.home import Home
from vdbench.experiment.plan import make_plan
from vdbench.experiment.reproducing import reproducibly
from vdbench.experiment.stopping import StopRequest
from vdbench.experiment.suite import load_suite, usual_suite
from vdbench.experiment.trial import Means, student_seeds
from vdbench.experiment.worker import distil
from vdbench.extensions.kinds import use
from vdbench.storage import files
from vdbench.storage.text import counted, harmless

if TYPE_CHECKING:
    import pandas as pd

    from vdbench.api.asking import MethodLike, SuiteLike
    from vdbench.evaluation.judging import Evaluation

Evaluable = DistilledSet | ClipSet | str | Path | tuple[Any, Any]
"""What can be evaluated: a set, clips with labels, the path of either, or arrays (or tensors) of clips and labels."""


@checked
def distill(
    method: MethodLike,
    dataset: str | Path,
    *,
    ipc: int = 1,
    seed: int = 0,
    suite: SuiteLike | None = None,
    set: Mapping[str, Any] | None = None,
    budget: int | str | None = None,
    codec: str | None = None,
    partial: bool = False,
    plugins: Sequence[str | Path] = (),
    device: str = "auto",
    timeout: float | None = None,
    checkpoint_every: float = 120.0,
    home: str | Path | None = None,
) -> DistilledSet:
    """Make one distilled set, or find that it was made: by an earlier call, or by a run with the same choices.

    Long work keeps its state, and the same call goes on from there.

    Args:
        method: a name or ``name@pool``, a class, or an instance.
        dataset: the name of a data set.
        ipc: instances per class; without effect for a method that has none, such as ``full``.
        seed: of the distillation.
        suite: decides the clips and what is prescribed for the method: a name, the path of a YAML file, or a suite.
            ``quick`` on ``motion-digits`` and ``clean`` on real data where left out.
        set: settings that differ, such as ``{"herding.encoder": "pixels"}``.
        budget: instead of ``ipc``, bytes that the set may take, as a number or as ``"512KiB"``.
        codec: what its clips are stored as, such as ``"uint8"`` or ``"h264:28"``; as the method stores them if left
            out.
        partial: whether a data set of which only some classes or clips are there is allowed.
        plugins: Python files that define methods.
        device: ``auto``, ``cpu`` or ``cuda``.
        timeout: seconds that it may take.
        checkpoint_every: seconds after which long work keeps its state.
        home: where vdbench keeps what it makes; ``VDBENCH_HOME`` or the user's data folder where left out.

    Raises:
        UsageError: a name, a setting or a number makes no sense, or another run is using this home.
        DataError: the data set is not prepared.
        VdbenchError: the method failed, or its set is not one for the task.
        KeyboardInterrupt: it was asked to end, and has kept its state.

    Example:
        >>> distill("random", "motion-digits", ipc=5, seed=0, suite="quick")
        DistilledSet of 40 clips in 983040 bytes, by random from motion-digits, IPC 5, seed 0
    """
    asked = Asked(
        methods=[method],
        datasets=[dataset_of(dataset)],
        ipc=[at_least_one(ipc, "ipc")] if budget is None else [],
        seeds=[seed_of(seed)],
        suite=suite,
        settings=nested(set),
        budgets=budgets(budget),
        codec=None if codec is None else parse_codec(codec),
        partial=partial,
        plugins=plugin_files(plugins),
        controls=False,
    )
    place = Home.at(home)
    request = requested(asked, place, Means(device=device, timeout=timeout, checkpoint_every=checkpoint_every))
    jobs = make_plan(request, place).jobs
    if len(jobs) != 1:
        raise UsageError(f"'{method}' stands for {len(jobs)} methods; distill one, or use run for several")
    with files.sole_user(place.root), StopRequest(place.root).on_sigterm(), watching(jobs[0].trial.title) as report:
        return distil(jobs[0], report)


@dataclass(frozen=True)
class EvaluatedSet:
    """What fresh students made of a distilled set. It shows itself as a table in a notebook.

    Attributes:
        distilled: what was evaluated.
        dataset: whose test clips it was tested on, marked where that was partial.
        suite: the protocol.
        evaluation: the scores, network by network.
    """

    distilled: DistilledSet
    dataset: str
    suite: str
    evaluation: Evaluation

    @property
    def top1(self) -> float:
        """Mean top-1 over all networks that were trained on the set as its method means it, 0 to 1."""
        return float(np.mean([score.top1 for scores in self.evaluation.students for score in scores.scores]))

    def frame(self) -> pd.DataFrame:
        """A row per network, in the columns that :data:`vdbench.api.tables.NETWORK` explains."""
        return networks_frame(self.evaluation.students, self.evaluation.conditions)

    def __repr__(self) -> str:
        rows = "\n".join("  ".join(row) for row in self._rows())
        return f"EvaluatedSet of {self._title}\n{rows}"

    def _repr_html_(self) -> str:
        """A table with a row per student and condition."""
        head = ("condition", "student", "networks", "top-1", "top-5", "shuffled", "still")
        return f"<p>{escaped(self._title)}</p>{table(head, self._rows())}"

    @property
    def _title(self) -> str:
        record = self.distilled.record
        return (
            f"{harmless(record.method)}, {counted(len(self.distilled), 'clip')}, on {self.dataset} under {self.suite}"
        )

    def _rows(self) -> list[tuple[str, ...]]:
        """Means over the networks of a student, with their standard deviation for top-1."""
        rows = []
        for (condition, student), group in self.frame().groupby(["condition", "student"], sort=False):
            spread = f" ± {100 * group.top1.std():.1f}" if len(group) > 1 else ""
            means = ["-" if group[name].isna().all() else f"{100 * group[name].mean():.1f} %" for name in SHOWN]
            rows.append((str(condition), str(student), str(len(group)), means[0] + spread, *means[1:]))
        return rows


SHOWN = ("top1", "top5", "shuffled", "still")


@checked
def evaluate(
    what: Evaluable,
    dataset: str | Path | None = None,
    *,
    suite: SuiteLike | None = None,
    students: str | StudentSpec | Sequence[str | StudentSpec] | None = None,
    seeds: int | None = None,
    seed: int = 0,
    set: Mapping[str, Any] | None = None,
    reading: Reading | None = None,
    plugins: Sequence[str | Path] = (),
    device: str = "auto",
    home: str | Path | None = None,
) -> EvaluatedSet:
    """Train fresh students on a distilled set and test them on the test clips of a data set.

    Args:
        what: a :class:`DistilledSet`; a pair of clips and labels, as NumPy arrays or tensors, where labels are
            numbers or names of classes ``(N,)`` or distributions ``(N, classes)``; a :class:`ClipSet`; or the path of
            a distilled set, also an exported one, of a file of tensors, or of a folder of videos.
        dataset: test on this one; the one that a set was made from, or the suite's only one, where left out.
        suite: the protocol: a name, the path of a YAML file, or a suite. ``quick`` on ``motion-digits`` and ``clean``
            on real data where left out.
        students: networks instead of the protocol's: names, or :class:`StudentSpec` with sizes.
        seeds: fresh networks per student, instead of the protocol's number.
        seed: that the seeds of the students follow from; that of a trial gives its networks.
        set: changes of the protocol, such as ``{"protocol.recipe.max_steps": 100}``.
        reading: what arrays and files do not say themselves: ``Reading(pixels="unit")`` for floats from 0 to 1.
        plugins: Python files that define students.
        device: ``auto``, ``cpu`` or ``cuda``.
        home: where vdbench keeps what it makes; ``VDBENCH_HOME`` or the user's data folder where left out.

    Raises:
        UsageError: a name or a setting makes no sense.
        DataError: the data set is not prepared, or the clips are not for it.
        VdbenchError: clips or labels are not finite or no distributions.

    Example:
        >>> small = distill("random", "motion-digits", ipc=1)
        >>> score = evaluate(small, "motion-digits", suite="quick", seeds=2)
        >>> len(score.frame())
        2
    """
    use(plugin_files(plugins))
    changes = nested(set)
    protocol = dict(changes.pop("protocol", {}))
    if changes:
        raise UsageError(f"set={{'{next(iter(changes))}...'}} has no effect here; only protocol.* can be set")
    if students is not None:
        several = students if isinstance(students, Sequence) and not isinstance(students, str) else [students]
        protocol["students"] = [_student(student) for student in several]
    if seeds is not None:
        protocol["evaluation_seeds"] = at_least_one(seeds, "seeds")
    ours = _ours(what)
    seed, on = seed_of(seed), None if dataset is None else dataset_of(dataset)
    on = on or (ours.record.dataset if ours else None)
    chosen = load_suite(suite or usual_suite(None if on is None else [on]), protocol)
    place = Home.at(home)
    with reproducibly():
        bench = Bench.open(on or _only(chosen.datasets), chosen.protocol, place, device_named(device))
        declared = as_declared_now(bench.store.manifest.spec, place.root)
        bench = replace(bench, protocol=chosen.protocol.on(declared).computed_on(bench.device))
        distilled = ours or _read(what, bench, reading)
        train, protocol_now = bench.view.train, bench.protocol
        check_fit(distilled, bench.tested)
        check_set(distilled, train, None, distilled.record.method)
        if distilled.record.train_fingerprint != train.fingerprint:
            warnings.warn("it was made from other clips than this suite's train split", stacklevel=2)
        networks = student_seeds(seed, protocol_now.evaluation_seeds)
        title = f"evaluating {distilled.record.method} on {bench.view.facts.title}"
        with watching(title) as report:
            evaluation = bench.judge(distilled, distilled.record.ipc, seed, networks, report)
    return EvaluatedSet(distilled, bench.view.facts.title, chosen.name, evaluation)


def _student(asked: Any) -> dict[str, Any]:
    if not isinstance(asked, str | StudentSpec):
        raise UsageError(f"{asked!r} is no student; give a name, or a StudentSpec with its sizes")
    return (asked if isinstance(asked, StudentSpec) else StudentSpec(name=asked)).model_dump()


def _ours(what: Evaluable) -> DistilledSet | None:
    """The set itself, also where its folder is named; None for anything that vdbench did not make."""
    if isinstance(what, str | Path):
        return None if is_outside(Path(what)) else open_set(Path(what))
    return what if isinstance(what, DistilledSet) else None


def _read(what: Evaluable, bench: Bench, reading: Reading | None) -> DistilledSet:
    """Clips that vdbench did not make, as a distilled set on a data set."""
    train = bench.view.train
    if isinstance(what, str | Path):
        return load_outside(Path(what), bench.store, train, reading)
    if isinstance(what, ClipSet):
        names = np.array(what.classes)[what.labels]
        return from_arrays(np.asarray(what.clips), names, bench.store, train, reading)
    if not isinstance(what, tuple) or len(what) != 2:
        raise UsageError(
            f"a {type(what).__name__} cannot be evaluated: give a DistilledSet, a path, or (clips, labels)"
        )
    clips, labels = (_array(part) for part in what)
    if labels.ndim == 1 and len(clips) != len(labels) and clips.ndim == 5:  # noqa: PLR2004
        raise UsageError(f"there are {len(clips)} clips and {len(labels)} labels; give a label for each clip")
    return from_arrays(clips, labels, bench.store, train, reading)


def _array(part: Any) -> Any:
    """An array of a tensor, wherever it is, of an array, or of a list."""
    part = part.detach().cpu().numpy() if hasattr(part, "detach") else part
    return np.asarray(part)


def _only(datasets: Sequence[str]) -> str:
    """The data set of a suite that has one."""
    if len(datasets) != 1:
        raise UsageError(f"the suite has the data sets {', '.join(datasets)}; choose one with --dataset")
    return datasets[0]
