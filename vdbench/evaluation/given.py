"""What a method may read of how its sets will be judged, if it declares that; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from vdbench.evaluation.networks import StudentSpec
    from vdbench.evaluation.teacher import TrainedTeacher
    from vdbench.evaluation.train import Recipe

Reading = Literal["student", "recipe", "teacher", "directed", "budget_bytes"]
"""What there is to read, by the names of the attributes of :class:`Readable`."""


class Readable:
    """A task, as far as it knows how its set will be judged.

    Whatever is read here decides the set, and so has to be part of its id: a method declares it in ``reads``, and what
    it does not declare cannot be read. AttributeError says so.

    Attributes:
        given: what the method declares, by name.
    """

    given: Mapping[Reading, Any]

    @property
    def student(self) -> StudentSpec:
        """The first of the students that will judge the set."""
        student: StudentSpec = self._read("student")
        return student

    @property
    def recipe(self) -> Recipe:
        """How these students will be trained."""
        recipe: Recipe = self._read("recipe")
        return recipe

    @property
    def teacher(self) -> TrainedTeacher:
        """That student, trained on all of train by that recipe: an asset of the task's draw, to be named in needs."""
        teacher: TrainedTeacher = self._read("teacher")
        return teacher

    @property
    def directed(self) -> bool:
        """Whether a clip shown in a mirror may be of another class."""
        directed: bool = self._read("directed")
        return directed

    @property
    def budget_bytes(self) -> int | None:
        """Bytes that the set may take, from which the IPC was found; None where an IPC was asked for."""
        budget: int | None = self._read("budget_bytes")
        return budget

    def _read(self, name: Reading) -> Any:
        if name not in self.given:
            raise AttributeError(f"task.{name} is for methods that declare it: add reads = ('{name}',) to the class")
        return self.given[name]
