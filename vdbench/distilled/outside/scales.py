"""The scales that pixels are kept on by other people's code, and the way from them to stored clips.

Every scale is a mean and a standard deviation per channel: a value is (pixel / 255 - mean) / std.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from vdbench.clips.clipset import Normalisation
from vdbench.errors import DataError, UsageError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

SCALES = {
    "uint8": Normalisation((0.0,) * 3, (1 / 255,) * 3),
    "unit": Normalisation((0.0,) * 3, (1.0,) * 3),
    "signed": Normalisation((0.5,) * 3, (0.5,) * 3),
    "imagenet": Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "kinetics": Normalisation((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)),
}
CHOICES = (
    "uint8 (0 to 255), unit (0 to 1), signed (-1 to 1), normalised (by mean and std of this suite's train clips), "
    "imagenet or kinetics (by those of ImageNet or Kinetics), or mean=R,G,B:std=R,G,B (by these, of pixels from 0 to 1)"
)
WHOLE = 0.1
"""How far values may be from whole pixels that they are taken for; float16 is off by up to 0.08 on these scales."""
FILLED = 3
"""How far the darkest and the brightest value of a channel may be from 0 and 255 that they are taken for these."""
BEYOND = 64
"""How far beyond 0 and 255 pixels go that seldom are on the scale they were said to be on."""
NARROW = 130
"""How few levels those span, as ``unit`` does where it is taken for ``signed``."""
STANDARDISED = ("imagenet", "normalised", "kinetics")
"""Scales by mean and std of some data, the commonest in the field's code first."""


def parse_scale(text: str, own: Normalisation) -> Normalisation:
    """A scale as it is typed.

    Args:
        text: a name, or ``mean=0.4,0.4,0.4:std=0.2,0.2,0.2``.
        own: what ``normalised`` means.

    Raises:
        UsageError: it is no scale.
    """
    if text in (known := SCALES | {"normalised": own}):
        return known[text]
    given = re.fullmatch(r"mean=([^:]+):std=([^:]+)", text)
    try:
        mean, std = ([float(part) for part in group.split(",")] for group in given.groups()) if given else ([], [])
    except ValueError:
        mean, std = [], []
    if len(mean) == len(std) == 3 and all(np.isfinite(mean)) and all(0 < part < np.inf for part in std):
        return Normalisation((mean[0], mean[1], mean[2]), (std[0], std[1], std[2]))
    raise UsageError(f"--pixels {text} is no scale; give {CHOICES}")


def scale_of(clips: NDArray[Any], chosen: str | None, own: Normalisation, source: str) -> Normalisation:
    """The scale of clips: integers are pixels from 0 to 255, floats are what the user says.

    Learned clips may leave the range of pixels, so a scale that only fits badly is taken, with a warning.

    Args:
        clips: ``(N, T, H, W, 3)``.
        chosen: as typed, or None.
        own: what ``normalised`` means.
        source: where the clips are from, for errors.

    Raises:
        UsageError: floats without a chosen scale, or integers with another one than ``uint8``.
        DataError: values are not finite, or cannot be on that scale.
    """
    scale = None if chosen is None else parse_scale(chosen, own)
    if clips.dtype.kind in "bc":
        kind = "truth values" if clips.dtype.kind == "b" else "complex numbers"
        raise DataError(f"{source} holds {kind} instead of pixels")
    if clips.dtype.kind == "f" and not np.isfinite(clips).all():
        raise DataError(f"{source} holds values that are not finite")
    low, high = float(clips.min()), float(clips.max())
    if clips.dtype.kind in "iu":
        if scale not in (None, SCALES["uint8"]):
            raise UsageError(f"{source} holds integers, which are pixels from 0 to 255; leave --pixels out")
        if low < 0 or high > 255:
            raise DataError(f"{source} holds integers from {low:g} to {high:g}, but pixels run from 0 to 255")
        return SCALES["uint8"]
    told = f"{source} holds floats from {low:.4g} to {high:.4g}"
    if scale is None:
        raise UsageError(f"{told}; say what they mean with --pixels, most likely --pixels {_likely(clips, own)}")
    levels = [_levels(bound, scale) for bound in (clips.min(axis=(0, 1, 2, 3)), clips.max(axis=(0, 1, 2, 3)))]
    darkest, brightest = float(levels[0].min()), float(levels[1].max())
    if darkest < -255 or brightest > 510 or brightest - darkest < 2:
        likely = _likely(clips, own)
        meant = "; are they pixels at all?" if likely.startswith(str(chosen)) else f"; did you mean --pixels {likely}?"
        raise DataError(
            f"{told}, which --pixels {chosen} turns into pixels from {darkest:.4g} to {brightest:.4g} instead of 0 to "
            f"255{meant}"
        )
    likely = _likely(clips, own)
    odd = darkest < -BEYOND or brightest > 255 + BEYOND or brightest - darkest < NARROW
    if odd and likely in SCALES and SCALES[likely] != scale:
        warnings.warn(
            f"{told}, which were taken for pixels from {darkest:.4g} to {brightest:.4g}, as --pixels {chosen} says; "
            f"they look like those of --pixels {likely}",
            stacklevel=4,
        )
    return scale


