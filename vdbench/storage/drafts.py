"""Files and folders that are being written, named after their writer, so that those of a killed one can be removed."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import uuid
from pathlib import Path

import psutil

_NAME = re.compile(r"\..+\.(?P<machine>[0-9a-f]{6})-(?P<process>\d+)-[0-9a-f]{8}(\.[^.]*)?")


def draft_of(path: Path) -> Path:
    """A path beside ``path`` that no other writer has; it ends as ``path`` does, which some libraries look at."""
    return path.with_name(f".{path.name}.{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:8]}{path.suffix}")


def is_draft(path: Path) -> bool:
    """Whether a path is called as a draft is."""
    return _NAME.fullmatch(path.name) is not None


def abandoned(path: Path) -> bool:
    """Whether a path is the draft of a process of this machine that has ended. Of other machines nothing is known."""
    name = _NAME.fullmatch(path.name)
    return name is not None and name["machine"] == _machine() and not psutil.pid_exists(int(name["process"]))


def sweep(folder: Path) -> None:
    """Remove the abandoned drafts of a folder, not of those below it."""
    if folder.is_dir():
        for entry in os.scandir(folder):
            if not abandoned(path := Path(entry.path)):
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:6]
