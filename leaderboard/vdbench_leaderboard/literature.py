"""Published numbers as tables of their own: never beside a measured one, and each with its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vdbench_leaderboard.published import Published

SUITE = "vdsd"
"""The only suite whose results published numbers may be compared with."""


@dataclass(frozen=True)
class Source:
    """Where numbers come from, and how they were measured.

    Attributes:
        source: where they were published.
        arxiv: number of that paper, or None.
        read: what they were read from.
        second_hand: whether they were not read in the source's own text.
        protocol: how they were measured.
        note: what else a reader should know.
    """

    source: str
    arxiv: str | None
    read: str
    second_hand: bool
    protocol: str
    note: str

    @classmethod
    def of(cls, number: Published) -> Source:
        """The source of a number."""
        return cls(number.source, number.arxiv, number.read, number.second_hand, number.protocol, number.note)


@dataclass(frozen=True)
class Table:
    """Published numbers of one data set and student.

    Attributes:
        dataset: its name.
        student: the network that judged.
        columns: IPCs, ascending; None, last, for the full train split.
        rows: title of a method, and a number or None for each column.
    """

    dataset: str
    student: str
    columns: tuple[int | None, ...]
    rows: tuple[tuple[str, tuple[Published | None, ...]], ...]


@dataclass(frozen=True)
class Literature:
    """All published numbers.

    Attributes:
        tables: one per data set and student.
        sources: that the numbers name, in the order in which they come up.
    """

    tables: tuple[Table, ...]
    sources: tuple[Source, ...]

    def number(self, published: Published) -> int:
        """Of a number's source, from 1."""
        return self.sources.index(Source.of(published)) + 1


def literature(numbers: Sequence[Published]) -> Literature:
    """Sort numbers into tables, in the order of their file."""
    places = dict.fromkeys((number.dataset, number.student) for number in numbers)
    tables = tuple(
        _table(dataset, student, [n for n in numbers if (n.dataset, n.student) == (dataset, student)])
        for dataset, student in places
    )
    return Literature(tables, tuple(dict.fromkeys(Source.of(number) for number in numbers)))


def _table(dataset: str, student: str, numbers: Sequence[Published]) -> Table:
    columns = tuple(sorted({n.ipc for n in numbers}, key=lambda ipc: (ipc is None, ipc or 0)))
    titles = dict.fromkeys((number.title, number.source) for number in numbers)
    named = {(n.title, n.source, n.ipc): n for n in numbers}
    rows = tuple((title, tuple(named.get((title, source, ipc)) for ipc in columns)) for title, source in titles)
    return Table(dataset, student, columns, rows)
