"""What a distilled set was allowed: so many clips per class, or so many bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdbench_leaderboard.formats import size

if TYPE_CHECKING:
    from vdbench.experiment.result import Result


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
        return size(self.value) if self.in_bytes else f"IPC {self.value}"
