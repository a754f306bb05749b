"""The clips of a data set, as a method is given them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vdbench.api.arguments import checked
from vdbench.api.asking import at_least_one, dataset_of, seed_of
from vdbench.datasets.new import GEOMETRY, Wish
from vdbench.datasets.new import new_dataset as declare
from vdbench.experiment.bench import Bench
from vdbench.experiment.home import Home
from vdbench.experiment.suite import load_suite, usual_suite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vdbench.api.asking import SuiteLike
    from vdbench.clips.clipset import ClipSet


class Clips(NamedTuple):
    """What may be looked at of a data set. Test clips are for judging alone, and are not handed out.

    Attributes:
        train: what methods are given.
        validation: held out of the official train split by group; empty unless the suite holds clips out.
    """

    train: ClipSet
    validation: ClipSet

    def _repr_html_(self) -> str:
        """The train clips, and how many are held out."""
        return f"{self.train._repr_html_()}<p>{len(self.validation)} validation clips</p>"


@checked
def new_dataset(
    name: str,
    *,
    videos: str | Path | None = None,
    csv: str | Path | None = None,
    hf: str | Path | None = None,
    like: str | None = None,
    columns: Mapping[str, str] | None = None,
    class_level: int = 1,
    group: str | None = None,
    test: float | None = None,
    seed: int = 0,
    splits: int = 1,
    classes: Sequence[str] | None = None,
    frames: int | None = None,
    size: int | None = None,
    partial: bool = False,
    file: str | Path | None = None,
    replace: bool = False,
    home: str | Path | None = None,
) -> Path:
    """Declare your own videos as a data set: the file that ``vdbench datasets new`` writes.

    Args:
        name: what it is to be called.
        videos: a folder with a folder of videos per class; with ``csv``, what its paths count from.
        csv: a table with the columns ``path`` and ``label`` and, if need be, ``split``, ``group``, ``start``, ``end``.
        hf: a Hugging Face ``videofolder``.
        like: the published data set that ``videos`` is laid out as, such as ``"ucf"``.
        columns: the table's names of columns, by ours.
        class_level: which folder on the way to a video is its class; -1 for the one it lies in.
        group: a regular expression that finds in a file's name what it shares with the others of its group.
        test: share of each class's clips to test on; 0.25 where no split is given.
        seed: decides which clips these are.
        splits: how many splits to make.
        classes: only these.
        frames: per clip; 16 when left out.
        size: pixels per side; 112 when left out.
        partial: whether clips may be missing, and classes that are too small to test.
        file: where to write it; among the data sets of the home when left out, where its name finds it.
        replace: whether an earlier declaration of that name may be replaced.
        home: where vdbench keeps what it makes; ``VDBENCH_HOME`` or the user's data folder where left out.

    Returns:
        The file, which every call takes as the name of a data set, too.

    Raises:
        UsageError: the name is taken or not possible, or the choices contradict each other.
        DataError: a file is missing or malformed, or a class cannot be learned and tested.
    """
    wish = Wish(
        videos=_path(videos),
        csv=_path(csv),
        hf=_path(hf),
        like=like,
        columns=columns,
        class_level=class_level,
        group=group,
        test=test,
        seed=seed_of(seed),
        splits=at_least_one(splits, "splits"),
        classes=classes,
        geometry=None if frames is None and size is None else GEOMETRY.at(_some(frames, "frames"), _some(size, "size")),
        partial=partial,
    )
    return declare(name, wish, Home.at(home).root, _path(file), replace=replace).file


def _some(number: int | None, what: str) -> int | None:
    return None if number is None else at_least_one(number, what)


def _path(place: str | Path | None) -> Path | None:
    return None if place is None else Path(place)


@checked
def load_dataset(
    name: str | Path, suite: SuiteLike | None = None, *, split: int | None = None, home: str | Path | None = None
) -> Clips:
    """Open the train and validation clips of a data set under a suite; the test clips stay closed.

    Args:
        name: of the data set, or the path of its YAML file. ``motion-digits`` is rendered on first use, and one's
            own are decoded; others have been prepared with ``vdbench datasets prepare``.
        suite: decides frames, size and what is held out: a name, the path of a YAML file, or a suite. ``quick`` on
            ``motion-digits`` and ``clean`` on real data where left out.
        split: the official split; the suite's where left out.
        home: where vdbench keeps what it makes; ``VDBENCH_HOME`` or the user's data folder where left out.

    Returns:
        ``Clips(train, validation)``, memory-mapped uint8 ``(N, T, H, W, 3)`` with labels.

    Raises:
        UsageError: there is no such data set, suite or split.
        DataError: the data set is not prepared.

    Example:
        >>> clips = load_dataset("motion-digits", suite="quick")
        >>> clips.train.clips.shape[1:], len(clips.train.classes)
        ((8, 32, 32, 3), 8)
    """
    name = dataset_of(name)
    protocol = load_suite(suite or usual_suite([name]), None if split is None else {"split": split}).protocol
    view = Bench.open(name, protocol, Home.at(home), "cpu").view
    return Clips(view.train, view.validation)
