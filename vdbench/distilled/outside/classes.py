"""Classes as other people's code counts and spells them."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vdbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from vdbench.distilled.outside.tensors import Arrays


def position(name: str, classes: Sequence[str], numbers: bool = True) -> int | None:
    """Where a class stands among others; None where it is none of them.

    Args:
        name: a class name, in which case, spaces, ``_`` and ``-`` do not count unless they have to.
        classes: the class names.
        numbers: whether a number, counted from 0, may stand for a name.
    """
    if name in classes:
        return classes.index(name)
    alike = [place for place, other in enumerate(classes) if _plain(other) == _plain(name)]
    if len(alike) == 1:
        return alike[0]
    return int(name) if numbers and re.fullmatch("[0-9]{1,9}", name) and int(name) < len(classes) else None


def counted_classes(given: str | None, arrays: Arrays, classes: Sequence[str]) -> tuple[str, ...] | None:
    """The classes in the order in which a file counts them, spelt as the data set spells them.

    Args:
        given: ``official``, the data set's order; ``sorted``, as Python sorts names; or a text file with a name per
            line, in their order.
        arrays: of a file that may hold all class names, which say it where nothing is given.
        classes: the class names in the data set's order.

    Returns:
        None where nothing says it.

    Raises:
        DataError: the text cannot be read, or does not name every class once.
    """
    if given in ("official", "sorted"):
        return tuple(classes) if given == "official" else tuple(sorted(classes))
    if given is not None:
        return _named(Path(given), classes)
    lists = [array for array in arrays.values() if array.dtype.kind == "U" and array.shape == (len(classes),)]
    orders = [order for order in (_ordered([str(name) for name in names], classes) for names in lists) if order]
    return orders[0] if len(set(orders)) == 1 else None


def warn_of_order(classes: Sequence[str], source: str) -> None:
    """Warn that class numbers may count otherwise, where the data set's order is not that of the sorted names."""
    apart = [place for place, (ours, theirs) in enumerate(zip(classes, sorted(classes), strict=True)) if ours != theirs]
    if apart:
        warnings.warn(
            f"the class numbers of {source} were taken in the data set's own order; sorted names differ from it in "
            f"{len(apart)} of {len(classes)} classes, first in number {apart[0]}, '{classes[apart[0]]}': give "
            "--classes sorted if the file counts these, else --classes official",
            stacklevel=3,
        )


def in_order_of(targets: torch.Tensor, theirs: Sequence[str], ours: Sequence[str]) -> torch.Tensor:
    """Targets that count classes in another order, in the order of a data set.

    Args:
        targets: int64 ``(N,)``, or a column per class.
        theirs: the classes as they are counted.
        ours: the same classes in the order that is wanted.
    """
    import torch

    if targets.ndim == 1:
        return torch.from_numpy(np.array([ours.index(name) for name in theirs]))[targets]
    return targets[:, [theirs.index(name) for name in ours]].contiguous()


def _named(path: Path, classes: Sequence[str]) -> tuple[str, ...]:
    try:
        names = [line.strip() for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"--classes {path} is neither 'official' nor 'sorted' nor a text file with a class name per line"
        ) from error
    order = _ordered(names, classes)
    if order is None:
        unknown = [name for name in names if position(name, classes, numbers=False) is None]
        wrong = f"'{unknown[0]}' is none of them" if unknown else f"it has {len(names)} names"
        raise DataError(f"{path} does not name each of the {len(classes)} classes once: {wrong}")
    return order


def _ordered(names: Sequence[str], classes: Sequence[str]) -> tuple[str, ...] | None:
    """Names as a data set spells them; None unless each of its classes is named once."""
    places = [position(name, classes, numbers=False) for name in names]
    known = [place for place in places if place is not None]
    if len(known) < len(names) or sorted(known) != [*range(len(classes))]:
        return None
    return tuple(classes[place] for place in known)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()
