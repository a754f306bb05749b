"""The clips of a data set, as a method is given them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vdbench.experiment.bench import Bench
from vdbench.experiment.home import Home
from vdbench.experiment.suite import load_suite, usual_suite

if TYPE_CHECKING:
    from pathlib import Path

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


def load_dataset(
    name: str, suite: SuiteLike | None = None, *, split: int | None = None, home: str | Path | None = None
) -> Clips:
    """Open the train and validation clips of a data set under a suite; the test clips stay closed.

    Args:
        name: of the data set, or the path of its YAML file. ``motion-digits`` is rendered on first use; others have
            been prepared with ``vdbench datasets prepare``.
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
    protocol = load_suite(suite or usual_suite([name]), None if split is None else {"split": split}).protocol
    view = Bench.open(name, protocol, Home.at(home), "cpu").view
    return Clips(view.train, view.validation)
