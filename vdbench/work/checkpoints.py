"""The state of long work, kept so that a killed process goes on where it was."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from vdbench.errors import DataError
from vdbench.storage import files

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

T = TypeVar("T")


class ForeignStateError(DataError):
    """A checkpoint that can be read, but holds other tensors than the work that resumes from it."""


class State(dict[str, "torch.Tensor"]):
    """Tensors that were kept, by name; asking for one that is not there raises :class:`ForeignStateError`."""

    def __missing__(self, name: str) -> torch.Tensor:
        raise ForeignStateError(f"lacks {name}")

    def like(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor that was kept of one that has its shape and type.

        Raises:
            ForeignStateError: there is none, or it is of another shape or type.
        """
        kept = self[name]
        if kept.shape != tensor.shape or kept.dtype != tensor.dtype:
            raise ForeignStateError(
                f"holds {name} as {kept.dtype} {tuple(kept.shape)}, not as {tensor.dtype} {tuple(tensor.shape)}"
            )
        return kept


@dataclass(frozen=True)
class Checkpoint:
    """Where one piece of work keeps its state.

    Attributes:
        folder: made when something is kept; None where nothing is.
    """

    folder: Path | None

    def keep(self, state: Mapping[str, torch.Tensor]) -> None:
        """Replace what was kept before, atomically."""
        from safetensors.torch import save

        if self._file is not None:
            files.write_bytes(self._file, save(dict(state), {"sha256": _sha256(state)}))

    def last(self) -> State | None:
        """The state that was kept last; None at the start, and where it was damaged: then it is set aside."""
        from safetensors import SafetensorError, safe_open

        if self._file is None or not self._file.exists():
            return None
        try:
            with safe_open(self._file, framework="pt") as file:
                state = State((name, file.get_tensor(name)) for name in file.keys())  # noqa: SIM118 - it is no mapping
                sha256 = (file.metadata() or {}).get("sha256")  # earlier versions wrote none
        except (SafetensorError, OSError, ValueError, RuntimeError) as error:
            files.set_aside(self._file, f"cannot be read ({type(error).__name__})")
            return None
        if sha256 is not None and sha256 != _sha256(state):
            files.set_aside(self._file, "holds other bytes than were written")
            return None
        return state

    def resumed(self, work: Callable[[], T]) -> T:
        """Do work that goes on from :meth:`last`; where that turns out to be of other work, set it aside and begin."""
        try:
            return work()
        except ForeignStateError as error:
            if self._file is None or not self._file.exists():
                raise
            files.set_aside(self._file, str(error))
        return work()

    def forget(self) -> None:
        """Remove what was kept: the work is done."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _file(self) -> Path | None:
        return None if self.folder is None else self.folder / "state.safetensors"


def _sha256(state: Mapping[str, torch.Tensor]) -> str:
    """Of names, types, shapes and bytes."""
    import torch

    found = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
