"""Storing a distilled set another way: as pixels, as floats, or as a video that fits a number of bytes."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Literal

import torch

from vdbench.clips.codecs import COARSEST, Codec
from vdbench.clips.streams import encode
from vdbench.errors import UsageError

if TYPE_CHECKING:
    from vdbench.distilled.distilled_set import DistilledSet
    from vdbench.distilled.parameterisations import Tensors


def stored_as(distilled: DistilledSet, codec: Codec, at_most: int | None = None) -> DistilledSet:
    """A set with its clips stored another way; its record names the codec.

    Floats become pixels for ``uint8`` and for videos, as :meth:`DistilledSet.pixels` makes them, and pixels are
    normalised for ``float16`` and ``float32``. Targets stay as they are. The parts of the forms ``static-dynamic``
    and ``key-frames`` are no clips of pictures: they become float16 where pixels or a video are asked for, and the
    record then says so.

    Args:
        distilled: the set, which is left as it is.
        codec: how its clips are stored.
        at_most: bytes that :attr:`DistilledSet.stored_bytes` may reach. A video that takes more is made coarser, until
            it fits and the next finer quality does not; the record names the quality.

    Raises:
        UsageError: it takes more bytes than allowed, for a video even at the coarsest quality, or values are too
            large for float16.
    """
    if not distilled.parameterisation.pictures and codec.name != "float32":
        codec = Codec(name="float16")
    if codec.video is None:
        made = _recoded(distilled, codec)
        if not all(bool(part.isfinite().all()) for part in made.tensors.values()):
            raise UsageError(f"these clips have values too large for {codec}; choose the codec float32")
    else:
        made = _filmed(_recoded(distilled, Codec(name="uint8")), *codec.video, at_most)
    if at_most is not None and made.stored_bytes > at_most:
        raise UsageError(
            f"these {len(distilled)} clips take {made.stored_bytes} bytes as {made.record.codec} and {at_most} are "
            "allowed; keep fewer clips, or choose another codec"
        )
    return made


def _filmed(
    distilled: DistilledSet, standard: Literal["h264", "h265"], finest: int, at_most: int | None
) -> DistilledSet:
    """Pixels as a video, no coarser than it must be to fit; the coarsest where none fits."""

    @cache
    def made(quality: int) -> DistilledSet:
        return _recoded(distilled, Codec(name=standard, quality=quality))

    def fits(quality: int) -> bool:
        return at_most is None or made(quality).stored_bytes <= at_most

    if fits(finest):
        return made(finest)
    lowest = min(finest + 1, COARSEST)
    return made(bisect_left(range(COARSEST), True, lo=lowest, hi=COARSEST, key=fits))


def _recoded(distilled: DistilledSet, codec: Codec) -> DistilledSet:
    """The set in a codec that suits its form."""
    targets, form, clip_shape = {"targets": distilled.tensors["targets"]}, "clips", None
    parts: Tensors
    if codec.video is not None:
        clips = distilled.pixels().numpy()
        parts = {"stream": torch.frombuffer(bytearray(encode(clips, *codec.video)), dtype=torch.uint8)}
        form, clip_shape = "video", clips.shape[1:4]
    elif codec.name == "uint8":
        parts = {"clips": distilled.pixels()}
    else:
        parts = distilled.parameterisation.as_floats(
            distilled.opened, distilled.normalisation, getattr(torch, codec.name)
        )
        form = "clips" if distilled.parameterisation.pictures else distilled.record.form
    changes = {"form": form, "codec": str(codec), "clip_shape": clip_shape}
    return replace(distilled, tensors={**parts, **targets}, record=distilled.record.model_copy(update=changes))
