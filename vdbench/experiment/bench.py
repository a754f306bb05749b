"""A data set under a protocol, made ready: what plans look at, trials work on, and distilled sets are judged on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vdbench.datasets.prepare import prepared_store
from vdbench.datasets.spec import as_declared_now
from vdbench.datasets.view import View, open_view
from vdbench.errors import UsageError
from vdbench.evaluation.judging import Judge, clip_list
from vdbench.evaluation.teacher import TrainedTeacher
from vdbench.evaluation.train import VERSION as TRAINING_VERSION
from vdbench.generator.choice import pool_spec
from vdbench.generator.settings import generator_settings
from vdbench.method import Task
from vdbench.records import Record
from vdbench.students import student_version
from vdbench.work.assets import Assets
from vdbench.work.reports import Report, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.datasets.draft import Progress
    from vdbench.datasets.store import ClipStore
    from vdbench.distilled.distilled_set import DistilledSet
    from vdbench.evaluation.given import Reading
    from vdbench.evaluation.judging import Evaluation
    from vdbench.experiment.home import Home
    from vdbench.experiment.protocol import Protocol
    from vdbench.generator.sampling import GeneratedPool
    from vdbench.method import Method


@dataclass(frozen=True)
class Bench:
    """A data set made ready.

    Attributes:
        store: its decoded clips.
        view: these in the protocol's shape.
        protocol: as it is on this data set.
        home: where shared work is kept.
        device: where to compute, ``cpu`` or ``cuda``.
    """

    store: ClipStore
    view: View
    protocol: Protocol
    home: Home
    device: str

    @classmethod
    def of(cls, store: ClipStore, protocol: Protocol, home: Home, device: str) -> Bench:
        """Set up a store under a protocol.

        Raises:
            UsageError: the data set has no such split.
            DataError: its clips have fewer frames or pixels than the protocol asks for.
        """
        return cls(store, open_view(store, home.root, **protocol.data()), protocol, home, device)

    @classmethod
    def open(
        cls, dataset: str, protocol: Protocol, home: Home, device: str, on_progress: Progress | None = None
    ) -> Bench:
        """Set up a data set by its name; the embedded one is prepared if need be.

        Raises:
            DataError: the data set is not prepared.
        """
        store = prepared_store(dataset, home.root, protocol.frames, protocol.size, on_progress=on_progress)
        return cls.of(store, protocol, home, device)

    @property
    def tested(self) -> ClipSet:
        """The clips that students are tested on: the test part, or the validation part while tuning."""
        return self.view.test if self.protocol.evaluate_on == "test" else self.view.validation

    def list_tested(self) -> None:
        """Write down beside the results of the home which clips these are, unless that was done."""
        self.home.results.clip_lists.write(clip_list(self.tested))

    @property
    def _on(self) -> torch.device:
        import torch  # looking at clips needs none

        return torch.device(self.device)

    def assets(self, report: Report = silent, due: Callable[[], bool] | None = None) -> Assets:
        """The shared work over the train split."""
        return Assets(self.home.assets, self.view.train, self._on, report, due)

    def pool(self, generator: Mapping[str, Any]) -> GeneratedPool:
        """The generated clips that settings of the generator stand for."""
        return pool_spec(generator_settings(dict(generator)), self.view.facts.name, self.view.train)

    def given(self, method: Method[Any], draw: int, budget_bytes: int | None) -> dict[Reading, Any]:
        """What a method reads of how its sets, of so many bytes if it was asked for bytes, will be judged; no more."""
        if not method.reads:
            return {}
        protocol = self.protocol
        known: dict[Reading, Any] = {
            "student": protocol.students[0],
            "recipe": protocol.recipe,
            "teacher": _teacher(protocol).drawn(draw),
            "directed": as_declared_now(self.store.manifest.spec, self.home.root).directed,
            "budget_bytes": budget_bytes,
        }
        return {name: known[name] for name in method.reads}

    def described(self, given: Mapping[Reading, Any]) -> dict[str, Any]:
        """What a method reads as JSON values, for the id of its sets, with the versions of the code of networks."""
        values: dict[str, Any] = {
            name: value.model_dump(mode="json") if isinstance(value, Record | TrainedTeacher) else value
            for name, value in given.items()
        }
        if not {"student", "recipe", "teacher"}.isdisjoint(given):
            values["code"] = [student_version(self.protocol.students[0].name), TRAINING_VERSION]
        return values

    def task(
        self,
        ipc: int | None,
        seed: int,
        draw: int,
        generator: Mapping[str, Any] | None = None,
        report: Report = silent,
        due: Callable[[], bool] | None = None,
        checkpoints: Path | None = None,
        given: Mapping[Reading, Any] | None = None,
    ) -> Task:
        """What a method is asked to do.

        Args:
            ipc: instances per class; None for a method without a budget.
            seed: of the distillation.
            draw: of the networks that trials share.
            generator: settings of the generator, for a method that chooses from a generated pool; None for others.
            report: hears of progress.
            due: whether long work should keep its state now.
            checkpoints: where that is kept.
            given: as of :meth:`given`; nothing for most methods.
        """
        return Task(
            dataset=self.view.facts.name,
            train=self.view.train,
            ipc=ipc,
            seed=seed,
            device=self._on,
            assets=self.assets(report, due),
            report=report,
            checkpoints=checkpoints,
            due=due or (lambda: True),
            pool=None if generator is None else self.pool(generator),
            draw=draw,
            given=given or {},
        )

    def judge(
        self,
        distilled: DistilledSet,
        ipc: int | None,
        seed: int,
        seeds: Sequence[int],
        report: Report = silent,
        assets: Assets | None = None,
    ) -> Evaluation:
        """Judge a distilled set under the protocol; a teacher is trained when it is first needed.

        Which clips it is tested on is written beside the results of the home first.

        Args:
            distilled: what to judge.
            ipc: clips per class of the random controls; None for none.
            seed: of the draw of these clips, and of the teacher.
            seeds: of the students.
            report: hears of progress.
            assets: where the teacher is kept; the bench's own where left out.
        """
        protocol, view = self.protocol, self.view
        needs_teacher = protocol.taught or distilled.record.labels == "soft"
        judge = Judge(
            train=view.train,
            test=self.tested,
            students=protocol.students,
            recipe=protocol.recipe,
            seeds=seeds,
            device=self._on,
            labels=protocol.labels,
            augmentation=protocol.augmentation,
            teacher=teacher_of(protocol, seed).teacher(assets or self.assets(report)) if needs_teacher else None,
            configurations=protocol.configured,
            checkpoints=protocol.checkpoints,
            readings=view.readings if protocol.evaluate_on == "test" else None,
        )
        self.list_tested()
        return judge(distilled, ipc, seed, report)


def teacher_of(protocol: Protocol, seed: int) -> TrainedTeacher:
    """The teacher of a protocol: its first student, trained by its recipe; which draw of it follows from the seed."""
    return _teacher(protocol).drawn(protocol.draw(seed))


def _teacher(protocol: Protocol) -> TrainedTeacher:
    return TrainedTeacher(student=protocol.students[0], recipe=protocol.recipe)


def device_named(asked: str, elsewhere: bool = False) -> str:
    """The device to compute on, ``cpu`` or ``cuda``.

    Args:
        asked: ``auto``, ``cpu`` or ``cuda``.
        elsewhere: whether other machines compute, which may have a GPU where this one has none.

    Raises:
        UsageError: there is no such device here.
    """
    if asked not in ("auto", "cpu", "cuda"):
        raise UsageError(f"there is no device '{asked}'; choose auto, cpu or cuda")
    if elsewhere and asked != "auto":
        return asked
    import torch

    available = torch.cuda.is_available()
    if asked == "cuda" and not available:
        raise UsageError("--device cuda: torch finds no CUDA GPU here; leave --device out to use the CPU")
    return "cuda" if available and asked != "cpu" else "cpu"
