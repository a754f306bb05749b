"""What data sets exist: each is declared in one YAML file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import yaml
from pydantic import Field, SerializerFunctionWrapHandler, ValidationError, model_serializer, model_validator

from vdbench.clips.clipset import Normalisation
from vdbench.datasets.geometry import Geometry
from vdbench.datasets.source import Source
from vdbench.errors import DataError, DependencyError, UsageError, nearest
from vdbench.extensions.installed import entry_points
from vdbench.records import DATASET_NAME, MOST, Positive, Record
from vdbench.storage import plain_yaml
from vdbench.storage.validation import faults_in

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint
    from importlib.resources.abc import Traversable

Layout = Literal["ucf", "hmdb", "kinetics", "ssv2", "jester", "diving48", "rendered", "folders", "csv", "videofolder"]
OWN: tuple[Layout, ...] = ("folders", "csv", "videofolder")
"""The layouts of somebody's own videos."""
PUBLISHED = tuple(name for name in get_args(Layout) if name not in (*OWN, "rendered"))
"""The layouts in which data sets are handed out."""
MOST_SPLITS = 1000
"""That a data set has."""
GROUP = "vdbench.datasets"
"""The group of entry points by which packages offer data sets: the name, and the package that holds ``NAME.yaml``."""


class SplitSize(Record):
    """Clips that an official split has.

    Attributes:
        train: clips to train on.
        test: clips to test on.
    """

    train: Annotated[int, Field(ge=1, le=MOST // 2)]
    test: Annotated[int, Field(ge=1, le=MOST // 2)]


class DatasetSpec(Record):
    """One data set.

    Attributes:
        name: what users type.
        title: its full name; as the next three, empty where there is none.
        homepage: where it comes from.
        licence: its terms of use, in a sentence.
        citation: the paper to cite.
        layout: how its archives unpack, which decides how its splits are read.
        classes: how many it has.
        subset: the classes that are used, where these are not all that the layout holds.
        splits: the official splits.
        expected: the size of a split, where it is published.
        folders: usual names of its folder below the data root.
        geometry: the shape of its clips under the literature's protocol.
        metric: the score that the literature reports.
        directed: whether a clip shown in a mirror may be of another class, so that none is mirrored in training.
        train_on: ``official``, the clips that a split marks for training, or ``rest``, all that it does not test on,
            those that it marks as unused among them; ``hmdb`` only.
        normalisation: mean and deviation per channel that its clips are scaled by for networks; those of the pixels of
            the train split where left out.
        source: where its clips are, for a data set that has no publisher.
    """

    name: Annotated[str, Field(pattern=DATASET_NAME)]
    title: str = ""
    homepage: str = ""
    licence: str = ""
    citation: str = ""
    layout: Layout
    classes: Annotated[int, Field(ge=2, le=MOST)]
    subset: tuple[str, ...] | None = None
    splits: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=MOST_SPLITS)] = (1,)
    expected: dict[int, SplitSize] = Field(default_factory=dict)
    folders: tuple[str, ...] = ()
    geometry: Geometry
    metric: Literal["top1", "top5"]
    directed: bool = False
    train_on: Literal["official", "rest"] = "official"
    normalisation: Normalisation | None = None
    source: Source | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Stores of official splits stay what was asked for, and so do those of clips that the split scales."""
        usual = (("train_on", "official"), ("normalisation", None))
        return {name: value for name, value in serialise(self).items() if (name, value) not in usual}

    @model_validator(mode="after")
    def _consistent(self) -> DatasetSpec:
        if self.subset is not None and len(set(self.subset)) != self.classes:
            raise ValueError(f"subset names {len(set(self.subset))} classes, but classes says {self.classes}")
        if unknown := set(self.expected) - set(self.splits):
            raise ValueError(f"expected names split {min(unknown)}, which is not among splits")
        if self.train_on == "rest" and self.layout != "hmdb":
            raise ValueError(f"layout {self.layout} marks no clips as unused; leave out train_on: rest")
        if self.normalisation is not None and min(self.normalisation.std) <= 0:
            raise ValueError("normalisation has a std that is not above 0")
        if self.layout in OWN and self.source is None:
            raise ValueError(f"layout {self.layout} needs source, with the folder of the videos")
        if self.layout in OWN and self.source and self.source.split == "given" and self.splits != (1,):
            raise ValueError("a split that is given is split 1, and there is no other")
        return self

    @property
    def at_hand(self) -> bool:
        """Whether its videos are found without being told where: it is rendered here, or says so itself."""
        return self.layout == "rendered" or (self.source is not None and self.source.folder() is not None)


def dataset_names(home: Path | None = None) -> list[str]:
    """The names of all declared data sets, sorted: ours, those of installed packages, and those of a home.

    Args:
        home: where ``vdbench datasets new`` has written some; none of these when left out.
    """
    return sorted({*_shipped(), *_installed(), *(path.stem for path in _in_home(home))})


def load_dataset(name: str, home: Path | None = None) -> DatasetSpec:
    """Read the declaration of a data set.

    Args:
        name: a declared name, or a path that ends in ``.yaml``.
        home: where others were declared by ``vdbench datasets new``.

    Raises:
        UsageError: no data set has that name.
        DataError: the YAML file is missing or malformed.
        DependencyError: the package that offers it cannot be imported.
    """
    if is_file(name):
        return _parse(Path(name).expanduser(), name)
    if name in _shipped():
        return _parse(_folder() / f"{name}.yaml", f"{name}.yaml")
    found: Traversable | None = None
    if name in (installed := _installed()):
        found = _resource(installed[name])
    found = found or next((path for path in _in_home(home) if path.stem == name), None)
    if found is None:
        raise UsageError(f"there is no data set '{name}'; {nearest(name, dataset_names(home))}")
    spec = _parse(found, str(found))
    if spec.name != name:
        raise DataError(f"{found} declares '{spec.name}'; call the file and the data set by one name")
    return spec


def is_file(name: str) -> bool:
    """Whether a data set is named by its file."""
    return name.endswith((".yaml", ".yml"))


def declaration(home: Path, name: str) -> Path:
    """Where a data set of a home is declared."""
    return home / "datasets" / f"{name}.yaml"


def as_declared_now(spec: DatasetSpec, home: Path | None = None) -> DatasetSpec:
    """The declaration of a data set as it is now, where a store was prepared under an earlier one.

    One that says itself where its clips are is prepared whenever it is opened, under its declaration of then.
    """
    known = spec.source is None and spec.name in dataset_names(home)
    return load_dataset(spec.name, home) if known else spec


def _shipped() -> list[str]:
    return [item.name.removesuffix(".yaml") for item in _folder().iterdir() if item.name.endswith(".yaml")]


def _folder() -> Traversable:
    return resources.files("vdbench_benchmarks") / "datasets"


def _installed() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _in_home(home: Path | None) -> list[Path]:
    return [] if home is None else sorted(declaration(home, "x").parent.glob("*.yaml"))


def _resource(point: EntryPoint) -> Traversable:
    try:
        return resources.files(point.value) / f"{point.name}.yaml"
    except Exception as error:  # whatever a stranger's package raises
        raise DependencyError(f"data set '{point.name}' cannot be imported from {point.value}: {error}") from error


def _parse(file: Traversable, shown: str) -> DatasetSpec:
    try:
        spec = DatasetSpec.model_validate(plain_yaml.read_file(file, shown))
    except FileNotFoundError:
        raise DataError(f"there is no data set file {shown}; check the path") from None
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{shown} is no YAML that can be read: {reason}; correct the file") from error
    except UsageError as error:
        raise DataError(str(error)) from error
    except ValidationError as error:
        raise DataError(f"{shown} declares no data set: {faults_in(error)}; correct the file") from error
    if spec.source is None or not isinstance(file, Path):
        return spec
    if spec.name in _shipped():
        raise DataError(f"{shown} is called as the published {spec.name} is; give it another name")
    try:
        return spec.model_copy(update={"source": spec.source.beside(file)})
    except RuntimeError as error:  # ~ with a name that nobody has here
        raise DataError(f"{shown} has a path in source that leads nowhere ({error}); correct the file") from error
