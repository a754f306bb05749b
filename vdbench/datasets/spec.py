"""What data sets exist: each is declared in one YAML file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from vdbench.datasets.geometry import Geometry
from vdbench.errors import DataError, UsageError, nearest
from vdbench.records import Record
from vdbench.storage.validation import faults_in

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


class SplitSize(Record):
    """Clips that an official split has.

    Attributes:
        train: clips to train on.
        test: clips to test on.
    """

    train: Annotated[int, Field(ge=1)]
    test: Annotated[int, Field(ge=1)]


class DatasetSpec(Record):
    """One data set.

    Attributes:
        name: what users type.
        title: its full name.
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
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    homepage: str
    licence: str
    citation: str
    layout: Literal["ucf", "hmdb", "kinetics", "ssv2", "rendered"]
    classes: Annotated[int, Field(ge=2)]
    subset: tuple[str, ...] | None = None
    splits: Annotated[tuple[int, ...], Field(min_length=1)] = (1,)
    expected: dict[int, SplitSize] = Field(default_factory=dict)
    folders: tuple[str, ...] = ()
    geometry: Geometry
    metric: Literal["top1", "top5"]
    directed: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> DatasetSpec:
        if self.subset is not None and len(set(self.subset)) != self.classes:
            raise ValueError(f"subset names {len(set(self.subset))} classes, but classes says {self.classes}")
        if unknown := set(self.expected) - set(self.splits):
            raise ValueError(f"expected names split {min(unknown)}, which is not among splits")
        return self


def dataset_names() -> list[str]:
    """The names of all declared data sets, sorted."""
    return sorted(item.name.removesuffix(".yaml") for item in _declared().iterdir() if item.name.endswith(".yaml"))


def load_dataset(name: str) -> DatasetSpec:
    """Read the declaration of a data set.

    Args:
        name: a declared name, or a path that ends in ``.yaml``.

    Raises:
        UsageError: no data set has that name.
        DataError: the YAML file is missing or malformed.
    """
    if name.endswith(".yaml"):
        return _parse(Path(name), name)
    if name not in (known := dataset_names()):
        raise UsageError(f"there is no data set '{name}'; {nearest(name, known)}")
    return _parse(_declared() / f"{name}.yaml", f"{name}.yaml")


def as_declared_now(spec: DatasetSpec) -> DatasetSpec:
    """The declaration of a data set as it is now, where a store was prepared under an earlier one."""
    return load_dataset(spec.name) if spec.name in dataset_names() else spec


def _declared() -> Traversable:
    return resources.files("vdbench_benchmarks") / "datasets"


def _parse(file: Traversable, shown: str) -> DatasetSpec:
    try:
        return DatasetSpec.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise DataError(f"there is no data set file {shown}; check the path") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{shown} is no YAML that can be read: {reason}; correct the file") from error
    except ValidationError as error:
        raise DataError(f"{shown} declares no data set: {faults_in(error)}; correct the file") from error
