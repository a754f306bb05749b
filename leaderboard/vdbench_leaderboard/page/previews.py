"""Playing previews and contact sheets of distilled sets, embedded in the page.

Which ones may be shown is not decided here: only those that lie in the folder are used, and whoever fills it for others
to see leaves out clips of data sets whose frames may not be handed on.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vdbench.clips.pictures import PREVIEW_BYTES

NAMES = {"preview.mp4": "video/mp4", "preview.png": "image/png"}
"""Files of a distilled set, videos first."""
ALL = 2 * 1024 * 1024
"""Bytes that all previews of a page may have."""


@dataclass(frozen=True)
class Preview:
    """What can be looked at.

    Attributes:
        plays: whether it is a video.
        uri: the file itself, as a data URI.
        size: bytes of the file.
    """

    plays: bool
    uri: str
    size: int


class Previews:
    """The previews in a folder, handed out as long as they fit a page.

    Args:
        folder: holds a folder per distilled set, by its name; None for no previews.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.left = ALL

    def first(self, distilled: Iterable[str]) -> tuple[str, Preview] | None:
        """The first of some distilled sets that can be shown, and its preview; None where none can."""
        for name in distilled:
            if preview := self._read(name):
                self.left -= preview.size
                return name, preview
        return None

    def _read(self, distilled: str) -> Preview | None:
        if self.folder is None or Path(distilled).name != distilled:
            return None
        for name, kind in NAMES.items():
            path = self.folder / distilled / name
            if path.is_file() and path.stat().st_size <= min(PREVIEW_BYTES, self.left):
                content = path.read_bytes()
                uri = f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
                return Preview(kind.startswith("video"), uri, len(content))
        return None
