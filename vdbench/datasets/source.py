"""Where the clips of somebody's own data set are, and how they are split."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from vdbench.records import Count, Record


class SplitRule(Record):
    """How clips that nobody has split become train and test: by group, about as many of each class.

    Attributes:
        test: share of each class's clips to test on.
        seed: decides which groups these are; split 2 takes the next seed, and so on.
    """

    test: Annotated[float, Field(gt=0, lt=1)] = 0.25
    seed: Count = 0


class Source(Record):
    """Where the clips of a data set are that does not come from a publisher, and how they are split.

    Attributes:
        videos: their folder; the data root where left out.
        table: the CSV file that lists them, where one does.
        columns: the table's names of columns, where these are not ``path``, ``label``, ``split``, ``group``, ``start``
            and ``end``.
        class_level: which folder on the way to a video is its class: 1 for the first one, -1 for the one it lies in.
        group: a regular expression that finds, in a file's name without its ending, what it shares with the others of
            its group, in its first parenthesis if it has one; each file is a group of its own where left out. A column
            ``group`` comes first.
        split: the rule that makes train and test, or ``given``, by a column or by folders.
        clips: how many there were when the file was written.
        content: hash of these clips, by which others of the same name are told apart; not compared where left out.
    """

    videos: str | None = None
    table: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    class_level: int = 1
    group: str | None = None
    split: SplitRule | Literal["given"] = "given"
    clips: int | None = None
    content: str | None = None

    @field_validator("group")
    @classmethod
    def _expression(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"'{value}' is no regular expression ({error})") from None
        return value

    @field_validator("class_level")
    @classmethod
    def _level(cls, value: int) -> int:
        if value == 0:
            raise ValueError("1 is the first folder, -1 the one that the video lies in")
        return value

    def beside(self, file: Path) -> Source:
        """The same with absolute paths, where relative ones count from the file that declares them."""
        placed: dict[str, Any] = {
            name: str(file.absolute().parent / Path(value).expanduser())
            for name, value in (("videos", self.videos), ("table", self.table))
            if value is not None
        }
        return self.model_copy(update=placed)

    def folder(self) -> Path | None:
        """What paths of videos count from; None where the data root is meant."""
        if self.videos is not None:
            return Path(self.videos)
        return None if self.table is None else Path(self.table).parent
