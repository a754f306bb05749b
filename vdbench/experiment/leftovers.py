"""What a home holds that no stored result refers to, and that can therefore go."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filelock import FileLock, Timeout

from vdbench.storage import drafts
from vdbench.work.assets import RECORD

if TYPE_CHECKING:
    from vdbench.experiment.home import Home
    from vdbench.experiment.result import Result


class Leftover(NamedTuple):
    """One thing that can go.

    Attributes:
        kind: ``distilled set``, the sort of an asset, ``log``, ``checkpoint``, ``set aside`` or ``draft``.
        path: file or folder.
        bytes: that it takes.
    """

    kind: str
    path: Path
    bytes: int


def leftovers(home: Home) -> list[Leftover]:
    """What no stored result of a home, in which no run goes on, refers to: the largest first.

    Assets serve every trial on a train split: they are left over only where no result is on that split. Where a view of
    results is missing, its train split is not known, and all assets stay.
    """
    results = list(home.results.readable())
    found = [*_distilled(home, results), *_assets(home, results), *_logs(home, results)]
    found += [*_unfinished(home), *(("set aside", path) for path in home.root.rglob("*.corrupt"))]
    return sorted((Leftover(kind, path, _bytes(path)) for kind, path in found), key=lambda left: -left.bytes)


def remove(left: Leftover) -> None:
    """Remove it."""
    if left.path.is_dir():
        shutil.rmtree(left.path, ignore_errors=True)
    else:
        left.path.unlink(missing_ok=True)


def _distilled(home: Home, results: list[Result]) -> Iterator[tuple[str, Path]]:
    named = {result.distilled for result in results}
    for path in home.distilled.glob("[!.]*"):
        if path.is_dir() and path.name not in named:
            yield "distilled set", path


def _assets(home: Home, results: list[Result]) -> Iterator[tuple[str, Path]]:
    views = {home.root / "views" / result.dataset.fingerprint / "train" / "labels.json" for result in results}
    trains = {_field(view, "fingerprint") for view in views}
    if None in trains:
        return
    for record in home.assets.glob(f"*/[!.]*/{RECORD}"):
        if (train := _field(record, "train")) is not None and train not in trains:
            yield record.parent.parent.name, record.parent


def _logs(home: Home, results: list[Result]) -> Iterator[tuple[str, Path]]:
    known = {result.id for result in results}
    for path in home.logs.glob("*.log"):
        if path.stem not in known:
            yield "log", path


def _field(path: Path, name: str) -> str | None:
    """A field of a JSON file; None where it cannot be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))[name]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return value if isinstance(value, str) else None


def _unfinished(home: Home) -> Iterator[tuple[str, Path]]:
    """States of work that did not end, and what was being written; not what somebody is writing now."""
    for path in [*(home.root / "checkpoints").glob("*"), *home.assets.glob("*/.*.state")]:
        yield "checkpoint", path
    for root in (home.assets, home.distilled, home.root / "views"):
        for path in root.rglob(".*.draft"):
            if not drafts.is_draft(path) and not _locked(path):
                yield "draft", path
    for path in home.root.rglob(".*"):
        if drafts.abandoned(path):
            yield "draft", path


def _locked(draft: Path) -> bool:
    """Whether the builder of a folder still holds its lock."""
    lock = FileLock(draft.with_suffix(".lock"))
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True


def _bytes(path: Path) -> int:
    paths = [path] if path.is_file() else [inner for inner in path.rglob("*") if inner.is_file()]
    return sum(inner.stat().st_size for inner in paths)
