"""The test clips that results speak of: a file per test set, in a folder beside them."""

from __future__ import annotations

from pathlib import Path

from vdbench.errors import DataError, LaterError
from vdbench.outcomes import ClipList
from vdbench.storage import documents, files
from vdbench.storage.validation import faults_in

TEST_SETS = "test-sets"
"""Folder beside results."""


class ClipLists:
    """A folder with one JSON file per test set, called by its fingerprint, which is the hash of what it says.

    Args:
        folder: made on the first write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, fingerprint: str) -> Path:
        """Where a test set is, or will be."""
        return self.folder / f"{fingerprint}.json"

    def write(self, clips: ClipList) -> None:
        """Store a test set, unless it is there. A damaged one is set aside, named in a warning and written again.

        Raises:
            LaterError: a later version wrote it; it was left as it is.
        """
        path = self.path(clips.fingerprint)
        if path.exists():
            try:
                self.read(clips.fingerprint)
            except LaterError:
                raise
            except DataError:
                files.set_aside(path, "does not hold the clips that it is called by")
            else:
                return
        files.write_json(path, clips.model_dump(mode="json"))

    def read(self, fingerprint: str) -> ClipList:
        """The test set of a fingerprint.

        Raises:
            DataError: there is none, or its file was damaged or edited.
        """
        path = self.path(fingerprint)
        again = "type the run's command again, or take the file from where its results came from"
        try:
            clips = documents.load(ClipList, path)
        except FileNotFoundError as error:
            raise DataError(f"there is no test set {path}; {again}") from error
        except ValueError as error:
            raise DataError(f"{path} is not a test set that can be read ({faults_in(error)}); {again}") from error
        if clips.fingerprint != fingerprint:
            raise DataError(f"{path} holds the test set {clips.fingerprint}, since it was edited or renamed; {again}")
        return clips
