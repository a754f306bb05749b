"""Pictures of a pool to look at: its classes, and its clips beside the train clips that they are nearest to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vdbench.clips.pictures import FAINT, GAP, INK, MARGIN, PAPER, STRIPE, TEXT, contact_sheet
from vdbench.datasets.geometry import evenly
from vdbench.storage import files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet
    from vdbench.generator.scores import Pair

TILE = 64
"""Sides that frames are enlarged to, at least."""
BETWEEN = 12
"""Pixels between two clips of a row."""
SEAM = 1
"""Pixels between two frames of a clip."""
MOST_CLASSES = 128


def class_sheet(clips: ClipSet, path: Path, *, per_class: int = 6, frames: int = 4) -> None:
    """Write a PNG with one row per class: under its name some of its clips, of each some frames in order of time.

    Args:
        clips: of every class at least one.
        path: the file, written atomically; the same clips give the same bytes.
        per_class: clips of a row, at most: the first ones.
        frames: frames of a clip, at most, evenly picked.
    """
    shown = range(min(len(clips.classes), MOST_CLASSES))
    strips = [_strip(clips, np.flatnonzero(clips.labels == label)[:per_class], frames) for label in shown]
    note = f"{len(shown)} of {len(clips.classes)} classes" if len(shown) < len(clips.classes) else ""
    strip_height, text_height = strips[0].height, TEXT + 2 * GAP
    row = text_height + strip_height + 2 * GAP
    width = 2 * MARGIN + max(strip.width for strip in strips)
    sheet = Image.new("RGB", (width, 2 * MARGIN + row * len(strips) + (text_height if note else 0)), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT)
    for number, (label, strip) in enumerate(zip(shown, strips, strict=True)):
        top = MARGIN + number * row
        if number % 2 == 0:
            draw.rectangle((0, top, width, top + row - 1), STRIPE)
        draw.text((MARGIN, top + GAP), clips.classes[label], INK, font)
        sheet.paste(strip, (MARGIN, top + text_height), strip)
    if note:
        draw.text((MARGIN, sheet.height - MARGIN), note, FAINT, font, anchor="ls")
    with files.atomic(path) as draft:
        sheet.save(draft, format="PNG")


def pairs_sheet(pool: ClipSet, train: ClipSet, pairs: Sequence[Pair], path: Path) -> None:
    """Write, atomically, a PNG that shows each generated clip above its nearest train clip."""
    rows, names = [], []
    for pair in pairs:
        rows += [pool.clips[pool.ids.index(pair.generated)], train.clips[train.ids.index(pair.train)]]
        names += [f"{pair.generated}, {pair.distance:.3g} from", pair.train]
    contact_sheet(np.stack(rows), names, path)


def _strip(clips: ClipSet, rows: NDArray[np.int64], frames: int) -> Image.Image:
    """Clips side by side; what lies between them is transparent."""
    side = clips.size * -(-TILE // clips.size)
    picks = evenly(clips.frames, min(frames, clips.frames))
    step = len(picks) * (side + SEAM) - SEAM + BETWEEN
    strip = Image.new("RGBA", (len(rows) * step - BETWEEN, side))
    for number, row in enumerate(rows):
        for place, pick in enumerate(picks):
            frame = Image.fromarray(np.ascontiguousarray(clips.clips[row, pick]))
            strip.paste(
                frame.resize((side, side), Image.Resampling.NEAREST), (number * step + place * (side + SEAM), 0)
            )
    return strip
