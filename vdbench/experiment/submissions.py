"""Results on their way into a shared leaderboard: chosen and copied out of a home, and merged into a folder.

A merge decides everything before it writes anything. It takes marks of verification as they come, because a result is
not edited on its way; what such a mark is worth, :mod:`vdbench.experiment.verification` says.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vdbench.datasets.spec import dataset_names, load_dataset
from vdbench.distilled.distilled_set import RECORD, TENSORS
from vdbench.errors import DataError
from vdbench.experiment.result import ResultStore, read_result
from vdbench.storage import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vdbench.experiment.result import Result
    from vdbench.records import Provenance

ARTEFACTS = "distilled"
"""Folder beside exported results, with one folder per distilled set."""
PARTS = (RECORD, TENSORS)
"""What of a distilled set's folder is exported: no previews, no costs."""


def result_files(places: Iterable[Path]) -> list[Path]:
    """The result files in folders, and files named by themselves, each once.

    Raises:
        DataError: a place does not exist, or there is no result in it.
    """
    found: dict[Path, None] = {}
    for place in places:
        paths = [place] if place.is_file() else ResultStore(place).paths()
        if not paths:
            raise DataError(f"there is no result in {place}; name a folder of result files, or such files")
        found |= dict.fromkeys(path.absolute() for path in paths)
    return list(found)


def shareable(result: Result) -> bool:
    """Whether the distilled set of a result may be handed on, as :func:`may_be_handed_on` says."""
    return may_be_handed_on(result.dataset.name, result.provenance)


def may_be_handed_on(dataset: str, provenance: Provenance | None) -> bool:
    """Whether a distilled set holds no clips of a data set with terms of its own, nor nearly so.

    Clips of a data set that is rendered here may be handed on, and generated ones. Anything else may not: what is
    learned starts from real clips, and some methods hardly leave them. Of somebody's own data set nothing may,
    generated clips included: a generator of few clips repeats them.

    Args:
        dataset: its name.
        provenance: of the set.
    """
    if dataset not in dataset_names():
        return False
    return load_dataset(dataset).layout == "rendered" or (provenance is not None and provenance.pool == "generated")


def export(results: Sequence[Result], folder: Path) -> None:
    """Write results into a folder. A failure never replaces a result that is done."""
    for result in results:
        ResultStore(folder).write(result)


@dataclass(frozen=True)
class Handed:
    """What became of the distilled sets of exported results.

    Attributes:
        copied: their folders.
        restricted: how many hold clips that may not be handed on, and so stay.
        missing: how many are no longer in the home as they were.
    """

    copied: tuple[Path, ...]
    restricted: int
    missing: int


def export_artefacts(results: Sequence[Result], distilled: Path, folder: Path) -> Handed:
    """Copy the distilled sets of results, where they may be handed on: where none of these results forbids it.

    Args:
        results: that are exported.
        distilled: the home's folder of distilled sets.
        folder: that results are exported into.
    """
    sets = {
        result.distilled: result
        for result in results
        if result.distilled is not None and Path(result.distilled).name == result.distilled
    }
    restricted = {result.artefact for result in results if not shareable(result)}
    allowed = {name: result for name, result in sorted(sets.items()) if result.artefact not in restricted}
    copied = []
    for name, result in allowed.items():
        if _is_whole(distilled / name, result.artefact):
            _copy(distilled / name, folder / ARTEFACTS / name)
            copied.append(folder / ARTEFACTS / name)
    return Handed(tuple(copied), len(sets) - len(allowed), len(allowed) - len(copied))


def _is_whole(source: Path, sha256: str | None) -> bool:
    """Whether a distilled set is still there, and the one that its result names."""
    return all((source / name).is_file() for name in PARTS) and files.file_sha256(source / TENSORS) == sha256


def _copy(source: Path, target: Path) -> None:
    for name in PARTS:
        with files.atomic(target / name) as draft:
            shutil.copyfile(source / name, draft)


@dataclass(frozen=True)
class Merge:
    """What merging would write, and why not, where it may not.

    Attributes:
        folder: that results are merged into.
        conflicts: by id, the fields in which results of one trial differ.
        added: results that are new there.
        finished: results that take the place of a failed trial.
        verified: results there that the same result, elsewhere verified, brings its mark to.
        skipped: results of trials that are there already.
    """

    folder: Path
    conflicts: Mapping[str, tuple[str, ...]]
    added: tuple[Result, ...] = ()
    finished: tuple[Result, ...] = ()
    verified: tuple[Result, ...] = ()
    skipped: tuple[Result, ...] = ()

    def write(self) -> None:
        """Write all of it: first beside the folder's files, then each into its place.

        What stops it while it writes, a full disk included, leaves the folder as it was; what kills it while it
        renames leaves whole files, and the same merge goes on.

        Raises:
            ValueError: there are conflicts.
        """
        if self.conflicts:
            raise ValueError(f"results of {', '.join(self.conflicts)} contradict each other")
        draft = self.folder / f".merge-{uuid.uuid4().hex[:8]}"
        draft.mkdir(parents=True)
        try:
            for result in (*self.added, *self.finished, *self.verified):
                ResultStore(draft).write(result)
            for path in ResultStore(draft).paths():
                path.replace(self.folder / path.name)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def plan_merge(sources: Sequence[Path], into: Path) -> Merge:
    """Lay out what merging results into a folder would do; nothing is written.

    What is in the folder stays, but that a done result takes the place of a failed one and that a verified result
    brings its mark. Of several equal results that are new, the verified one is taken, then the earliest, so that
    the order of sources plays no part.

    Args:
        sources: folders and files.
        into: the folder, which need not exist.

    Raises:
        DataError: there is no result in a source, or one here or there cannot be read.
    """
    coming: dict[str, list[Result]] = defaultdict(list)
    for path in result_files(sources):
        result = read_result(path)
        coming[result.id].append(result)
    kinds: dict[str, list[Result]] = defaultdict(list)
    conflicts = {}
    for trial_id, new in sorted(coming.items()):
        path = ResultStore(into).path(trial_id)
        old = read_result(path) if path.exists() else None
        if differing := _differing([result for result in (*new, old) if result is not None]):
            conflicts[trial_id] = differing
            continue
        best = min(new, key=_preference)
        kind = _kind(old, best)
        if old is not None and kind == "verified":
            best = old.model_copy(update={"verified": best.verified})
        kinds[kind].append(best)
    return Merge(into, conflicts, **{kind: tuple(some) for kind, some in kinds.items()})


def _kind(old: Result | None, new: Result) -> str:
    """The field of :class:`Merge` that a new result belongs to, beside the one that is there."""
    if old is None:
        return "added"
    if new.status == "failed":
        return "skipped"
    if old.status == "failed":
        return "finished"
    return "verified" if old.verified is None and new.verified is not None else "skipped"


def _preference(result: Result) -> tuple[bool, bool, str, str]:
    """Of the results of one trial the smallest is taken: done, verified, early; the rest only settles ties."""
    text = json.dumps(result.model_dump(mode="json"), sort_keys=True)
    return result.status != "done", result.verified is None, result.started.isoformat(), text


def _differing(results: Sequence[Result]) -> tuple[str, ...]:
    """The fields in which finished results of one trial differ; a failure says nothing of the outcome."""
    outcomes = [result.outcome() for result in results if result.status == "done"]
    return tuple(
        name for name in (outcomes[0] if outcomes else {}) if any(o[name] != outcomes[0][name] for o in outcomes)
    )
