"""Numbers from the literature, as tables of their own, each number with its source: never among measured ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from vdbench.errors import DataError
from vdbench.records import Record
from vdbench.storage.validation import faults_in

FILE = "published.yaml"
DATASETS = MappingProxyType({
    suite: MappingProxyType({name: name + ending for name in ("miniucf", "hmdb51")})
    for suite, ending in (("as-published", "-as-published"), ("vdsd", ""))
})  # fmt: skip
"""By suite that published numbers may stand beside, what it calls the data sets of these numbers.

``as-published`` evaluates as the public code does and can meet them; ``vdsd`` has the published settings, and an
evaluation of its own.
"""

Name = Annotated[str, Field(min_length=1)]


class Source(Record):
    """Where numbers come from, and how they were measured.

    Attributes:
        source: where they were published.
        arxiv: number of that paper; None where it is none.
        read: what they were read from.
        second_hand: whether they were not read in the source's own text.
        protocol: how they were measured, as far as that is known.
        note: what else a reader should know; empty for nothing.
    """

    source: Name
    arxiv: Annotated[str, Field(pattern=r"^\d{4}\.\d{4,5}$")] | None = None
    read: Literal["paper-table", "public note", "third-party log", "public issue thread"]
    second_hand: bool = False
    protocol: Name
    note: str = ""


class Published(Source):
    """One number that somebody published.

    Attributes:
        method: name of the method, as ``vdbench methods list`` has it where it is one of ours.
        title: what the source calls it.
        dataset: name of the data set.
        ipc: instances per class; None for the full train split.
        student: name of the network that was trained and tested.
        metric: which score.
        value: in percent.
        spread: standard deviation in points, over networks; None where the source gives none.
        networks: how many were trained; None where the source does not say.
        approximate: whether the source gives the value only roughly.
    """

    method: Name
    title: Name
    dataset: Name
    ipc: Annotated[int, Field(ge=1)] | None
    student: Name
    metric: Literal["top1"]
    value: Annotated[float, Field(ge=0, le=100)]
    spread: Annotated[float, Field(ge=0, le=100)] | None = None
    networks: Annotated[int, Field(ge=1)] | None = None
    approximate: bool = False

    @property
    def origin(self) -> Source:
        """Its source alone."""
        return Source(**{name: getattr(self, name) for name in Source.model_fields})


@dataclass(frozen=True)
class Table:
    """Published numbers of one data set and student.

    Attributes:
        dataset: its name.
        student: the network that was trained and tested.
        columns: IPCs, ascending; None, last, for the full train split.
        rows: title of a method, and a number or None for each column.
    """

    dataset: str
    student: str
    columns: tuple[int | None, ...]
    rows: tuple[tuple[str, tuple[Published | None, ...]], ...]


@cache
def published() -> tuple[Published, ...]:
    """Every published number there is, in the order of the file.

    Raises:
        DataError: the file is malformed, or holds two numbers for one place of one source.
    """
    return parse((resources.files("vdbench_benchmarks") / FILE).read_text(encoding="utf-8"))


def parse(text: str) -> tuple[Published, ...]:
    """The numbers under the key ``published`` of a YAML text.

    Raises:
        DataError: the text is malformed, or holds two numbers for one place of one source.
    """
    try:
        found = TypeAdapter(tuple[Published, ...]).validate_python(yaml.safe_load(text)["published"])
    except (ValidationError, yaml.YAMLError, KeyError, TypeError) as error:
        raise DataError(f"{FILE} is malformed: {faults_in(error)}; correct the file") from error
    places = Counter((number.dataset, number.ipc, number.student, number.method, number.source) for number in found)
    if twice := [place for place, count in places.items() if count > 1]:
        raise DataError(f"{FILE} has two numbers for {', '.join(map(str, twice[0]))}; keep one")
    return found


def comparable(suite: str, dataset: str) -> bool:
    """Whether there are published numbers beside which results of a suite on a data set may stand; on all of it."""
    return dataset in DATASETS.get(suite, {}).values()


def sources(numbers: Sequence[Published]) -> list[Source]:
    """The sources that numbers name, in the order in which they come up."""
    return list(dict.fromkeys(number.origin for number in numbers))


def tables(numbers: Sequence[Published]) -> list[Table]:
    """Numbers by data set and student, in the order of their file."""
    places: dict[tuple[str, str], list[Published]] = {}
    for number in numbers:
        places.setdefault((number.dataset, number.student), []).append(number)
    return [_table(dataset, student, members) for (dataset, student), members in places.items()]


def _table(dataset: str, student: str, numbers: Sequence[Published]) -> Table:
    columns = tuple(sorted({n.ipc for n in numbers}, key=lambda ipc: (ipc is None, ipc or 0)))
    titles = dict.fromkeys((number.title, number.source) for number in numbers)
    named = {(n.title, n.source, n.ipc): n for n in numbers}
    rows = tuple((title, tuple(named.get((title, source, ipc)) for ipc in columns)) for title, source in titles)
    return Table(dataset, student, columns, rows)
