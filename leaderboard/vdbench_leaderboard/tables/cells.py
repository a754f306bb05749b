"""Results gathered into cells: one method at one IPC, with one student, on one data set under one protocol."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from vdbench_leaderboard.statistics.draws import error_of_draws
from vdbench_leaderboard.statistics.estimates import FEW_SEEDS, Estimate, Runs, estimate
from vdbench_leaderboard.tables.keys import NO_STUDENT, Budget, Group, Place, Student
from vdbench_leaderboard.tables.row_labels import method_labels
from vdbench_leaderboard.tables.timings import comparable

if TYPE_CHECKING:
    from vdbench.experiment.result import Environment, Result
    from vdbench.records import DatasetRecord, PoolRecord, Provenance, Score, StudentScores

TRIVIAL_TOP5 = 5
"""With this many classes or fewer, every network has the right class among its five most likely."""


@dataclass(frozen=True)
class Cell:
    """One method at one IPC, with one student: what its own results say.

    Attributes:
        group: suite, protocol and data.
        student: the network that was trained and tested.
        method: the label of its row, unique within the group.
        budget: what its distilled sets were allowed; None for a method without a budget.
        done: finished trials, by seed, with the scores that this student gave.
        failed: failed trials, by seed.
    """

    group: Group
    student: Student
    method: str
    budget: Budget | None
    done: tuple[tuple[Result, StudentScores], ...]
    failed: tuple[Result, ...]

    @property
    def place(self) -> Place:
        """What it is known by within its board."""
        return self.method, self.budget

    @property
    def any_result(self) -> Result:
        """One of its trials, for what all of them share."""
        return self.done[0][0] if self.done else self.failed[0]

    @property
    def ipc(self) -> int | None:
        """Instances per class: asked for, or as many as fit the bytes; None for a method without a budget."""
        return self.any_result.ipc

    @property
    def dataset(self) -> DatasetRecord:
        """The data used."""
        return self.any_result.dataset

    @property
    def parts(self) -> dict[str, int]:
        """Clips of the data by part: ``train``, ``validation``, held out of the official train split, and ``test``."""
        data = self.dataset
        rest = data.clips - data.train_clips - data.test_clips
        held, test = (data.test_clips, rest) if self.group.evaluated_on == "validation" else (rest, data.test_clips)
        return {"train": data.train_clips, "validation": held, "test": test}

    def measured(self, score: str = "top1", condition: str | None = None) -> Runs:
        """One score of each network, in percent, by seed; empty where it was not measured.

        Args:
            score: a field of :class:`vdbench.records.Score`.
            condition: name of the condition; None for the clips as their method means them. A configuration may have a
                student of its own.
        """
        found: dict[int, dict[int, float]] = {}
        for seed, scores in self.scores_in(condition).items():
            values = {s.seed: getattr(s, score) for s in scores}
            if None not in values.values():
                found[seed] = {network: 100 * value for network, value in values.items()}
        return found

    def scores_in(self, condition: str | None) -> dict[int, tuple[Score, ...]]:
        """The scores of all networks by seed, under a condition as of :meth:`measured`, where there are any."""
        found: dict[int, tuple[Score, ...]] = {}
        for result, own in self.done:
            others = [(other, s) for other in result.conditions if other.name == condition for s in other.students]
            same = [scores for other, scores in others if other.configuration or Student.of(scores) == self.student]
            evaluated = same if condition else [own]
            if networks := tuple(score for scores in evaluated for score in scores.scores):
                found[result.seed] = networks
        return found

    @cached_property
    def runs(self) -> Runs:
        """Top-1 in percent."""
        return self.measured()

    @cached_property
    def top1(self) -> Estimate | None:
        """Top-1 in percent; None where every trial failed."""
        return estimate(self.runs)

    @property
    def error_of_draws(self) -> float | None:
        """Standard error of top-1 by the networks that its seeds share; None where they share none, or too few."""
        drawn = {result.seed: result.seed % result.draws for result, _ in self.done if result.draws}
        means = {seed: sum(networks.values()) / len(networks) for seed, networks in self.runs.items()}
        return error_of_draws(means, drawn) if drawn.keys() >= means.keys() else None

    def score(self, name: str) -> Estimate | None:
        """A score in percent: ``top5``, ``macro``, the mean over classes, or ``shuffled`` or ``still`` test clips.

        None where it was not measured for every seed, and of ``top5`` where it is 100 % by definition.
        """
        trivial = name == "top5" and self.dataset.classes <= TRIVIAL_TOP5
        runs = self.measured(name)
        return None if trivial or runs.keys() != self.runs.keys() else estimate(runs)

    @property
    def confusion(self) -> dict[tuple[int, int], int]:
        """Test clips by class and most likely class, over all seeds and networks."""
        counts: Counter[tuple[int, int]] = Counter()
        for _, scores in self.done:
            counts.update({(label, guess): clips for label, guess, clips in scores.confusion})
        return dict(counts)

    @property
    def step_size(self) -> float | None:
        """Learning rate that the method learned for its students, mean per trial; None where it learned none."""
        return self._mean(result.step_size for result, _ in self.done if result.step_size is not None)

    @property
    def chance(self) -> float:
        """Top-1 in percent of chance."""
        return 100 / self.dataset.classes

    @property
    def seeds(self) -> frozenset[int]:
        """Seeds that finished."""
        return frozenset(self.runs)

    @property
    def tried(self) -> frozenset[int]:
        """Seeds that finished or failed."""
        return self.seeds | {result.seed for result in self.failed}

    @property
    def few(self) -> bool:
        """Whether fewer than three seeds finished."""
        return len(self.seeds) < FEW_SEEDS

    @property
    def networks(self) -> str:
        """Networks tested per seed: ``2``, or ``1-3`` where seeds differ."""
        counts = sorted({len(networks) for networks in self.runs.values()}) or [0]
        return str(counts[0]) if len(counts) == 1 else f"{counts[0]}-{counts[-1]}"

    @property
    def failures(self) -> dict[str, int]:
        """How many trials failed with each kind."""
        kinds = Counter(result.failure.kind if result.failure else "bug" for result in self.failed)
        return dict(sorted(kinds.items()))

    @property
    def control(self) -> bool:
        """Whether the suite added it as a control."""
        return any(result.control for result in self._results)

    @property
    def reconstruction(self) -> bool:
        """Whether the method is a reconstruction of an unpublished one."""
        return any(result.reconstruction for result in self._results)

    @property
    def stored_clips(self) -> float | None:
        """Clips in the distilled set, mean per trial."""
        return self._mean(result.stored_clips for result, _ in self.done)

    @property
    def stored_bytes(self) -> float | None:
        """Bytes of everything that rendering needs, mean per trial."""
        return self._mean(result.stored_bytes for result, _ in self.done)

    @property
    def distill_seconds(self) -> float | None:
        """Seconds of the stages ``assets`` and ``distill``, mean per trial whose timings are :func:`comparable`."""
        stages, timed = ("assets", "distill"), [result for result, _ in self.done if "distill" in result.stages]
        return self._mean(sum(r.stages[s].seconds for s in stages if s in r.stages) for r in timed)

    @property
    def evaluate_seconds(self) -> float | None:
        """Seconds of training and testing all networks of this student, mean per trial whose timings are comparable.

        Trials that took over the scores of others have none.
        """
        own = [scores for result, scores in self.done if result.judged_as is None and "evaluate" in result.stages]
        return self._mean(scores.train_seconds + scores.test_seconds for scores in own)

    @property
    def pool(self) -> str | None:
        """The pool its clips were selected from: ``real`` or ``generated``; None for a method that takes none."""
        return self.any_result.pool

    @property
    def taken_from(self) -> str:
        """Where its clips come from: the ``real`` or the ``generated`` pool, or ``learned`` where there is no pool."""
        return self.pool or "learned"

    @property
    def origin(self) -> str:
        """What encoder and generator were behind the clips, and what these have seen; empty where there was none."""
        known = self._provenance
        if known is None:
            return ""
        parts = [("encoder", known.encoder, known.encoder_saw), ("generator", known.generator, known.generator_saw)]
        return "; ".join(f"{what} {name} saw {saw}" for what, name, saw in parts if name)

    @property
    def generator_saw(self) -> str | None:
        """What the generator behind the clips was trained on; None where there was none."""
        known = self._provenance
        return known.generator_saw if known and known.generator else None

    @property
    def sampled(self) -> PoolRecord | None:
        """How the generated pool was made that the clips are from; None where there was none."""
        return self._provenance.sampled if self._provenance else None

    @property
    def environments(self) -> frozenset[Environment]:
        """Machines and versions that its trials ran on."""
        return frozenset(result.environment for result in self._results)

    @property
    def _provenance(self) -> Provenance | None:
        return next((result.provenance for result, _ in self.done if result.provenance), None)

    @property
    def _results(self) -> list[Result]:
        return [*(result for result, _ in self.done), *self.failed]

    @staticmethod
    def _mean(values: Iterable[float]) -> float | None:
        listed = list(values)
        return sum(listed) / len(listed) if listed else None


def superseded(results: Sequence[Result]) -> list[Result]:
    """Results whose place another one has: the same row, budget and seed, by another version of what made it.

    Plugins are edited, and assets and students get new versions, which gives a trial another id; so does another number
    of draws of trained networks. The finished one that was started last counts for the seed; of failed ones, the last.
    """
    groups = {result.id: Group.of(result) for result in results}
    labels = method_labels(results, groups)
    places: dict[tuple[Group, str, Budget | None, int], list[Result]] = defaultdict(list)
    for result in results:
        places[groups[result.id], labels[result.id], Budget.of(result), result.seed].append(result)
    last = [sorted(members, key=lambda r: (r.status == "done", r.started, r.id)) for members in places.values()]
    return [result for members in last for result in members[:-1]]


def gather(results: Iterable[Result]) -> list[Cell]:
    """Sort results into cells. Their order does not matter, and those that are :func:`superseded` do not count.

    A failed trial has no scores and so no student: it counts as failed with every student of its group.
    """
    every = list(results)
    old = {result.id for result in superseded(every)}
    ordered = sorted((r for r in every if r.id not in old), key=lambda result: (result.seed, result.id))
    groups = {result.id: Group.of(result) for result in ordered}
    ordered = comparable(ordered, groups)
    labels = method_labels(ordered, groups)
    students: dict[Group, set[Student]] = defaultdict(set)
    for result in ordered:
        students[groups[result.id]].update(Student.of(scores) for scores in result.students)

    done: dict[_Key, list[tuple[Result, StudentScores]]] = defaultdict(list)
    failed: dict[_Key, list[Result]] = defaultdict(list)
    for result in ordered:
        group, label = groups[result.id], labels[result.id]
        if result.status == "done":
            for scores in result.students:
                done[group, Student.of(scores), label, Budget.of(result)].append((result, scores))
        else:
            for student in students[group] or {NO_STUDENT}:
                failed[group, student, label, Budget.of(result)].append(result)
    keys = sorted(done.keys() | failed.keys(), key=lambda key: (*key[:3], key[3] is None, key[3] or Budget(False, 0)))
    return [Cell(*key, tuple(done[key]), tuple(failed[key])) for key in keys]


_Key = tuple[Group, Student, str, Budget | None]
