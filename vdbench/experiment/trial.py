"""A trial: one method with its settings, on one data set, at one IPC, with one seed, under one protocol."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vdbench.clips.codecs import VERSION as CODEC_VERSION
from vdbench.evaluation.judging import VERSION as JUDGING_VERSION
from vdbench.evaluation.train import VERSION as TRAINING_VERSION
from vdbench.experiment.protocol import NETWORKS, Protocol
from vdbench.records import DatasetRecord, Record
from vdbench.storage.files import digest
from vdbench.students import student_version

IDENTITY_VERSION = 1
"""Raise it when the meaning of an id changes: every id then changes, and nothing old is taken for new."""


class Trial(Record):
    """What a trial is. Two trials with equal ids have equal outcomes.

    Attributes:
        method: its name.
        method_version: its version.
        method_code: hash of the plugin file that it comes from, and of what that imports from its folder; empty for an
            installed method.
        pool: the pool it selects from, or None.
        settings: its identity settings, resolved; with those of the generator where it selects from a generated pool.
        prescribed: those that the suite prescribes; not part of the id, which holds what came of them.
        suite: name of the suite; not part of the id.
        control: whether the suite added the method; not part of the id.
        protocol: how it is judged.
        dataset: the data.
        train_fingerprint: of the clips the method is given.
        assets: digests of the shared assets that it needs, with their versions and the precision that a GPU makes them
            in, and ``bf16`` where it distils in that.
        ipc: instances per class; None for a method without a budget.
        budget_bytes: bytes that its distilled set may take, from which its IPC follows; None for none.
        codec: what its clips are stored as; None as the method stores them.
        seed: of the trial; the students' seeds follow from it.
        reads: what the method reads of how its sets will be judged, as JSON values; empty for most.
        draw: which draw of trained encoders, teachers and experts it uses; None where it uses none.
        distillation_seed: what the method is given: the same, or 0 where the method does not use its seed.
    """

    method: str
    method_version: int
    method_code: str
    pool: str | None
    settings: dict[str, Any]
    prescribed: dict[str, Any] = {}
    suite: str
    control: bool
    protocol: Protocol
    dataset: DatasetRecord
    train_fingerprint: str
    assets: tuple[str, ...]
    ipc: int | None
    budget_bytes: int | None = None
    codec: str | None = None
    seed: int
    distillation_seed: int
    reads: dict[str, Any] = {}
    draw: int | None = None

    @property
    def distillation_id(self) -> str:
        """Hash of what decides the distilled set; students play no part in it, unless the method reads them."""
        return digest(
            {
                "identity": IDENTITY_VERSION,
                "method": [self.method, self.method_version, self.method_code, self.settings],
                "assets": self.assets,
                "train": self.train_fingerprint,
                "ipc": self.ipc,
                "seed": self.distillation_seed,
                **({"reads": self.reads} if self.reads else {}),
            }
        )

    @property
    def id(self) -> str:
        """Hash of everything that decides the outcome."""
        return digest({"distillation": self.distillation_id, "stored": self._storage, **self.judging})

    @property
    def judging(self) -> dict[str, Any]:
        """What decides how a distilled set is judged; the method plays no part in it."""
        return {
            "dataset": self.dataset.fingerprint,
            "protocol": self.protocol.judging(),
            "students": [student_version(spec.name) for spec in self.protocol.every_student],
            "training": TRAINING_VERSION,
            "judging": JUDGING_VERSION,
            "seed": self.seed,
            **({"draw": self.draw} if self.draw else {}),
        }

    @property
    def storage_id(self) -> str:
        """Hash of what decides the distilled set as it is stored."""
        plain = self.codec is None and self.budget_bytes is None
        return self.distillation_id if plain else digest([self.distillation_id, self._storage])

    @property
    def _storage(self) -> list[str | int | None]:
        return [self.codec, self.budget_bytes, *([] if self.codec is None else [CODEC_VERSION])]

    @property
    def title(self) -> str:
        """For people: ``herding  ucf101  ipc 5  seed 0``."""
        method = self.method if self.pool in (None, "real") else f"{self.method}@{self.pool}"
        budget = "all clips" if self.ipc is None else f"ipc {self.ipc}"
        budget += f" as {self.codec}" if self.codec else ""
        return f"{method}  {self.dataset.name}  {budget}  seed {self.seed}"

    def evaluation_seeds(self) -> list[int]:
        """Seeds of the students: the same for every method, so that methods can be compared pair by pair."""
        return student_seeds(self.seed, self.protocol.evaluation_seeds)


def student_seeds(seed: int, count: int) -> list[int]:
    """Seeds of the students that judge what was made from a seed."""
    return [seed * NETWORKS + i for i in range(count)]


@dataclass(frozen=True)
class Means:
    """How trials are carried out; no part of it decides a number.

    Attributes:
        device: ``cpu`` or ``cuda``; before it was looked for, ``auto`` too.
        elsewhere: whether other machines compute, which may have a GPU where this one has none.
        gpus: share of a GPU per trial; where None, what trials like it took, or what the method declares.
        timeout: seconds per trial, or None.
        checkpoint_every: seconds after which long work keeps its state.
    """

    device: str = "auto"
    elsewhere: bool = False
    gpus: float | None = None
    timeout: float | None = None
    checkpoint_every: float = 120.0


class Job(Record):
    """A trial and how this run carries it out. Nothing here but the trial decides an outcome.

    Attributes:
        trial: what to do.
        settings: all settings that were given, runtime ones included.
        generator: the settings of the generator that were given.
        home: absolute path.
        store: folder of the clip store, absolute.
        plugins: the plugin files that the method and the students come from, absolute; the method's first.
        device: ``cpu`` or ``cuda``.
        cpus: cores it occupies.
        gpus: share of a GPU it occupies.
        timeout: seconds after which it is given up, or None.
        checkpoint_every: seconds after which long work keeps its state.
    """

    trial: Trial
    settings: dict[str, Any]
    generator: dict[str, Any] = {}
    home: Path
    store: Path
    plugins: tuple[Path, ...] = ()
    device: str = "cpu"
    cpus: float = 1.0
    gpus: float = 0.0
    timeout: float | None = None
    checkpoint_every: float = 120.0