def as_stored(clips: NDArray[Any], scale: Normalisation, own: Normalisation) -> torch.Tensor:
    """Clips as a distilled set keeps them, so that equal clips train alike whatever scale they came on.

    Args:
        clips: ``(N, T, H, W, 3)``, as :func:`scale_of` has checked them.
        scale: that they are on.
        own: that of the set.

    Returns:
        uint8 ``(N, T, H, W, 3)`` where all values are whole pixels, float32 ``(N, 3, T, H, W)`` on the scale ``own``
        where they are not. float16 that is on that scale already stays what it is, as the codec ``float16`` keeps it.
    """
    import torch

    if clips.dtype == np.float16 and scale == own:
        return torch.from_numpy(np.ascontiguousarray(clips.transpose(0, 4, 1, 2, 3)))
    if (pixels := _whole_pixels(clips, scale)) is not None:
        return torch.from_numpy(pixels)
    count, frames, height, width, channels = clips.shape
    floats = np.empty((count, channels, frames, height, width), dtype=np.float32)
    for row, clip in enumerate(clips):
        moved = clip if scale == own else (_levels(clip, scale) / 255 - own.mean) / own.std
        floats[row] = moved.transpose(3, 0, 1, 2)
    return torch.from_numpy(floats)


def _whole_pixels(clips: NDArray[Any], scale: Normalisation) -> NDArray[np.uint8] | None:
    """uint8 clips of which all values are within :data:`WHOLE`; None where some are not. Row by row, for memory."""
    pixels = np.empty(clips.shape, dtype=np.uint8)
    for row, clip in enumerate(clips):
        levels = _levels(clip, scale)
        nearest = levels.round().clip(0, 255)
        if np.abs(levels - nearest).max() > WHOLE:
            return None
        pixels[row] = nearest
    return pixels


def _levels(values: NDArray[Any], scale: Normalisation) -> NDArray[np.float64]:
    """Values ``(..., 3)`` as pixels from 0 to 255, not rounded."""
    levels: NDArray[np.float64] = 255 * (values.astype(np.float64) * np.array(scale.std) + np.array(scale.mean))
    return levels


def _likely(clips: NDArray[Any], own: Normalisation) -> str:
    """The scales that floats speak for, as a clause that begins with the likeliest.

    Where all of them are whole pixels on one scale, or each channel just fills its range, that is the one.
    """
    low, high = float(clips.min()), float(clips.max())
    if low >= -0.01 and high <= 1.01:
        return "unit"
    if low >= -1.01 and high <= 1.01:
        return "signed"
    if low >= -1 and 10 < high <= 256:
        return "uint8"
    known = SCALES | {"normalised": own}
    bounds = np.stack([clips.min(axis=(0, 1, 2, 3)), clips.max(axis=(0, 1, 2, 3))])
    filled = np.array([[0], [255]])
    for names in (
        [name for name in STANDARDISED if _whole_pixels(clips, known[name]) is not None],
        [name for name in STANDARDISED if np.abs(_levels(bounds, known[name]) - filled).max() < FILLED],
    ):
        if names:
            return names[0]
    return f"{STANDARDISED[0]}, or else {' or '.join(STANDARDISED[1:])}, between which these numbers do not tell"
