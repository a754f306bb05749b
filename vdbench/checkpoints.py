"""The state of long work, kept so that a killed process goes on where it was."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdbench import files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch


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

        if self.folder is not None:
            files.write_bytes(self.folder / "state.safetensors", save(dict(state)))

    def last(self) -> dict[str, torch.Tensor] | None:
        """The state that was kept last, or None at the start."""
        from safetensors.torch import load_file

        path = self.folder / "state.safetensors" if self.folder is not None else None
        return load_file(path) if path is not None and path.exists() else None

    def forget(self) -> None:
        """Remove what was kept: the work is done."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
