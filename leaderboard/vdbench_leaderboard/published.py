"""Numbers from the literature, each with its protocol and how it was read, to stand beside results, not among them."""

from __future__ import annotations

from collections import Counter
from functools import cache
from importlib import resources
from typing import Annotated, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from vdbench.errors import DataError
from vdbench.records import Record

FILE = "published.yaml"


class Published(Record):
    """One number that somebody published.

    Attributes:
        method: name of the method, as ``vdbench methods list`` has it where it is one of ours.
        title: what the source calls it.
        dataset: name of the data set.
        ipc: instances per class; None for the full train split.
        student: name of the network that judged.
        metric: which score.
        value: in percent.
        spread: standard deviation in points, over networks; None where the source gives none.
        networks: how many were trained; None where the source does not say.
        approximate: whether the source gives the value only roughly.
        suite: the only suite whose results it may stand beside.
        source: where it was published.
        arxiv: number of that paper; None where it is none.
        read: what it was read from.
        second_hand: whether it was not read in the source's own text.
        protocol: how it was measured, as far as that is known.
        note: what else a reader should know; empty for nothing.
    """

    method: Annotated[str, Field(min_length=1)]
    title: Annotated[str, Field(min_length=1)]
    dataset: Annotated[str, Field(min_length=1)]
    ipc: Annotated[int, Field(ge=1)] | None
    student: Annotated[str, Field(min_length=1)]
    metric: Literal["top1"]
    value: Annotated[float, Field(ge=0, le=100)]
    spread: Annotated[float, Field(ge=0, le=100)] | None = None
    networks: Annotated[int, Field(ge=1)] | None = None
    approximate: bool = False
    suite: Literal["vdsd"]
    source: Annotated[str, Field(min_length=1)]
    arxiv: Annotated[str, Field(pattern=r"^\d{4}\.\d{4,5}$")] | None = None
    read: Literal["paper-table", "third-party log", "public issue thread"]
    second_hand: bool = False
    protocol: Annotated[str, Field(min_length=1)]
    note: str = ""


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
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{FILE} is malformed at {place}: {first['msg']}; correct the file") from error
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise DataError(f"{FILE} is malformed: {' '.join(str(error).split())}; correct the file") from error
    places = Counter((number.dataset, number.ipc, number.student, number.method, number.source) for number in found)
    if twice := [spot for spot, count in places.items() if count > 1]:
        raise DataError(f"{FILE} has two numbers for {', '.join(map(str, twice[0]))}; keep one")
    return found
