"""Codecs: the ways in which a distilled set may keep its clips, so that sets can be compared at equal bytes."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationInfo, field_validator

from vdbench.errors import UsageError
from vdbench.records import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = 2
"""Raised when the same codec stores other bytes; part of a trial's id."""
COARSEST = 51
"""The constant rate factor that keeps least."""
DEFAULT_QUALITY = {"h264": 23, "h265": 28}
"""What the encoders take where nothing is said. Another number here changes what written records mean."""
WIDTH = {"uint8": 1, "float16": 2, "float32": 4}
"""Bytes per value of the codecs that keep tensors."""


class Codec(Record):
    """One way to store clips.

    Attributes:
        name: ``uint8``, pixels as they are; ``float16`` or ``float32``, normalised values; ``h264`` or ``h265``, one
            video stream for all clips.
        quality: constant rate factor of a video, 0 best .. 51, the encoder's own default where it is left out; None
            for other codecs.
    """

    name: Literal["uint8", "float16", "float32", "h264", "h265"]
    quality: int | None = Field(default=None, ge=0, le=COARSEST, validate_default=True)

    @field_validator("quality")
    @classmethod
    def _of_videos(cls, quality: int | None, info: ValidationInfo) -> int | None:
        default = DEFAULT_QUALITY.get(info.data.get("name", ""))
        if default is None and quality is not None:
            raise ValueError("only h264 and h265 have a quality")
        return default if quality is None else quality

    @property
    def video(self) -> tuple[Literal["h264", "h265"], int] | None:
        """The standard and the quality of a video, or None where tensors are kept."""
        name, quality = self.name, self.quality
        return (name, quality) if name in ("h264", "h265") and quality is not None else None

    def __str__(self) -> str:
        """The text that :func:`parse_codec` reads; a quality is named where it is not the default."""
        return self.name if self.quality == DEFAULT_QUALITY.get(self.name) else f"{self.name}:{self.quality}"


def parse_codec(text: str) -> Codec:
    """A codec as it is typed: ``uint8``, ``h264``, ``h264:28``.

    Raises:
        UsageError: there is no such codec, or no such quality of it.
    """
    found = re.fullmatch(r"([a-z0-9]+)(?::(0|[1-9][0-9]?))?", text)
    try:
        if found is None:
            raise ValueError(text)
        return Codec.model_validate({"name": found[1], "quality": None if found[2] is None else int(found[2])})
    except ValueError as error:
        choices = "uint8, float16, float32, h264 or h265"
        quality = f"with a quality from 0 (best) to {COARSEST}, as in h264:28"
        raise UsageError(f"unknown codec '{text}'; write {choices}, the last two also {quality}") from error


def clip_bytes(clips: NDArray[np.uint8], codec: Codec) -> float:
    """Mean bytes per clip: exact for tensors, measured by encoding for videos, whose one header counts with the rest.

    Args:
        clips: uint8 ``(N, T, H, W, 3)``, with N at least 1; clips like those that are to be stored.
        codec: that would store them.

    Raises:
        UsageError: a video is asked for, and there is no frame.
    """
    from vdbench.clips.streams import encode

    if codec.video is not None:
        return len(encode(clips, *codec.video)) / len(clips)
    return float(math.prod(clips.shape[1:]) * WIDTH[codec.name])
