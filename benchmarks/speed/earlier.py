"""The code of an earlier version, beside which this one is measured."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def sources(base: str) -> Iterator[Path]:
    """The folder of an earlier version: the one that is named, or one of its own for a commit."""
    if Path(base).is_dir():
        yield Path(base).resolve()
        return
    git = ["git", "-C", str(ROOT), "worktree"]
    with TemporaryDirectory() as folder:
        subprocess.run([*git, "add", "--quiet", "--detach", folder, base], check=True)
        try:
            yield Path(folder).resolve()
        finally:
            subprocess.run([*git, "remove", "--force", folder], check=True)


def by_code_of(root: Path) -> dict[str, str]:
    """The environment of a process that runs the code below a folder, whatever is installed."""
    parts = [str(root / part) for part in ("", "methods", "benchmarks", "leaderboard")]
    return os.environ | {"PYTHONPATH": os.pathsep.join([*parts, os.environ.get("PYTHONPATH", "")])}
