"""Whether a home holds what was written into it, and what to do where it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vdbench.clips.rows import MANIFEST
from vdbench.datasets.store import ClipStore
from vdbench.errors import DataError, LaterError
from vdbench.experiment.outcome_rules import outcome_faults
from vdbench.experiment.result_store import read_result
from vdbench.experiment.rules import faults_of
from vdbench.storage import digests, files

if TYPE_CHECKING:
    from vdbench.experiment.home import Home
    from vdbench.experiment.test_sets import ClipLists

LATER = "was written by a later version, which this one leaves alone"


class Damage(NamedTuple):
    """One thing that does not hold what was written.

    Attributes:
        kind: ``store``, ``view``, ``asset``, ``distilled set``, ``test set`` or ``result``.
        path: where it is.
        fault: what is wrong, completing the sentence "PATH ...".
        remade: whether it is made again by itself once it is set aside.
    """

    kind: str
    path: Path
    fault: str
    remade: bool


class Checkup(NamedTuple):
    """What was looked at.

    Attributes:
        looked: how many things of each kind.
        unsealed: how many folders carry no digests, since an earlier version wrote them.
        damaged: what is not what was written.
    """

    looked: Counter[str]
    unsealed: int
    damaged: list[Damage]


def check_home(home: Home, everything: bool = False) -> Checkup:
    """Compare what a home holds with its digests.

    Args:
        home: what to check.
        everything: every byte of stores and views; a sample of them where left out. All else is always read whole.
    """
    found = Checkup(Counter(), 0, [])
    look = None if everything else digests.LOOK
    unsealed = 0

    def note(kind: str, path: Path, fault: str | None, remade: bool = True) -> None:
        found.looked[kind] += 1
        if fault is not None:
            found.damaged.append(Damage(kind, path, fault, remade))

    def read(kind: str, path: Path, look: Callable[[Path], object]) -> None:
        try:
            note(kind, path, _said(look, path))
        except LaterError:
            note(kind, path, LATER, remade=False)

    for folder in _folders(home.root / "stores", 1):
        note("store", folder, _said(lambda path: _check_store(path, everything), folder), remade=False)
    for kind, root, depth, bytes_read in (
        ("view", home.root / "views", 1, look),
        ("asset", home.assets, 2, None),
        ("distilled set", home.distilled, 1, None),
    ):
        for folder in _folders(root, depth):
            unsealed += not digests.sealed(folder)
            note(kind, folder, digests.fault_in(folder, bytes_read))
    lists = home.results.clip_lists
    for path in sorted({*lists.folder.glob("[!.]*.json"), *map(lists.path, _named(home))}):
        read("test set", path, lambda path: lists.read(path.stem))
    for path in home.results.paths():
        read("result", path, lambda path: _check_result(path, lists))
    return found._replace(unsealed=unsealed)


def set_aside(damage: Damage) -> None:
    """Move what is damaged out of the way, so that whoever needs it makes it again; a warning names it."""
    if damage.remade and damage.path.exists():
        files.set_aside(damage.path, damage.fault)


def _folders(root: Path, depth: int) -> list[Path]:
    """Finished folders so deep below a root; those with a leading dot are drafts or were set aside."""
    paths = root.glob("/".join(["*"] * depth))
    return sorted(path for path in paths if path.is_dir() and not path.name.startswith("."))


def _said(look: Callable[[Path], object], path: Path) -> str | None:
    """What a look complains of, as the end of a sentence that begins with a path."""
    try:
        look(path)
    except LaterError:
        raise
    except DataError as error:
        return error.sentence.removeprefix(f"{path} ").split(";")[0]
    return None


def _check_store(folder: Path, everything: bool) -> None:
    if not (folder / MANIFEST).is_file():
        raise DataError(f"lost {MANIFEST}")
    store = ClipStore.open(folder)
    if everything and (changed := store.changed(store.manifest.clips)):
        raise DataError(f"holds other pixels of {len(changed)} clips than were written, {changed[0].id} among them")


def _named(home: Home) -> set[str]:
    """The test sets that results speak of."""
    named = set()
    for path in home.results.paths():
        with suppress(LaterError):
            result = home.results.read(path.stem)
            named |= set() if result is None or result.test_set is None else {result.test_set}
    return named


def _check_result(path: Path, lists: ClipLists) -> None:
    result = read_result(path)
    faults = list(faults_of(result))
    if result.status == "done":
        with suppress(DataError):  # the test set is at fault, which is told of it
            faults += outcome_faults(result, None if result.test_set is None else lists.read(result.test_set))
    for fault in faults:
        raise DataError(f"contradicts itself ({fault})")
