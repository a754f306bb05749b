"""The clips that official split files name, and where their videos are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from vdbench.errors import DataError
from vdbench.storage.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from vdbench.datasets.spec import DatasetSpec

Role = Literal["train", "test"]
Segment = tuple[float, float | None]
"""From when to when a clip is shown in its video, in seconds; None for its end."""


@dataclass(frozen=True)
class Entry:
    """One clip that a split file names.

    Attributes:
        id: its name within the data set, the same on every machine; printable, whatever its file's name holds.
        path: its video, or None where it is missing.
        class_name: its class.
        group: the source it was cut from; clips of one group look alike.
        roles: for each split that uses it, what for.
        segment: the part of its video that it is; None for all of it.
    """

    id: str
    path: Path | None
    class_name: str
    group: str
    roles: Mapping[int, Role]
    segment: Segment | None = None


@dataclass(frozen=True)
class Index:
    """All clips of a data set.

    Attributes:
        classes: the class names in official order.
        entries: the clips that some split uses, sorted by id.
        unlisted: ids of videos that are there but that no split uses.
        near_misses: by class, the name of a folder that is called nearly so, in another case for instance.
        content: hash of the clips, where the data set has no publisher who would tell them from others.
        top: the folder below which ids are paths, where whoever listed the clips does not know it by another name.
    """

    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    unlisted: tuple[str, ...] = ()
    near_misses: Mapping[str, str] = field(default_factory=dict)
    content: str | None = None
    top: Path | None = None

    def named(self, split: int, role: Role) -> int:
        """How many clips a split names for a role, present or not."""
        return sum(entry.roles.get(split) == role for entry in self.entries)

    @property
    def missing(self) -> tuple[Entry, ...]:
        """The clips whose videos are not there."""
        return tuple(entry for entry in self.entries if entry.path is None)


class IndexBuilder:
    """Gathers an index from split files, line by line.

    Args:
        spec: the data set; classes outside its subset are left out.
        videos: the videos that are there, by id.
    """

    def __init__(self, spec: DatasetSpec, videos: Mapping[str, Path]) -> None:
        self._spec = spec
        self._videos = videos
        self._named: set[str] = set()
        self._known: dict[str, tuple[str, str]] = {}
        self._roles: dict[str, dict[int, Role]] = {}

    def add(self, clip: str, class_name: str, group: str, split: int, role: Role | None, where: str) -> None:
        """Take one line of a split file.

        Args:
            clip: the clip's id.
            class_name: its class.
            group: its source.
            split: the split that the line belongs to.
            role: what the split uses it for; None for not at all.
            where: file and line, for the error.

        Raises:
            DataError: an earlier line of the same split says something else about the clip.
        """
        self._named.add(clip)
        if self._spec.subset is not None and class_name not in self._spec.subset:
            return
        roles = self._roles.setdefault(clip, {})
        if self._known.setdefault(clip, (class_name, group)) != (class_name, group) or (
            role and roles.get(split, role) != role
        ):
            raise DataError(f"{where} contradicts an earlier line about {clip}; restore the official split files")
        if role:
            roles[split] = role

    def build(
        self, classes: Iterable[str], found: Iterable[str] = (), near_misses: Mapping[str, str] | None = None
    ) -> Index:
        """The finished index.

        Args:
            classes: all classes of the layout, in official order.
            found: ids of videos that are there; those that no line names are unlisted.
            near_misses: folders that are called nearly as a class is, by class.
        """
        entries = tuple(
            Entry(harmless(clip), self._videos.get(clip), *self._known[clip], roles)
            for clip, roles in sorted(self._roles.items())
            if roles
        )
        unused = {clip for clip, roles in self._roles.items() if not roles and clip in self._videos}
        unlisted = unused.union(clip for clip in found if clip not in self._named)
        subset = self._spec.subset
        return Index(
            tuple(name for name in classes if subset is None or name in subset),
            entries,
            tuple(sorted(map(harmless, unlisted))),
            near_misses or {},
        )
