"""A leaderboard that is rendered anew when its results change."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from vdbench.errors import VdbenchError
from vdbench_leaderboard.build import render

QUIET = 1.0
"""Seconds that results must have stayed as they are before they are read: a run may be writing several."""
LONGEST = 10.0
"""Seconds after which they are read even if they did not."""
SHARE = 0.2
"""Of one core that rendering may take: it rests for the remaining time, because a run needs the machine."""
LOOK = 0.25
"""Seconds between two looks at the folder."""

log = logging.getLogger(__name__)

Seen = frozenset[tuple[str, int, int]]


@dataclass(frozen=True)
class Rendering:
    """What is served.

    Attributes:
        version: changes with what readers see.
        contents: every file of the leaderboard, by its name; empty as long as there is no result.
    """

    version: str
    contents: dict[str, bytes]


class LiveLeaderboard:
    """The newest rendering of a folder of results.

    One thread looks at the folder and renders, one rendering after the other. Whatever goes wrong is logged, and the
    last rendering stays.

    Args:
        results: folder of result files; it need not be there yet.
        previews: as :func:`vdbench_leaderboard.build.build` takes them.
    """

    def __init__(self, results: Path, previews: Path | None) -> None:
        self.current = Rendering("none", {})
        self._results, self._previews = results, previews
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="leaderboard", daemon=True)

    def __enter__(self) -> LiveLeaderboard:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; a rendering that is being made is not waited for."""
        self._ending.set()

    def _watch(self) -> None:
        rendered: Seen = frozenset()
        while not self._ending.is_set():
            seen = self._settled(rendered)
            if self._ending.is_set() or seen == rendered:
                continue
            began = time.monotonic()
            self._render(bool(seen))
            rendered = seen
            self._ending.wait((time.monotonic() - began) * (1 / SHARE - 1))

    def _settled(self, rendered: Seen) -> Seen:
        """What lies in the folder, once that differs from what was rendered and has stopped to change."""
        seen, since, first = self._look(), time.monotonic(), time.monotonic()
        while not self._ending.wait(LOOK):
            now, before = self._look(), seen
            if now != before:
                seen, since = now, time.monotonic()
            if now == rendered:
                return now
            if time.monotonic() - since >= QUIET or time.monotonic() - first >= LONGEST:
                return now
        return rendered

    def _look(self) -> Seen:
        found = set()
        for path in self._results.glob("*.json"):
            try:
                about = path.stat()
            except OSError:
                continue  # gone since it was listed
            found.add((path.name, about.st_mtime_ns, about.st_size))
        return frozenset(found)

    def _render(self, some: bool) -> None:
        if not some:
            self.current = Rendering("none", {})
            return
        try:
            contents = render(self._results, self._previews)
        except VdbenchError as error:
            log.warning("%s", error)
        except Exception as error:  # whatever it is, the next result may mend it
            log.warning("the leaderboard could not be made (%s: %s); the last one stays", type(error).__name__, error)
        else:
            digest = hashlib.sha256()
            for name, content in contents.items():
                digest.update(name.encode() + content)
            self.current = Rendering(digest.hexdigest(), contents)
