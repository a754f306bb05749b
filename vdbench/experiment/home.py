"""The home: the one folder under which vdbench keeps everything it makes."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from vdbench.errors import UsageError
from vdbench.experiment.result_store import ResultStore

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Home:
    """Where things are. Data sets add ``stores/``, ``views/`` and ``videos/`` of their own.

    Attributes:
        root: absolute.
    """

    root: Path

    @classmethod
    def to_read(cls, path: str | Path | None = None) -> Home:
        """The home that was asked for, here or by ``VDBENCH_HOME``, or the user's own; nothing is made there.

        Raises:
            UsageError: it is no folder, or the user has none.
        """
        if not isinstance(path, str | os.PathLike | None):
            raise UsageError(f"a home is the path of a folder, not {path!r}")
        try:
            asked = path or os.environ.get("VDBENCH_HOME")
            root = (Path(asked) if asked else user_data_path("vdbench")).expanduser().absolute()
        except RuntimeError:
            raise UsageError(
                f"the user's folder for {path or 'data'} is not known; give a home with --home or VDBENCH_HOME"
            ) from None
        try:
            if root.exists() and not root.is_dir():
                raise UsageError(f"home {root} is no folder; give another one with --home or VDBENCH_HOME")
        except OSError as error:
            raise UsageError(
                f"home {root} cannot be read ({error.strerror}); give another one with --home or VDBENCH_HOME"
            ) from None
        return cls(root)

    @classmethod
    def at(cls, path: str | Path | None = None) -> Home:
        """The same, to write to: its folder is made and tried.

        Raises:
            UsageError: nothing can be written there, it is no folder, or the user has none.
        """
        home = cls.to_read(path)
        with home._written():
            home.root.mkdir(parents=True, exist_ok=True)
        home.try_in(home.root)
        return home

    def try_in(self, folder: Path) -> None:
        """Make sure that something can be written: to the home, or where it would be made.

        Raises:
            UsageError: nothing can.
        """
        with self._written():
            TemporaryFile(dir=folder).close()  # without a name, which another process or thread could take

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UsageError(
                f"home {self.root} cannot be written ({error.strerror}); give another one with --home or VDBENCH_HOME"
            ) from None

    @property
    def results(self) -> ResultStore:
        """One JSON file per trial."""
        return ResultStore(self.root / "results")

    @property
    def assets(self) -> Path:
        """Shared assets."""
        return self.root / "assets"

    @property
    def leaderboard(self) -> Path:
        """The tables, plots and page made from the results."""
        return self.root / "leaderboard"

    @property
    def mlflow(self) -> Path:
        """The MLflow store."""
        return self.root / "mlflow"

    @property
    def ray(self) -> Path:
        """Scratch of Ray Tune."""
        return self.root / "ray"

    @property
    def distilled(self) -> Path:
        """All distilled sets."""
        return self.root / "distilled"

    @property
    def logs(self) -> Path:
        """What happened in each trial."""
        return self.root / "logs"

    def log(self, trial_id: str) -> Path:
        """What happened in a trial."""
        return self.logs / f"{trial_id}.log"

    def artefact(self, distillation_id: str) -> Path:
        """The distilled set of a distillation."""
        return self.distilled / distillation_id

    def judged(self, key: str) -> Path:
        """Names the trial that an evaluation is of, for trials whose distilled sets are equal."""
        return self.root / "judged" / key

    def checkpoints(self, distillation_id: str) -> Path:
        """State of an unfinished distillation."""
        return self.root / "checkpoints" / distillation_id
