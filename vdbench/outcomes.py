"""What networks made of every single test clip, packed into a few hundred bytes, and which clips these were.

Two small integers per clip say all that a score needs: how many classes got a higher logit than the true one, and how
many others got the same. Each takes as many bits as the number of classes needs, so that equal outcomes are equal text.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import model_validator

from vdbench.errors import DataError
from vdbench.records import ClassNames, Outcomes, Record
from vdbench.storage.files import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Places:
    """Where the true class of each test clip came among all classes.

    Attributes:
        ahead: int64 ``(N,)``, classes with a higher logit.
        level: int64 ``(N,)``, other classes with the same logit; 0 but for ties.
    """

    ahead: NDArray[np.int64]
    level: NDArray[np.int64]

    @property
    def ranks(self) -> NDArray[np.float64]:
        """The rank of the true class, 1 is best, the middle of those that it shares in a tie: float64 ``(N,)``."""
        return self.ahead + 1 + self.level / 2

    def won(self, k: int = 1) -> NDArray[np.float64]:
        """The chance that the true class is among the k most likely: 0 or 1 but for ties, float64 ``(N,)``.

        Its mean is top-k.
        """
        return ((k - self.ahead) / (self.level + 1)).clip(0, 1)


def pack(places: Places, classes: int) -> Outcomes:
    """Places as a result keeps them.

    Args:
        places: of all test clips, in their order.
        classes: how many there are, at least 2.
    """
    tied = bool(places.level.any())
    return Outcomes(ahead=_text(places.ahead, classes), level=_text(places.level, classes) if tied else "")


def unpack(outcomes: Outcomes, clips: int, classes: int) -> Places:
    """What :func:`pack` packed.

    Raises:
        DataError: they are no outcomes of so many clips and classes.
    """
    level = _numbers(outcomes.level, clips, classes) if outcomes.level else np.zeros(clips, dtype=np.int64)
    places = Places(_numbers(outcomes.ahead, clips, classes), level)
    if (places.ahead + places.level >= classes).any():
        raise DataError(f"its outcomes per clip place a class behind all {classes}; take the file as it was exported")
    return places


def _text(numbers: NDArray[np.int64], classes: int) -> str:
    bits = (numbers[:, None] >> np.arange(_bits(classes))) & 1
    return base64.b64encode(np.packbits(bits.astype(np.uint8)).tobytes()).decode()


def _numbers(text: str, clips: int, classes: int) -> NDArray[np.int64]:
    width = _bits(classes)
    try:
        packed = np.frombuffer(base64.b64decode(text, validate=True), dtype=np.uint8)
    except (binascii.Error, ValueError):
        packed = np.zeros(0, dtype=np.uint8)
    bits = np.unpackbits(packed)
    if len(packed) != -(-clips * width // 8) or bits[clips * width :].any():
        raise DataError(
            f"its outcomes per clip are not those of {clips} clips and {classes} classes; take the file as it was "
            "exported"
        )
    return bits[: clips * width].reshape(clips, width).astype(np.int64) @ (1 << np.arange(width))


def _bits(classes: int) -> int:
    return (classes - 1).bit_length()


class ClipList(Record):
    """The clips that networks were tested on, without their pixels; one file for all results that share them.

    Attributes:
        schema_version: of this record.
        classes: the class names.
        ids: for each clip its name within the data set.
        labels: for each clip the position of its class.
        groups: for each clip the source it was cut from; its own where no source is known.
    """

    schema_version: Literal[1] = 1
    classes: ClassNames
    ids: tuple[str, ...]
    labels: tuple[int, ...]
    groups: tuple[str, ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not len(self.ids) == len(self.labels) == len(self.groups):
            raise ValueError("ids, labels and groups must have one entry per clip")
        if self.labels and not 0 <= min(self.labels) <= max(self.labels) < len(self.classes):
            raise ValueError(f"labels must lie in 0..{len(self.classes) - 1}")
        return self

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def fingerprint(self) -> str:
        """The hash of all that it says, 16 hexadecimal digits; results name it so."""
        return digest(self.model_dump(mode="json"))

    @property
    def sources(self) -> NDArray[np.int64]:
        """For each clip the number of its source, int64 ``(N,)``; numbers count from 0."""
        return _numbered(self.groups)


def _numbered(names: Sequence[str]) -> NDArray[np.int64]:
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)
