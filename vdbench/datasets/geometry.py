"""The shape of a stored clip, and which frames of a video it is made of."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from vdbench.records import Record

Pixels = Annotated[int, Field(ge=1)]


def evenly(length: int, frames: int) -> list[int]:
    """Positions of ``frames`` frames spread evenly over ``length``: the middle of each of ``frames`` equal parts.

    Ascending; positions repeat where ``frames`` exceeds ``length``.
    """
    return [(2 * i + 1) * length // (2 * frames) for i in range(frames)]


class Geometry(Record):
    """How a video becomes a clip of fixed shape.

    Attributes:
        frames: frames per clip, T.
        sampling: ``strided``, one window of frames ``gap`` apart from the middle of the video, or ``even``, frames
            spread over the whole video.
        gap: distance between picked frames in a video of at least ``frames * gap`` frames; shorter ones use
            ``length // frames``. Only ``strided`` uses it.
        resize: width and height in pixels that frames are scaled to before the crop, or one number for the length of
            the shorter side, which keeps the proportions.
        size: side in pixels of the square cut from the middle.
        windows: clips that are stored of every video, each a window of its own, their starts spread evenly over all
            that there are; one stands in the middle. Only ``strided`` can have several.
        antialias: whether frames are shrunk by a filter that is as wide as the pixels it makes. Without, each pixel is
            mixed from two by two of the frame, and others are skipped, as OpenCV does.
    """

    frames: Pixels
    sampling: Literal["strided", "even"]
    gap: Pixels = 1
    resize: tuple[Pixels, Pixels] | Pixels
    size: Pixels
    windows: Pixels = 1
    antialias: bool = True

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Stores of usual clips keep the fingerprints that they have."""
        usual = {"windows": 1, "antialias": True}
        return {name: value for name, value in serialise(self).items() if usual.get(name) != value}

    @property
    def rows(self) -> int:
        """Frames stored of a video: those of its windows, one after the other."""
        return self.frames * self.windows

    @model_validator(mode="after")
    def _windows_start_somewhere(self) -> Geometry:
        if self.windows > 1 and self.sampling == "even":
            raise ValueError("frames spread evenly over a video are one window; sampling: strided can have several")
        return self

    @model_validator(mode="after")
    def _crop_fits(self) -> Geometry:
        shorter = self.resize if isinstance(self.resize, int) else min(self.resize)
        if self.size > shorter:
            raise ValueError(f"a crop of {self.size} pixels does not fit into frames resized to {self.resize}")
        return self

    def picks(self, length: int) -> list[int]:
        """The frames of a video that make its clip, or its windows: fixed ones, the same at every call.

        Args:
            length: frames of the video, at least 1.

        Returns:
            For each window ``frames`` ascending positions below ``length``; a video that is too short repeats its last
            frame, and one with fewer starts than windows repeats windows.
        """
        if length < self.frames:
            return [min(i, length - 1) for i in range(self.frames)] * self.windows
        if self.sampling == "even":
            return evenly(length, self.frames)
        gap = self.gap if length >= self.frames * self.gap else length // self.frames
        starts = length - (self.frames - 1) * gap
        firsts = [((2 * i + 1) * starts - min(self.windows, starts)) // (2 * self.windows) for i in range(self.windows)]
        return [first + i * gap for first in firsts for i in range(self.frames)]

    def scaled_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height that a frame of the given width and height is resized to before the crop."""
        if not isinstance(self.resize, int):
            return self.resize
        shorter = min(width, height)
        return max(self.resize, round(width * self.resize / shorter)), max(
            self.resize, round(height * self.resize / shorter)
        )

    def at(self, frames: int | None = None, size: int | None = None) -> Geometry:
        """The same view of a video with other numbers of frames and pixels: same time span, same field of view."""
        frames, size = frames or self.frames, size or self.size
        resize = (
            max(size, round(self.resize * size / self.size))
            if isinstance(self.resize, int)
            else tuple(max(size, round(side * size / self.size)) for side in self.resize)
        )
        gap = max(1, round(self.gap * self.frames / frames))
        return Geometry.model_validate(
            self.model_dump() | {"frames": frames, "size": size, "resize": resize, "gap": gap}
        )
