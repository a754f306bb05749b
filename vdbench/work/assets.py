"""Work that trials share: features, trained encoders, experts, pools. Built once, found again by what it is.

A spec is a frozen pydantic model. Its fields are its identity, and it names its own builder and the assets that this
builder asks for, so that nothing here knows what is built.
"""

from __future__ import annotations

import json
import math
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from vdbench.extensions.kinds import code_of
from vdbench.storage import documents, files
from vdbench.work.checkpoints import Checkpoint
from vdbench.work.measure import CODE
from vdbench.work.reports import Report, silent

if TYPE_CHECKING:
    from typing import Self

    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.work.workload import Work

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

RECORD = "asset.json"
"""In the folder of an asset: its spec, its precision where no field has it, how long it took, and by which code."""
SCHEMA = 1
"""Of that record, which does not name it; a later one would."""


class AssetSpec(BaseModel, Generic[T_co]):
    """What an asset is: every field of a subclass decides the content, and so its address.

    Attributes:
        kind: the folder that assets of this sort are kept in.
        version: raise it when the builder changes what it makes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    version: ClassVar[int] = 1

    def identity(self) -> dict[str, Any]:
        """What decides the content: the class, its version, and its fields, those of nested specs included."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        plain = self.model_dump(mode="json")
        nested = {name: value.identity() for name, value in fields.items() if isinstance(value, AssetSpec)}
        code = code_of(type(self))  # of a plugin file, for which no version stands
        made_by = {"class": type(self).__qualname__, "version": self.version} | ({"code": code} if code else {})
        return {**made_by, "fields": plain | nested}

    def in_bf16(self, device: str) -> bool:
        """Whether a kind of device computes it, or what it is made from, in bfloat16 where no field says so."""
        values = [getattr(self, name) for name in type(self).model_fields]
        nested = [one for value in values for one in (value if isinstance(value, tuple) else (value,))]
        return any(one.in_bf16(device) for one in [*nested, *self.parts()] if isinstance(one, AssetSpec))

    def identity_on(self, device: str) -> dict[str, Any]:
        """:meth:`identity`, with the precision that a kind of device computes in, where that is not float32."""
        return self.identity() | ({"precision": "bf16"} if self.in_bf16(device) else {})

    def parts(self) -> Sequence[AssetSpec[Any]]:
        """Assets that building this one asks for. A scheduler builds them before it, and beside each other."""
        return ()

    def drawn(self, draw: int) -> Self:
        """The same asset with every trained network in it drawn anew: other initial weights, other batches.

        Networks of consecutive seeds stand in a tuple; those of another draw are as many further ones.

        Args:
            draw: which draw; 0 is the asset itself.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        nested = {name: _drawn(value, draw) for name, value in fields.items() if isinstance(value, AssetSpec | tuple)}
        return self.model_copy(update=nested) if draw and nested else self

    def work(self, assets: Assets) -> Sequence[Work] | None:
        """What building it takes beside its parts, of which none need exist; None where that cannot be said before."""
        return None

    @abstractmethod
    def build(self, assets: Assets, folder: Path) -> None:
        """Fill an empty folder with the asset, from ``assets.train`` and other assets."""

    @abstractmethod
    def load(self, folder: Path) -> T_co:
        """Read a finished asset."""


def _drawn(value: Any, draw: int) -> Any:
    if isinstance(value, tuple):
        return tuple(_drawn(one, draw * len(value)) for one in value)
    return value.drawn(draw) if isinstance(value, AssetSpec) else value


class Assets:
    """The shared assets over one train split.

    Args:
        root: where assets are kept, shared by all trials of a home.
        train: the train split; its fingerprint is part of every address.
        device: where builders compute.
        report: hears of progress while something is built.
        due: whether a long build should keep its state now, in its :meth:`checkpoint`.
    """

    def __init__(
        self,
        root: Path,
        train: ClipSet,
        device: torch.device,
        report: Report = silent,
        due: Callable[[], bool] | None = None,
    ) -> None:
        self.root = root
        self.train = train
        self.device = device
        self.report = report
        self.due: Callable[[], bool] = due or (lambda: True)
        self._inner = 0.0

    def folder(self, spec: AssetSpec[Any]) -> Path:
        """Where an asset is, or will be."""
        what = {"train": self.train.fingerprint, "spec": spec.identity_on(self.device.type)}
        return self.root / spec.kind / files.digest(what)

    def get(self, spec: AssetSpec[T]) -> T:
        """Load an asset, building it first if nobody has, and again if it was damaged since."""
        checkpoint = self.checkpoint(spec)

        def build(draft: Path) -> None:
            before, self._inner = self._inner, 0.0
            started = time.perf_counter()
            try:
                checkpoint.resumed(lambda: spec.build(self, draft))
            finally:
                whole = time.perf_counter() - started
                own, self._inner = whole - self._inner, before + whole
            made = {"spec": spec.model_dump(mode="json"), "train": self.train.fingerprint, "seconds": own, "code": CODE}
            made |= {"precision": "bf16"} if spec.in_bf16(self.device.type) else {}
            files.write_json(draft / RECORD, made)

        def load(folder: Path) -> T:
            _seconds(folder)
            return spec.load(folder)

        found = files.made_once(self.folder(spec), build, load)
        checkpoint.forget()
        return found

    def checkpoint(self, spec: AssetSpec[Any]) -> Checkpoint:
        """Where the state of an unfinished build is kept."""
        folder = self.folder(spec)
        return Checkpoint(folder.with_name(f".{folder.name}.state"))

    def missing(self, specs: Sequence[AssetSpec[Any]]) -> list[tuple[int, AssetSpec[Any]]]:
        """What has to be built of some assets and of their parts, each once.

        Returns:
            Specs with the wave that they belong to: those of one wave need only what earlier waves build.
        """
        waves: dict[Path, tuple[int, AssetSpec[Any]]] = {}

        def visit(spec: AssetSpec[Any]) -> int:
            folder = self.folder(spec)
            if files.whole(folder):
                return -1
            if folder not in waves:
                waves[folder] = (1 + max((visit(part) for part in spec.parts()), default=-1), spec)
            return waves[folder][0]

        for spec in specs:
            visit(spec)
        return sorted(waves.values(), key=lambda item: item[0])

    def seconds(self, specs: Sequence[AssetSpec[Any]]) -> float:
        """How long it took to build assets that exist, with all their parts, each counted once."""
        return math.fsum(float(record["seconds"]) for record in self._records_of(specs))

    def code(self, specs: Sequence[AssetSpec[Any]]) -> int | None:
        """The :data:`~vdbench.work.measure.CODE` that assets and their parts were timed with; None for several."""
        codes = {record.get("code") for record in self._records_of(specs)} or {CODE}
        return codes.pop() if len(codes) == 1 else None

    def _records_of(self, specs: Sequence[AssetSpec[Any]]) -> list[dict[str, Any]]:
        """The records of assets and of all their parts, each once."""
        found: dict[Path, dict[str, Any]] = {}

        def visit(spec: AssetSpec[Any]) -> None:
            folder = self.folder(spec)
            if folder not in found:
                found[folder] = self._record_of(spec)
                for part in spec.parts():
                    visit(part)

        for spec in specs:
            visit(spec)
        return list(found.values())

    def _record_of(self, spec: AssetSpec[Any]) -> dict[str, Any]:
        """The record of an asset, built again where that is lost: nobody may have opened a part since it was used."""
        try:
            return _record(self.folder(spec))
        except (OSError, ValueError):
            self.get(spec)
            return _record(self.folder(spec))


def _record(folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(documents.content_of(folder / RECORD))
    documents.refuse_later(record, folder / RECORD, SCHEMA)
    return record


def _seconds(folder: Path) -> float:
    """How long it took to build the asset in a folder, without its parts."""
    return float(_record(folder)["seconds"])
