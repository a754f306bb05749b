"""Results on disk: a folder with one JSON file per trial, and what of others' files is read as a result."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

from vdbench.errors import DataError, LaterError
from vdbench.experiment.result import Result
from vdbench.experiment.test_sets import TEST_SETS, ClipLists
from vdbench.storage import documents, files
from vdbench.storage.validation import faults_in


class ResultStore:
    """A folder with one JSON file per trial.

    Args:
        folder: created on the first write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def clip_lists(self) -> ClipLists:
        """The test clips that these results speak of."""
        return ClipLists(self.folder / TEST_SETS)

    def path(self, trial_id: str) -> Path:
        """Where the result of a trial is, or will be."""
        return self.folder / f"{trial_id}.json"

    def write(self, result: Result) -> Path:
        """Store a result atomically. A failure never replaces a result that is done.

        Raises:
            LaterError: a later version wrote a result of that trial, which stays.
        """
        path = self.path(result.id)
        old = self.read(result.id)
        if result.status == "failed" and old is not None and old.status == "done":
            return path
        files.write_json(path, result.model_dump(mode="json"))
        return path

    def read(self, trial_id: str) -> Result | None:
        """The result of a trial; None where there is none or its file cannot be read.

        Raises:
            LaterError: a later version wrote it.
        """
        try:
            return read_result(self.path(trial_id))
        except LaterError:
            raise
        except (FileNotFoundError, DataError):
            return None

    def paths(self) -> list[Path]:
        """The files of all results, sorted; drafts that a killed process left are none."""
        return sorted(path for path in self.folder.glob("*.json") if not path.name.startswith("."))

    def __iter__(self) -> Iterator[Result]:
        return map(read_result, self.paths())

    def readable(self) -> Iterator[Result]:
        """All results whose files can be read; for the others there is a warning."""
        for path in self.paths():
            try:
                yield read_result(path)
            except DataError as error:
                warnings.warn(str(error), stacklevel=2)

    def set_aside_corrupt(self) -> list[Path]:
        """Rename every file that is no valid result to ``*.corrupt``, so that its trial runs again.

        Returns:
            The new paths, for a warning.

        Raises:
            LaterError: a later version wrote one of them; nothing was renamed.
        """
        corrupt = []
        for path in self.paths():
            try:
                read_result(path)
            except LaterError:
                raise
            except DataError:
                corrupt.append(path)
        return [path.replace(path.with_suffix(".json.corrupt")) for path in corrupt]


def read_result(path: Path, others: bool = False) -> Result:
    """Read and validate one result file.

    Args:
        path: the file.
        others: whether somebody else wrote it: then a name that stands twice in it is looked for too, of which other
            programs may take the first.

    Raises:
        DataError: it is not JSON, not of this schema, contradicts itself, or its name is not its id.
        LaterError: a later version wrote it.
    """
    try:
        result = documents.load(Result, path)
        if others:
            documents.parse(documents.content_of(path))
        for fault in result.contradictions():
            raise ValueError(fault)
    except ValueError as error:
        raise DataError(
            f"{path} is not a result that can be read ({faults_in(error)}); delete it or run its trial again"
        ) from error
    if path.stem != result.id:
        raise DataError(f"{path} holds the result of trial {result.id}; rename it to {result.id}.json")
    return result
