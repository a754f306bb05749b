"""Options that several commands share, and the one parser of lists."""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from vdbench.cli import advice
from vdbench.errors import UsageError, nearest
from vdbench.storage import plain_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

DatasetsArgument = Annotated[str, typer.Argument(help="Data sets: names, globs, or all; commas between.")]
HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="VDBENCH_HOME",
        help="Where vdbench keeps what it makes.",
        show_default="the user's data folder",
        callback=advice.note,
    ),
]
ResultsOption = Annotated[
    Path | None,
    typer.Option("--results", help="Folder of result files.", show_default="those of the home"),
]
DataRootOption = Annotated[
    Path | None,
    typer.Option(
        "--data-root", envvar="VDBENCH_DATA", help="Where the videos lie.", show_default=False, callback=advice.note
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
PluginOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        help="A Python file that defines methods, students, encoders or readers. May be repeated.",
        show_default=False,
    ),
]
PartialOption = Annotated[
    bool, typer.Option("--partial", help="Allow a data set of which only some classes or clips are there.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME.SETTING=VALUE",
        help="Change a setting of a method (herding.encoder=pixels), of the generator "
        "(generator.sampling.per_class=48) or of the protocol "
        "(protocol.recipe.max_steps=50). May be repeated.",
        show_default=False,
    ),
]


def finite(value: float | None) -> float | None:
    """The callback of options in seconds and shares: not a number and infinity pass every other check.

    Raises:
        UsageError: the value is one of these.
    """
    if value is not None and not math.isfinite(value):
        raise UsageError(f"{value} is no finite number; give one, or leave the option out")
    return value


def split_list(text: str) -> list[str]:
    """``'a, b,c'`` as ``['a', 'b', 'c']``.

    Raises:
        UsageError: there is nothing in it.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise UsageError(f"'{text}' names nothing; give one or more names, separated by commas")
    return parts


def choose(text: str, known: Sequence[str], what: str) -> list[str]:
    """Resolve a list of names, globs and ``all`` against what exists, in the order typed.

    Args:
        text: as typed.
        known: every name there is.
        what: a noun for the error, such as ``data set``.
    """
    chosen: dict[str, None] = {}
    for pattern in split_list(text):
        matches = list(known) if pattern == "all" else [name for name in known if fnmatchcase(name, pattern)]
        if not matches:
            raise UsageError(f"unknown {what} '{pattern}'; {nearest(pattern, list(known))}")
        chosen |= dict.fromkeys(matches)
    return list(chosen)


def choose_datasets(text: str, home: Path) -> list[str]:
    """Resolve a list of data sets, in the order typed: names, globs, ``all``, and paths of YAML files as they are.

    Raises:
        UsageError: there is no data set of a name, or it is a folder of videos that nobody has declared.
    """
    from vdbench.datasets.spec import dataset_names, is_file

    chosen: dict[str, None] = {}
    for part in split_list(text):
        try:
            chosen |= dict.fromkeys([part] if is_file(part) else choose(part, dataset_names(home), "data set"))
        except UsageError as error:
            if not Path(part).expanduser().is_dir():
                raise UsageError(f"{error}; your own belong to the home they were declared in: --home") from None
            declare = ["datasets", "new", "NAME", "--videos", part]
            raise UsageError(f"{part} is a folder; to make a data set of the videos in it, type:", declare) from None
    return list(chosen)


def positive_list(text: str, option: str) -> list[int]:
    """``'1,5,10'`` as numbers of at least 1, without repeats."""
    return list(dict.fromkeys(positive(part, option) for part in split_list(text)))


def positive(text: str, option: str) -> int:
    """A whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise UsageError(f"{option} takes whole numbers of at least 1, not '{text}'")
    return value


def parse_settings(assignments: Sequence[str]) -> dict[str, dict[str, Any]]:
    """``['dm.lr=3', 'herding.encoder.name=pixels']`` as nested dictionaries, values read as plain YAML.

    Returns:
        For each method, and for ``protocol``, its settings.

    Raises:
        UsageError: one is malformed, contradicts another, or is a number that is not finite.
    """
    tree: dict[str, dict[str, Any]] = {}
    for text in assignments:
        path, equals, value = text.partition("=")
        keys = path.strip().split(".")
        if not equals or len(keys) < 2 or not all(keys):
            raise UsageError(f"--set {text} is not of the form NAME.SETTING=VALUE, such as herding.encoder=pixels")
        branch: dict[str, Any] = tree
        for key in keys[:-1]:
            branch = branch.setdefault(key, {})
            if not isinstance(branch, dict):
                raise UsageError(f"--set {text} contradicts an earlier --set of {key}")
        try:
            branch[keys[-1]] = plain_yaml.read(value, f"--set {text}")
        except yaml.YAMLError:
            branch[keys[-1]] = value
    return tree
