"""The contract of a reader: a library that decodes videos from their first frame to the last."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from vdbench.extensions.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from vdbench.datasets.readers.probe import Promise


@dataclass
class Pass:
    """What came out of decoding a file once.

    Attributes:
        kept: the wanted frames by their number, each uint8 ``(height, width, 3)``, RGB, upright.
        frames: frames that could be decoded.
        damaged: packets that could not.
        times: when each frame is shown, in seconds after the first; empty where the decoder does not say.
    """

    kept: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    frames: int = 0
    damaged: int = 0
    times: list[float] = field(default_factory=list)


class Reader(ABC):
    """A library that decodes videos. PyAV stands in for it where it declines a file.

    Attributes:
        name: what users type.
    """

    name: ClassVar[str]

    @abstractmethod
    def version(self) -> str:
        """The version of the library that is loaded, which is part of what a store is.

        Raises:
            DependencyError: it is not installed, or cannot be loaded.
        """

    @abstractmethod
    def decode(self, path: Path, wanted: Collection[int], promise: Promise) -> Pass | None:
        """Decode a file from its first frame to the last; None where it is not sure to show what the file means.

        Args:
            path: the video file.
            wanted: the numbers of the frames to keep.
            promise: what its packets say.
        """


READERS: Kind[Reader] = Kind(
    "reader",
    "vdbench.readers",
    "vdbench.datasets.readers.reader:Reader",
    {"decord": "vdbench.datasets.readers.decoding:Decord", "pyav": "vdbench.datasets.readers.decoding:PyAV"},
)
