"""Judging a stored distilled set again, under what its result says, and marking the result as verified.

``vdbench evaluate PATH --verify RESULT.json`` alone sets the mark, and whoever has the distilled set may do so, its
maker included: the mark names the machine and the versions of the second judging, so that a reader sees how far apart
the two were. It is worth as much as the file that it stands in, which anybody can write: who accepts a result from
others takes its mark for a claim, as its numbers are, and sets one of his own by judging the set again.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdbench.distilled.distilled_set import TENSORS, DistilledSet
from vdbench.distilled.sharing.reading import is_export
from vdbench.errors import DataError, UsageError
from vdbench.experiment.bench import Bench, device_named
from vdbench.experiment.environment import environment
from vdbench.experiment.repeat import suite_of
from vdbench.experiment.reproducing import reproducibly
from vdbench.experiment.result import Verification
from vdbench.experiment.trial import student_seeds
from vdbench.records import by_condition
from vdbench.storage import files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from vdbench.experiment.home import Home
    from vdbench.experiment.result import Environment, Result
    from vdbench.records import Condition, StudentScores

TOLERANCE = 1.0
"""Points of top-1 that the mean over a student's networks may always differ by on another machine."""
ONE_NETWORK = 3.0
"""Points that a single network may: sums that round otherwise send its training another way."""


def tolerance(networks: int) -> float:
    """Points of top-1 that the mean over so many networks may differ by on another machine.

    What sets retrained networks apart is as good as independent between them, so that it falls with the square root of
    their number, down to :data:`TOLERANCE`.
    """
    return max(TOLERANCE, ONE_NETWORK / math.sqrt(networks))


@dataclass(frozen=True)
class Pair:
    """One network, judged twice.

    Attributes:
        labels: ``own``, or the name of the condition.
        student: its name.
        seed: of the network.
        before: top-1 that the result names, 0..1.
        now: top-1 of the second judging, 0..1.
    """

    labels: str
    student: str
    seed: int
    before: float
    now: float

    @property
    def difference(self) -> float:
        """In points, positive where the second judging is the better one."""
        return 100 * (self.now - self.before)


@dataclass(frozen=True)
class Comparison:
    """A result beside a second judging of its distilled set.

    Attributes:
        pairs: every network.
        environment: of the second judging.
        tolerance: points that a student's mean may differ by; 0 asks for equal bits of every network.
    """

    pairs: tuple[Pair, ...]
    environment: Environment
    tolerance: float

    @property
    def difference(self) -> float:
        """The largest one of the students' means, under any condition, in points."""
        groups: dict[tuple[str, str], list[float]] = defaultdict(list)
        for pair in self.pairs:
            groups[pair.labels, pair.student].append(pair.difference)
        return max(abs(sum(group) / len(group)) for group in groups.values())

    @property
    def agrees(self) -> bool:
        """Whether no student differs by more than it may."""
        if self.tolerance == 0:
            return all(pair.now == pair.before for pair in self.pairs)
        return self.difference <= self.tolerance

    def verified(self, result: Result, when: datetime) -> Result:
        """The result with its mark.

        Raises:
            ValueError: the two do not agree.
        """
        if not self.agrees:
            raise ValueError(f"the two differ by {self.difference} points")
        mark = Verification(environment=self.environment, when=when, difference=self.difference)
        return result.model_copy(update={"verified": mark})


def check_artefact(result: Result, folder: Path, distilled: DistilledSet) -> None:
    """Make sure that a distilled set is the one that a result was measured on, and of the cost that it names.

    Raises:
        DataError: its tensors, or what it says of itself, are others.
    """
    sha256 = files.file_sha256(folder / TENSORS)
    if sha256 != result.artefact:
        raise DataError(
            f"{folder} is not the distilled set of result {result.id}: the SHA-256 of its tensors is {sha256[:12]}..., "
            f"not {str(result.artefact)[:12]}..."
        )
    record = distilled.record
    said = {
        "method": record.method,
        "method_version": record.method_version,
        "ipc": record.ipc,
        "labels": record.labels,
        "step_size": record.step_size,
        "stored_as": record.codec,
        "stored_clips": len(distilled),
        "stored_bytes": distilled.stored_bytes,
        "provenance": record.provenance,
    }
    if record.seed != 0:  # without chance there is one set for all seeds, of seed 0
        said["seed"] = record.seed
    for name, value in said.items():
        if value != getattr(result, name):
            raise DataError(
                f"{folder} does not go with result {result.id}: its {name} is {value}, not {getattr(result, name)}"
            )


def judge_again(result: Result, folder: Path, home: Home, device: str) -> Comparison:
    """Judge the distilled set of a result again, as the result says.

    Raises:
        UsageError: the folder is an export.
        DataError: the distilled set or the clips are not those of the result.
    """
    if is_export(folder):
        raise UsageError(
            f"{folder} is an export, whose pixels are not the tensors that result {result.id} names; verify the "
            "distilled set that it was made from"
        )
    if result.status != "done" or result.artefact is None:
        raise DataError(f"result {result.id} is not finished, so that there is nothing to verify; run its trial again")
    protocol, distilled = suite_of(result).protocol, DistilledSet.load(folder)
    check_artefact(result, folder, distilled)
    bench = Bench.open(result.dataset.name, protocol, home, device_named(device))
    if (fingerprint := bench.view.facts.fingerprint) != result.dataset.fingerprint:
        raise DataError(
            f"{result.dataset.title} is prepared here from other clips than result {result.id} was measured on: "
            f"fingerprint {fingerprint}, not {result.dataset.fingerprint}; prepare the same videos with the same reader"
        )
    with reproducibly():
        seeds = student_seeds(result.seed, protocol.evaluation_seeds)
        evaluation = bench.judge(distilled, result.ipc, result.seed, seeds)
        machine = environment(bench.device)  # with the flags that it was judged under
    return compare(result, evaluation.students, evaluation.conditions, machine, bench.device == "cpu")


def compare(
    result: Result,
    students: Sequence[StudentScores],
    conditions: Sequence[Condition],
    environment: Environment,
    on_cpu: bool,
) -> Comparison:
    """Set a second judging beside a result, network by network.

    On a CPU, an equal machine with an equal torch has to give equal bits. Everything else may differ by
    :func:`tolerance`.

    Raises:
        DataError: the result has other networks.
    """
    before, now = _networks(result.students, result.conditions), _networks(students, conditions)
    if before.keys() != now.keys():
        labels, student, _, _, seed = sorted(before.keys() ^ now.keys(), key=str)[0]
        raise DataError(
            f"result {result.id} has other networks than its protocol asks for: {student} with seed {seed} "
            f"({labels} labels) is on one side only"
        )
    pairs = tuple(Pair(key[0], key[1], key[4], before[key], now[key]) for key in before)
    first = result.environment
    same = all(getattr(first, part) == getattr(environment, part) for part in ("platform", "torch", "device"))
    fewest = min(len(scores.scores) for scores in students)
    return Comparison(pairs, environment, 0.0 if same and on_cpu else tolerance(fewest))


def _networks(
    students: Sequence[StudentScores], conditions: Sequence[Condition]
) -> dict[tuple[str, str, int, int | None, int], float]:
    """Top-1 of every network by its condition, its kind and its seed."""
    return {
        (labels, scores.student, scores.width, scores.depth, score.seed): score.top1
        for labels, scores in by_condition(students, conditions)
        for score in scores.scores
    }
