"""Pictures of clips to look at: a contact sheet (PNG) and a preview that plays (MP4)."""

from __future__ import annotations

import base64
import math
from functools import cache
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vdbench.clips.frames import RATE
from vdbench.storage import files
from vdbench.storage.digests import spread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

PAPER = (255, 255, 255)
INK = (32, 36, 44)
FAINT = (128, 134, 146)
STRIPE = (246, 247, 249)
MARGIN = 16
GAP = 4
TILE = 96
"""Sides that frames are enlarged to, at least, so that small clips can be seen."""
TEXT = 14
INLINE_BYTES = 120 * 1024
"""Of a picture within a notebook."""
INLINE_WIDTH = 900
"""And its pixels from left to right, at most."""
INLINE_QUALITIES = (85, 60, 35, 15)
"""Of JPEG, tried for it."""
QUICKLY = 1
"""Level of compressing a contact sheet: a tenth larger than the usual 6, in half the time."""
PREVIEW_BYTES = 150 * 1024
"""Of a preview that plays: a page holds one for every method."""
COARSER = (18, 23, 28, 33, 38, 43, 48)
"""Constant rate factors of H.264 that are tried for it."""
SHOWN = 8
"""Frames of each clip on a contact sheet, at most."""
MOST = 40
"""Clips on a contact sheet or in a preview, at most."""
LABEL = 280
"""Pixels that a name may take; a longer one is cut."""


def contact_sheet(clips: NDArray[np.uint8], names: Sequence[str], path: Path) -> None:
    """Write a PNG with one labelled row per clip, its frames from left to right.

    Of more than :data:`MOST` clips some are evenly picked, and a note says how many there were; so are frames.

    Args:
        clips: uint8 ``(N, T, H, W, 3)``.
        names: one per clip.
        path: the file, written atomically; the same clips and names give the same bytes.
    """
    sheet = _sheet(clips, names, MOST)
    with files.atomic(path) as draft:
        sheet.save(draft, format="PNG", compress_level=QUICKLY)


def inline_sheet(clips: NDArray[np.uint8], names: Sequence[str], caption: str) -> str:
    """HTML that shows a few clips on a contact sheet and holds the picture itself, in :data:`INLINE_BYTES`.

    Args:
        clips: uint8 ``(N, T, H, W, 3)``.
        names: one per clip.
        caption: a line of text above it.
    """
    sheet = _sheet(clips, names, 10)
    if sheet.width > INLINE_WIDTH:
        sheet = sheet.resize((INLINE_WIDTH, sheet.height * INLINE_WIDTH // sheet.width), Image.Resampling.BOX)
    for quality in INLINE_QUALITIES:
        sheet.save(picture := BytesIO(), format="JPEG", quality=quality)
        if len(picture.getvalue()) <= INLINE_BYTES:
            break
    data = base64.b64encode(picture.getvalue()).decode()
    line = f"<p>{escape(caption)}</p>"
    return f'{line}<img alt="{escape(caption)}" src="data:image/jpeg;base64,{data}">' if len(clips) else line


def _sheet(clips: NDArray[np.uint8], names: Sequence[str], most: int) -> Image.Image:
    rows, columns = spread(range(len(clips)), most), spread(range(clips.shape[1]), SHOWN)
    side = _enlarged(clips.shape[3])
    font = _font()
    labels = [_fitted(font, str(names[row]), LABEL) for row in rows]
    label_width = max((_width(font, label) for label in labels), default=0)
    width = 2 * MARGIN + label_width + MARGIN + len(columns) * (side + GAP) - GAP
    top = MARGIN + TEXT + GAP * 2
    note = f"{len(rows)} of {len(clips)} clips" if len(rows) < len(clips) else ""
    bottom = MARGIN + (TEXT + GAP * 2 if note else 0)
    sheet = Image.new("RGB", (width, top + len(rows) * (side + 2 * GAP) + bottom), PAPER)
    draw = ImageDraw.Draw(sheet)
    left = 2 * MARGIN + label_width
    for i, column in enumerate(columns):
        draw.text((left + i * (side + GAP) + side // 2, MARGIN), f"frame {column + 1}", FAINT, _font(11), anchor="ma")
    for j, (row, label) in enumerate(zip(rows, labels, strict=True)):
        y = top + j * (side + 2 * GAP)
        if j % 2 == 0:
            draw.rectangle((0, y, width, y + side + 2 * GAP - 1), STRIPE)
        draw.text((MARGIN, y + GAP + side // 2), label, INK, font, anchor="lm")
        for i, column in enumerate(columns):
            sheet.paste(_tile(clips[row, column], side), (left + i * (side + GAP), y + GAP))
    if note:
        draw.text((MARGIN, sheet.height - MARGIN), note, FAINT, font, anchor="ls")
    return sheet


def preview_video(clips: NDArray[np.uint8], names: Sequence[str], path: Path) -> None:
    """Write an MP4 (H.264) that plays clips side by side, each under its name, in :data:`PREVIEW_BYTES`.

    Learned clips are full of noise, which takes many bytes: pictures get coarser until the file is small enough, or
    they cannot get coarser.

    Args:
        clips: uint8 ``(N, T, H, W, 3)``.
        names: one per clip.
        path: the file, written atomically.
    """
    rows = spread(range(len(clips)), MOST)
    columns = max(1, math.ceil(math.sqrt(len(rows) * 4 / 3)))
    side = _enlarged(clips.shape[3])
    width = _even(MARGIN + columns * (side + MARGIN))
    height = _even(MARGIN + math.ceil(len(rows) / columns) * (side + TEXT + 2 * GAP + MARGIN))
    page = Image.new("RGB", (width, height), PAPER)
    draw, font = ImageDraw.Draw(page), _font(12)
    places = []
    for i, row in enumerate(rows):
        x = MARGIN + i % columns * (side + MARGIN)
        y = MARGIN + i // columns * (side + TEXT + 2 * GAP + MARGIN)
        draw.text((x, y + side + GAP), _fitted(font, str(names[row]), side), INK, font)
        places.append((row, (x, y)))
    with files.atomic(path) as draft:
        for crf in COARSER:
            _play(draft, page, [(clips[row], place) for row, place in places], side, crf)
            if draft.stat().st_size <= PREVIEW_BYTES:
                break


def _play(
    path: Path,
    page: Image.Image,
    tiles: Sequence[tuple[NDArray[np.uint8], tuple[int, int]]],
    side: int,
    crf: int,
) -> None:
    import av

    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        options = {"crf": str(crf), "threads": "1", "preset": "veryfast"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = page.width, page.height, "yuv420p"
        for t in range(max((len(clip) for clip, _ in tiles), default=0)):
            for clip, place in tiles:
                page.paste(_tile(clip[t], side), place)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(page), format="rgb24")))
        container.mux(stream.encode(None))


def _tile(frame: NDArray[np.uint8], side: int) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(frame))
    return image if image.width == side else image.resize((side, side), Image.Resampling.NEAREST)


def _enlarged(side: int) -> int:
    """The smallest whole multiple of a side that can be seen well."""
    return side * max(1, math.ceil(TILE / side))


def _even(length: int) -> int:
    return length + length % 2


@cache
def _font(size: int = TEXT) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # which unpacks the font anew


def _width(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text: str) -> int:
    return math.ceil(font.getlength(text))


def _fitted(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text: str, width: int) -> str:
    """A text cut to a width, with an ellipsis where it was longer."""
    if _width(font, text) <= width:
        return text
    while text and _width(font, text + "…") > width:
        text = text[:-1]
    return text + "…"
