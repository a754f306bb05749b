"""The result of one trial: its schema, and the folder of JSON files that is the truth about a benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, field_validator

from vdbench.errors import FailureKind
from vdbench.experiment.consistency import contradictions, lack
from vdbench.generator.settings import GENERATOR
from vdbench.records import (
    Condition,
    Count,
    DatasetRecord,
    HealthMark,
    Positive,
    Provenance,
    Record,
    Seconds,
    Seed,
    StudentScores,
)


class Stage(Record):
    """What one stage of a trial cost.

    Attributes:
        seconds: wall-clock time.
        peak_memory: bytes, on the device that computed; 0 where it could not be measured.
        code: :data:`vdbench.work.measure.CODE` of what was timed; None where an earlier version did, or several.
    """

    seconds: Seconds
    peak_memory: Count = 0
    code: int | None = None


class Environment(Record):
    """The machine and the versions behind a result.

    Attributes:
        device: name of the GPU that computed, or of the processor.
        cuda: the version of CUDA that torch was built with; None where no GPU computed, as for the next two.
        cudnn: the version of cuDNN, such as ``91002``.
        driver: the version of the GPU's driver.
        gpu_memory: bytes of the GPU that computed; None where none did, and in results of earlier versions.
        flags: what a GPU was told to do outside of training: ``deterministic``, ``benchmark``, ``tf32``; None as above.
    """

    vdbench: str
    python: str
    torch: str
    device: str
    cpus: int
    platform: str
    cuda: str | None = None
    cudnn: str | None = None
    driver: str | None = None
    gpu_memory: int | None = None
    flags: tuple[str, ...] | None = None


class Failure(Record):
    """Why a trial has no result.

    Attributes:
        kind: one of the closed set of failure kinds.
        stage: what was going on: ``assets``, ``distill`` or ``evaluate``.
        message: one sentence.
        details: the traceback, where there was one.
    """

    kind: FailureKind
    stage: str
    message: str
    details: str = ""


class Source(Record):
    """Where a method comes from, as its card says.

    Attributes:
        title: one line.
        paper: title and venue, or arXiv number.
        bibtex: its BibTeX entry.
    """

    title: str
    paper: str = ""
    bibtex: str = ""


UNDECIDED = {"stages", "environment", "started", "verified", "curves", "source", "judged_as", "test_set", "health"}
"""Fields of a result in which two runs of the same trial, by different versions too, may differ."""
Curve = tuple[tuple[int, float], ...]
"""Step and value, thinned."""


class Verification(Record):
    """A second judging of the stored distilled set, by ``vdbench evaluate``.

    Attributes:
        environment: where it was judged again.
        when: in UTC.
        difference: largest difference of a student's mean top-1 to the result's own, over conditions, in points.
    """

    environment: Environment
    when: datetime
    difference: float


class Result(Record):
    """One finished or failed trial: ``<id>.json``.

    Attributes:
        schema_version: of this record.
        id: the trial's id, a hash of everything that decides the outcome.
        status: ``done`` or ``failed``; a failed trial is shown, never counted, and run again by the next run.
        method: its name.
        method_version: its version.
        pool: the pool it selected from, or None.
        reconstruction: whether the method is a reconstruction of an unpublished one.
        source: its title, paper and BibTeX entry; None when failed.
        control: whether the suite added it as a control.
        settings: the method's identity settings.
        prescribed: those of them that the suite prescribes, nested as the settings are.
        suite: name of the suite.
        protocol: the suite's resolved protocol, as far as it decides the outcome.
        evaluated_on: ``test``, or ``validation`` while tuning.
        dataset: the data used.
        ipc: instances per class; None for a method without a budget.
        budget_bytes: bytes that the distilled set was allowed; None where an IPC was asked for.
        codec: what its clips were to be stored as; None as the method stores them.
        seed: of the distillation.
        draws: how many times the suite draws the encoders, teachers and experts that trials share, where this trial
            used any: it had those of draw ``seed`` modulo ``draws``. None where it used none.
        labels: kind of labels that the distilled set brings.
        students: scores per student, trained with the method's own labels and step size where it learned any; empty
            when failed.
        conditions: scores of the same students and clips evaluated in the protocol's other settings.
        test_set: fingerprint of the test clips that the outcomes of all networks speak of, which lie in
            ``test-sets/`` beside the result; None where it keeps no outcomes, as those of earlier versions.
        step_size: learning rate that the method learned and its students were trained with; None where the protocol's
            was used.
        stored_clips: clips in the distilled set.
        stored_bytes: bytes of everything its render needs.
        stored_as: what its clips are stored as, coarser than asked where that alone fits the bytes, and float16 where
            the form holds no pictures; None as the method stores them.
        artefact: SHA-256 of the distilled set's tensors; None when failed.
        judged_as: the trial whose scores these are, since its distilled set is equal and was judged alike; such scores
            cost nothing here. None where students were trained for this trial.
        distilled: name of the distilled set's folder in the home that made it; None when failed.
        health: signs that the clips were not learned well; empty where there are none, where clips were not learned,
            and in results of earlier versions.
        curves: what was reported while the set was made, by name; empty where nothing was.
        stages: cost of ``assets`` (shared, counted once), ``distill`` and ``evaluate``.
        provenance: what the clips are and what encoder and generator have seen.
        environment: machine and versions.
        started: when, in UTC.
        failure: why it failed, if it did.
        verified: a second judging of the same artefact that agreed; None where there was none.
    """

    schema_version: Literal[2] = 2
    id: str
    status: Literal["done", "failed"]
    method: str
    method_version: int
    pool: str | None
    reconstruction: bool = False
    source: Source | None = None
    control: bool = False
    settings: dict[str, Any]
    prescribed: dict[str, Any] = Field(default_factory=dict)
    suite: str
    protocol: dict[str, Any]
    evaluated_on: Literal["test", "validation"]
    dataset: DatasetRecord
    ipc: Positive | None
    budget_bytes: Positive | None = None
    codec: str | None = None
    seed: Seed
    draws: int | None = Field(default=None, ge=1)
    labels: Literal["hard", "soft"] = "hard"
    students: tuple[StudentScores, ...] = ()
    conditions: tuple[Condition, ...] = ()
    test_set: str | None = Field(default=None, pattern="^[0-9a-f]{16}$")
    step_size: float | None = None
    stored_clips: Count = 0
    stored_bytes: Count = 0
    stored_as: str | None = None
    artefact: str | None = None
    judged_as: str | None = None
    distilled: str | None = None
    health: tuple[HealthMark, ...] = ()
    curves: dict[str, Curve] = Field(default_factory=dict)
    stages: dict[str, Stage] = Field(default_factory=dict)
    provenance: Provenance | None = None
    environment: Environment
    started: datetime
    failure: Failure | None = None
    verified: Verification | None = None

    @field_validator("suite")
    @classmethod
    def _as_it_is_called_now(cls, suite: str) -> str:
        """Modified suites were called ``quick-bent`` before they were called ``quick-modified``."""
        return f"{suite.removesuffix('-bent')}-modified" if suite.endswith("-bent") else suite

    @field_validator("settings", "prescribed")
    @classmethod
    def _of_a_generator(cls, settings: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(settings.get(GENERATOR), dict | None):
            raise ValueError(f"{GENERATOR} holds no settings")
        return settings

    @property
    def label(self) -> str:
        """The method with its pool, unless that is ``real``, whatever the method's default is.

        ``herding`` and ``tac-dt`` on real clips, ``herding@generated`` and ``tac-dt@generated`` on generated ones.
        """
        return self.method if self.pool in (None, "real") else f"{self.method}@{self.pool}"

    @property
    def every_student(self) -> tuple[StudentScores, ...]:
        """The scores of all students, those of the conditions after the others."""
        return (*self.students, *(scores for condition in self.conditions for scores in condition.students))

    @property
    def tests(self) -> int:
        """How often each network was shown every clip that it was tested on."""
        readings = self.protocol.get("readings")
        return readings if isinstance(readings, int) and self.evaluated_on == "test" else 1

    def contradictions(self) -> Iterator[str]:
        """What of it cannot be so, one sentence without its end each."""
        settings = (self.settings, self.prescribed, self.protocol)
        yield from contradictions(self.dataset, self.every_student, settings)
        if self.status == "done":
            yield from lack(self.students, self.stages)

    def outcome(self) -> dict[str, Any]:
        """Everything but times, memory, machine, curves and titles: equal for two runs of the same trial.

        What earlier versions did not keep, outcomes per clip, is left out too.
        """
        value = self.model_dump(mode="json", exclude=UNDECIDED)
        for student in (*value["students"], *(s for condition in value["conditions"] for s in condition["students"])):
            for cost in ("train_seconds", "test_seconds", "peak_memory"):
                del student[cost]
            for score in student["scores"]:
                del score["outcomes"]
                for point in score.get("checkpoints", ()):
                    del point["seconds"]
        return value
