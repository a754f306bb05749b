"""Results on their way into a shared leaderboard: chosen and copied out of a home, and merged into a folder.

A merge decides everything before it writes anything. It takes marks of verification as they come, because a result is
not edited on its way; what such a mark is worth, :mod:`vdbench.experiment.verification` says.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdbench.datasets.spec import dataset_names, load_dataset
from vdbench.distilled.distilled_set import RECORD, TENSORS
from vdbench.errors import DataError
from vdbench.experiment.result_store import ResultStore, read_result
from vdbench.storage import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vdbench.experiment.result import Result
    from vdbench.outcomes import ClipList
    from vdbench.records import Provenance

REQUEST = "PULL_REQUEST.md"
"""The text of a pull request, beside the results that are handed in."""
ARTEFACTS = "distilled"
"""Folder beside exported results, with one folder per distilled set."""
PARTS = (RECORD, TENSORS)
"""What of a distilled set's folder is exported: no previews, no costs."""


def result_files(places: Iterable[Path]) -> list[Path]:
    """The result files in folders, those of homes, and files named by themselves, each once.

    Raises:
        DataError: a place does not exist, or there is no result in it.
    """
    found: dict[Path, None] = {}
    for place in places:
        paths = [place] if place.is_file() else ResultStore(place).paths() or ResultStore(place / "results").paths()
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
    """
    if dataset not in dataset_names():
        return False
    return load_dataset(dataset).layout == "rendered" or (provenance is not None and provenance.pool == "generated")


def export(results: Sequence[Result], source: ResultStore, folder: Path) -> None:
    """Write results into a folder, with the test sets that they name. A failure never replaces a result that is done.

    Raises:
        DataError: a test set that they name is not there, or was damaged; nothing was written.
    """
    target = ResultStore(folder)
    named = sorted({result.test_set for result in results if result.test_set is not None})
    for clips in [source.clip_lists.read(fingerprint) for fingerprint in named]:
        target.clip_lists.write(clips)
    for result in results:
        target.write(result)


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
    """Copy the distilled sets of results, where they may be handed on: where none of these results forbids it."""
    sets = {
        result.distilled: result
        for result in results
        if result.distilled is not None and Path(result.distilled).name == result.distilled != ".."
    }
    restricted = {result.artefact for result in results if not shareable(result)}
    allowed = {name: result for name, result in sorted(sets.items()) if result.artefact not in restricted}
    copied = []
    for name, result in allowed.items():
        source, target = distilled / name, folder / ARTEFACTS / name
        there = all((source / part).is_file() for part in PARTS)
        if there and files.file_sha256(source / TENSORS) == result.artefact:
            for part in PARTS:
                with files.atomic(target / part) as draft:
                    shutil.copyfile(source / part, draft)
            copied.append(target)
    return Handed(tuple(copied), len(sets) - len(allowed), len(allowed) - len(copied))


@dataclass(frozen=True)
class Merge:
    """What merging would write, and why not, where it may not.

    Attributes:
        folder: that results are merged into.
        conflicts: by id, the fields in which results of one trial differ.
        added: results that are new there.
        finished: results that take the place of a failed trial.
        fuller: results in whose place the same result goes, elsewhere stored with outcomes per clip.
        verified: results there that the same result, elsewhere verified, brings its mark to.
        skipped: results of trials that are there already.
        test_sets: that the results written name.
    """

    folder: Path
    conflicts: Mapping[str, tuple[str, ...]]
    added: tuple[Result, ...] = ()
    finished: tuple[Result, ...] = ()
    fuller: tuple[Result, ...] = ()
    verified: tuple[Result, ...] = ()
    skipped: tuple[Result, ...] = ()
    test_sets: tuple[ClipList, ...] = ()

    @property
    def written(self) -> tuple[Result, ...]:
        """All results that are written."""
        return (*self.added, *self.finished, *self.fuller, *self.verified)

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
            for result in self.written:
                ResultStore(draft).write(result)
            for clips in self.test_sets:
                ResultStore(draft).clip_lists.write(clips)
            for clips in self.test_sets:
                path = ResultStore(self.folder).clip_lists.path(clips.fingerprint)
                path.parent.mkdir(exist_ok=True)
                ResultStore(draft).clip_lists.path(clips.fingerprint).replace(path)
            for path in ResultStore(draft).paths():
                path.replace(self.folder / path.name)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def plan_merge(sources: Sequence[Path], into: Path) -> Merge:
    """Lay out what merging results into a folder would do; nothing is written.

    What is in the folder stays, but that a done result takes the place of a failed one, that one with outcomes per clip
    takes the place of one without, and that a verified result brings its mark. Of several equal results that are new,
    one with outcomes is taken, then the verified one, then the earliest, so that the order of sources plays no part.

    Raises:
        DataError: there is no result in a source, or one here or there, or its test set, cannot be read.
    """
    coming: dict[str, list[Result]] = defaultdict(list)
    lists: dict[str, Path] = {}
    for path in result_files(sources):
        result = read_result(path, others=True)
        coming[result.id].append(result)
        if result.test_set is not None:
            lists[result.test_set] = path.parent
    kinds: dict[str, list[Result]] = defaultdict(list)
    conflicts = {}
    for trial_id, new in sorted(coming.items()):
        path = ResultStore(into).path(trial_id)
        old = read_result(path) if path.exists() else None
        if differing := _differing([result for result in (*new, old) if result is not None]):
            conflicts[trial_id] = differing
            continue
        kind, best = _joined(old, sorted(new, key=_preference))
        kinds[kind].append(best)
    results: dict[str, Any] = {kind: tuple(some) for kind, some in kinds.items()}
    plan = Merge(into, conflicts, **results)
    named = sorted({result.test_set for result in plan.written if result.test_set in lists})
    return replace(plan, test_sets=tuple(ResultStore(lists[name]).clip_lists.read(name) for name in named))


def _joined(old: Result | None, new: Sequence[Result]) -> tuple[str, Result]:
    """What is stored of equal results, and the field of :class:`Merge` that it belongs to.

    Args:
        old: the one that is there.
        new: those that come, by preference.
    """
    best = _marked(new[0], new)
    if old is None:
        return "added", best
    if best.status == "failed":
        return "skipped", best
    if old.status == "failed":
        return "finished", best
    if old.test_set is None and best.test_set is not None:
        return "fuller", _marked(best, [old])
    marked = _marked(old, [best])
    return ("skipped", best) if marked is old else ("verified", marked)


def _marked(result: Result, others: Iterable[Result]) -> Result:
    """A result with the first mark of verification among it and others that equal it."""
    mark = next((other.verified for other in others if other.verified is not None), None)
    bare = result.status == "done" and result.verified is None and mark is not None
    return result.model_copy(update={"verified": mark}) if bare else result


def _preference(result: Result) -> tuple[bool, bool, bool, str, str]:
    """Of the results of one trial the smallest is taken: done, full, verified, early; the rest only settles ties."""
    text = json.dumps(result.model_dump(mode="json"), sort_keys=True)
    return result.status != "done", result.test_set is None, result.verified is None, result.started.isoformat(), text


def _differing(results: Sequence[Result]) -> tuple[str, ...]:
    """The fields in which finished results of one trial differ; a failure says nothing of the outcome."""
    done = [result for result in results if result.status == "done"]
    outcomes = [result.outcome() for result in done]
    names = [name for name in (outcomes[0] if outcomes else {}) if any(o[name] != outcomes[0][name] for o in outcomes)]
    kept = [
        (result.test_set, *(score.outcomes for scores in result.every_student for score in scores.scores))
        for result in done
        if result.test_set is not None
    ]
    if not names and any(outcomes != kept[0] for outcomes in kept):
        return ("outcomes per clip",)
    return tuple(names)
