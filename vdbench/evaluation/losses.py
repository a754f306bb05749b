"""The losses of a training, which stay on the device until it is waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench.errors import DivergedError

if TYPE_CHECKING:
    import torch

    from vdbench.work.reports import Report


class Losses:
    """The losses of epochs, read from the device together.

    Args:
        what: that is trained, for errors.
        report: called with every epoch's mean, once it is read.
    """

    def __init__(self, what: str, report: Report) -> None:
        self.means: list[float] = []
        self._what, self._report = what, report
        self._unread: list[tuple[list[torch.Tensor], list[int]]] = []
        self._read_steps = self.steps = 0

    @property
    def waiting(self) -> int:
        """Steps whose losses were not read."""
        return self.steps - self._read_steps

    def add(self, losses: list[torch.Tensor], sizes: list[int]) -> None:
        """Keep an epoch's losses, one per step, and the clips of these steps."""
        self._unread.append((losses, sizes))
        self.steps += len(losses)

    def read(self) -> None:
        """Wait for the device.

        Raises:
            DivergedError: a loss is not finite.
        """
        import torch

        values = torch.stack([loss for losses, _ in self._unread for loss in losses]).cpu()
        finite = values.isfinite()
        if not bool(finite.all()):
            raise DivergedError(self._what, self._read_steps + int(finite.long().argmin()))
        for losses, sizes in self._unread:
            own, values = values[: len(losses)], values[len(losses) :]
            clips = torch.tensor(sizes)
            self.means.append(float((own.double() * clips).sum() / clips.sum()))
            self._read_steps += len(losses)
            self._report(self._read_steps, loss=self.means[-1])
        self._unread.clear()
