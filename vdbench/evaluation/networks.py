"""The networks of one student: one trained from every seed, each tested once after its last step."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from vdbench.errors import DivergedError
from vdbench.evaluation.course import Course, steps_at
from vdbench.evaluation.passes import shuffled_frames, still_frames, test_student
from vdbench.evaluation.scoring import macro, places, top_k
from vdbench.evaluation.train import Training
from vdbench.evaluation.turns import networks_at_once, train_in_turns
from vdbench.outcomes import pack
from vdbench.records import Record, Score, StudentScores
from vdbench.students import build_student
from vdbench.work.measure import measured

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet
    from vdbench.evaluation.batches import TrainingSet
    from vdbench.evaluation.train import Recipe
    from vdbench.students.student import Student
    from vdbench.work.reports import Report


class StudentSpec(Record):
    """Which student is trained.

    Attributes:
        name: one of :func:`vdbench.students.student_names`.
        width: channels of its first layer; the published ones when left out.
        depth: its blocks, for a student that is sized by them; its own default when left out.
    """

    name: str
    width: int | None = Field(default=None, gt=0)
    depth: int | None = Field(default=None, gt=0)


@dataclass(frozen=True)
class Networks:
    """What networks are trained on, how, and which clips each is tested on.

    Attributes:
        data: what they are trained on.
        test: the clips that they are tested on.
        recipe: how they are trained.
        device: where to compute.
        report: of losses and top-1, named by student and seed.
        probe: whether to count the confusion of classes, and to test without the order of frames and without motion.
        checkpoints: shares of the steps after which they are tested on their way.
        read: the test clips as the network of a seed is shown them, on the scale of ``data``.
        readings: how many of the same clips there are in these, one after the other.
    """

    data: TrainingSet
    test: ClipSet
    recipe: Recipe
    device: torch.device
    report: Report
    probe: bool
    checkpoints: Sequence[float]
    read: Callable[[int], TrainingSet]
    readings: int

    def of(self, spec: StudentSpec, seeds: Sequence[int]) -> StudentScores:
        """Those of one student, by seed.

        Raises:
            DivergedError: a loss or a logit is not finite.
        """
        scores: list[Score] = []
        confusion: Counter[tuple[int, int]] = Counter()
        train_seconds = test_seconds = 0.0
        peak = 0
        # a network that is tested on its way has the clock, and so the device, to itself
        some = 1 if self.checkpoints else networks_at_once(self.recipe, len(self.data), self.device)
        for first in range(0, len(seeds), some):
            networks = [self._network(spec, seed) for seed in seeds[first : first + some]]
            with measured(self.device) as training:
                losses = train_in_turns([self._training(network) for network in networks], self.device)
            train_seconds += training.seconds
            for network, curve in zip(networks, losses, strict=True):
                with measured(self.device) as testing:
                    passes = self._tested(network)
                scores.append(self._score(network, curve[-1], passes))
                if self.probe:
                    confusion.update(zip(self.test.labels.tolist(), passes[0].argmax(dim=1).tolist(), strict=True))
                train_seconds -= network.course.seconds
                test_seconds += testing.seconds + network.course.seconds
                peak = max(peak, training.peak_memory, testing.peak_memory)
        return StudentScores(
            student=spec.name,
            width=network.student.width,
            depth=network.student.depth,
            parameters=network.student.parameter_count(),
            scores=tuple(scores),
            confusion=tuple((*pair, count) for pair, count in sorted(confusion.items())),
            train_seconds=train_seconds,
            test_seconds=test_seconds,
            peak_memory=peak,
        )

    def _network(self, spec: StudentSpec, seed: int) -> _Network:
        test = self.test
        student = build_student(spec.name, len(test.classes), test.frames, test.size, spec.width, seed, spec.depth)
        shown = self.read(seed)

        def now() -> float:
            (logits,) = self._passes(student, shown, [None])
            student.train()
            return top_k(logits, self._labels, 1)

        steps = steps_at(self.checkpoints, self.recipe.steps(len(self.data)))
        return _Network(spec.name, seed, student, shown, Course(steps, now, self.device))

    def _training(self, network: _Network) -> Training:
        name = f"{network.curve}/loss"

        def log(step: int, loss: float) -> None:
            self.report(step, **{name: loss})

        look = network.course.after if self.checkpoints else None
        return Training(network.student, self.data, self.recipe, network.seed, self.device, log, after_step=look)

    def _tested(self, network: _Network) -> list[torch.Tensor]:
        """Logits of every clip, and those without the order of frames and without motion."""
        shape = len(self.test), self.test.frames
        probes = [shuffled_frames(*shape), still_frames(*shape)] if self.probe else []
        return self._passes(network.student, network.shown, [None, *probes])

    def _passes(
        self, student: Student, shown: TrainingSet, frames: Sequence[NDArray[np.int64] | None]
    ) -> list[torch.Tensor]:
        seen = self.recipe.shown
        return test_student(student, shown, self.device, frames=frames, seen=seen, readings=self.readings)

    def _score(self, network: _Network, loss: float, passes: list[torch.Tensor]) -> Score:
        logits, *altered = passes
        steps, labels = self.recipe.steps(len(self.data)), self._labels
        if not bool(logits.isfinite().all()):
            raise DivergedError(network.name, steps)
        top1 = top_k(logits, labels, 1)
        self.report(steps, **{f"{network.curve}/top1": top1})
        shuffled, still = (top_k(some, labels, 1) for some in altered) if altered else (None, None)
        return Score(
            seed=network.seed,
            top1=top1,
            top5=top_k(logits, labels, 5),
            macro=macro(logits, labels),
            train_loss=loss,
            outcomes=pack(places(logits, labels), len(self.test.classes)),
            checkpoints=tuple(network.course.checkpoints),
            shuffled=shuffled,
            still=still,
        )

    @property
    def _labels(self) -> torch.Tensor:
        import torch

        return torch.tensor(self.test.labels)


class _Network(NamedTuple):
    """A fresh student, the test clips as it is shown them, and the tests on its way."""

    name: str
    seed: int
    student: Student
    shown: TrainingSet
    course: Course

    @property
    def curve(self) -> str:
        """What its losses and top-1 are reported under."""
        return f"{self.name}/{self.seed}"
