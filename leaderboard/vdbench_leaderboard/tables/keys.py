"""What results are sorted by: their group, the student that was trained, and the budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdbench.storage import files
from vdbench.storage.amounts import human_bytes

if TYPE_CHECKING:
    from vdbench.experiment.result import Result
    from vdbench.records import StudentScores


@dataclass(frozen=True, order=True)
class Group:
    """What results must share to be in one table.

    Attributes:
        suite: name of the suite.
        dataset_title: the data set, marked where it was partial.
        evaluated_on: ``test`` or ``validation``.
        protocol: digest of the resolved protocol.
        data: digest of the data set's record: its fingerprint, split and counts.
    """

    suite: str
    dataset_title: str
    evaluated_on: str
    protocol: str
    data: str

    @classmethod
    def of(cls, result: Result) -> Group:
        """The group that a result belongs to."""
        data = files.digest(result.dataset.model_dump(mode="json"), 8)
        return cls(result.suite, result.dataset.title, result.evaluated_on, files.digest(result.protocol, 8), data)


@dataclass(frozen=True, order=True)
class Student:
    """A network that was trained on distilled sets and tested.

    Attributes:
        name: of the network.
        width: channels of its first layer.
        parameters: how many numbers it learns; 0 where every trial failed before one was built.
    """

    name: str
    width: int = 0
    parameters: int = 0

    @classmethod
    def of(cls, scores: StudentScores) -> Student:
        """The network that reached these scores."""
        return cls(scores.student, scores.width, scores.parameters)


NO_STUDENT = Student("no student")
"""Stands in where every trial of a group failed."""


@dataclass(frozen=True, order=True)
class Budget:
    """A column of a table: IPCs first, then bytes.

    Attributes:
        in_bytes: whether bytes were counted, not clips.
        value: bytes, or instances per class.
    """

    in_bytes: bool
    value: int

    @classmethod
    def of(cls, result: Result) -> Budget | None:
        """The budget of a trial; None for a method without one."""
        if result.budget_bytes is not None:
            return cls(True, result.budget_bytes)
        return None if result.ipc is None else cls(False, result.ipc)

    def __str__(self) -> str:
        return human_bytes(self.value) if self.in_bytes else f"IPC {self.value}"


Place = tuple[str, Budget | None]
"""The row and the column of a cell in its board."""
