"""What fills a pool: a generator as a shared asset, whichever kind it is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from vdbench.errors import DataError
from vdbench.records import Record
from vdbench.storage import files
from vdbench.work.assets import Assets, AssetSpec

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet
    from vdbench.generator.settings import SamplingSettings

RECORD = "generator.json"


class GeneratorRecord(Record):
    """What a generator is: ``generator.json`` beside its weights.

    Attributes:
        name: for people.
        weights: SHA-256 over the files of all its weights.
        saw: what it was trained on: ``train``, or the name of outside data.
        dataset: the fingerprint of the train split that it was trained on, where it was trained here.
        clips: ids of the train clips that it was trained on, sorted, where it was trained here.
        parameters: how many numbers its transformer learns; 0 where unknown.
        seconds: that its training took; 0 where unknown.
    """

    name: str
    weights: str
    saw: str
    dataset: str | None = None
    clips: tuple[str, ...] = ()
    parameters: int = 0
    seconds: float = 0.0


class Sampler(Protocol):
    """A generator in memory."""

    def __call__(
        self, class_name: str, rngs: Sequence[np.random.Generator], sampling: SamplingSettings
    ) -> NDArray[np.uint8]:
        """Clips of a class, uint8 ``(n, T, H, W, 3)`` of the train split's geometry, one per source of noise."""


@dataclass(frozen=True)
class Generator:
    """A generator on disk.

    Attributes:
        folder: of its weights.
        record: what it is.
    """

    folder: Path
    record: GeneratorRecord


class GeneratorSpec(AssetSpec[Generator]):
    """Base of the kinds of generators."""

    kind: ClassVar[str] = "generators"
    can_rehearse: ClassVar[bool] = False
    """Whether :meth:`rehearsed` can be asked for."""
    own_scheduler: ClassVar[bool] = False
    """Whether it denoises by a scheduler of its own, whatever the sampling says."""

    @abstractmethod
    def open(self, found: Generator, train: ClipSet, device: torch.device) -> Sampler:
        """Load the weights, for clips of the classes and geometry of ``train``."""

    def rehearsed(self, assets: Assets) -> Sampler:
        """A sampler that takes as long as the real one, before that is there; only where :attr:`can_rehearse`."""
        raise NotImplementedError

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """What sets results on its pool apart from those on others, for tables, as nested JSON values."""

    def load(self, folder: Path) -> Generator:
        """Read what it is; weights stay on disk."""
        return read_generator(folder)


def read_generator(folder: Path) -> Generator:
    """Find a generator in a folder.

    Raises:
        DataError: there is none.
    """
    try:
        return Generator(folder, GeneratorRecord.model_validate_json((folder / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} holds no generator: {RECORD} is missing or cannot be read") from error


def write_record(folder: Path, record: GeneratorRecord) -> None:
    """Say what a folder of weights is."""
    files.write_json(folder / RECORD, record.model_dump(mode="json"))


def weights_sha256(folder: Path) -> str:
    """SHA-256 over the names and bytes of all weights below a folder."""
    weights = sorted(path for end in ("safetensors", "bin", "pt", "pth") for path in folder.rglob(f"*.{end}"))
    return files.digest([[path.relative_to(folder).as_posix(), files.file_sha256(path)] for path in weights], 64)
