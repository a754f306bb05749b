"""Playing previews and contact sheets of distilled sets, embedded in the page.

Which ones may be shown is not decided here: only those that lie in the folder are used, and whoever fills it for others
to see leaves out clips of data sets whose frames may not be handed on.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from vdbench.clips.pictures import PREVIEW_BYTES

NAMES = {"preview.mp4": "video/mp4", "preview.png": "image/png"}
"""Files of a distilled set, videos first."""
ALL = 2 * 1024 * 1024
"""Bytes that all previews of a page may have."""


class Preview(NamedTuple):
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
        if self.folder is None:
            return None
        # not a path to elsewhere, nor longer than any file's name
        for name in (name for name in distilled if Path(name).name == name != ".." and len(name.encode()) < 256):
            for file, kind in NAMES.items():
                path = self.folder / name / file
                if path.is_file() and (size := path.stat().st_size) <= min(PREVIEW_BYTES, self.left):
                    self.left -= size
                    uri = f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
                    return name, Preview(kind.startswith("video"), uri, size)
        return None
