"""The distilled set: what a method returns, how it is stored, and what it costs in bytes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import torch
from pydantic import Field, PositiveInt, ValidationError, model_validator
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from vdbench.clips.clipset import Normalisation, fits, sent
from vdbench.clips.codecs import parse_codec
from vdbench.distilled.parameterisations import PARAMETERISATIONS, Parameterisation, Tensors, View
from vdbench.errors import DataError, UsageError
from vdbench.records import DATASET_NAME, ClassNames, Positive, Provenance, Record, Seed
from vdbench.storage import documents, files
from vdbench.storage.drafts import draft_of
from vdbench.storage.text import counted, harmless
from vdbench.storage.validation import faults_in

TENSORS = "tensors.safetensors"
RECORD = "distilled.json"


class DistilledRecord(Record):
    """All that is known of a distilled set beside its tensors: ``distilled.json``.

    Attributes:
        schema_version: of this record.
        dataset: the data set's name.
        train_fingerprint: of the train split that the method was given.
        classes: the class names that labels point into.
        ipc: instances per class asked for; None for a method without a budget.
        labels: whether targets are class numbers or distributions.
        normalisation: how stored pixels become network input.
        method: the method's name.
        method_version: the method's version.
        settings: the method's identity settings, resolved.
        seed: the trial's seed.
        provenance: origin of the clips.
        step_size: learning rate that the method learned for its clips, which students are then trained with; None
            where it learned none.
        form: how its clips are stored, one of :data:`vdbench.distilled.parameterisations.PARAMETERISATIONS`.
        codec: what :meth:`DistilledSet.stored_as` stored its clips as; None as the method stored them.
        clip_shape: ``(T, H, W)`` of the clips in a video; None where the tensors tell.
    """

    schema_version: Literal[1] = 1
    dataset: str = Field(pattern=DATASET_NAME)
    train_fingerprint: str
    classes: ClassNames
    ipc: Positive | None
    labels: Literal["hard", "soft"]
    normalisation: Normalisation
    method: str
    method_version: int
    settings: dict[str, Any]
    seed: Seed
    provenance: Provenance
    step_size: float | None = Field(default=None, gt=0)
    form: Literal["clips", "key-frames", "static-dynamic", "static-dynamic-fixed", "static-dynamic-slots", "video"] = (
        "clips"
    )
    codec: str | None = None
    clip_shape: tuple[PositiveInt, PositiveInt, PositiveInt] | None = None

    @model_validator(mode="after")
    def _says_what_a_video_is(self) -> Self:
        try:
            video = self.codec is not None and parse_codec(self.codec).video is not None
        except UsageError as error:
            raise ValueError(str(error)) from error
        if not (self.form == "video") == video == (self.clip_shape is not None):
            raise ValueError("the form video, a video codec and a clip_shape go together")
        return self


@dataclass(frozen=True, eq=False, repr=False)
class DistilledSet:
    """A few clips per class and what a student needs to learn from them.

    Attributes:
        tensors: the parts that the record's form names, and ``targets``, int64 ``(N,)`` class numbers or float32
            ``(N, classes)`` distributions.
        record: everything else.
        draw: which epoch's clips are rendered, for a form that shows others in every epoch.
    """

    tensors: Mapping[str, torch.Tensor]
    record: DistilledRecord
    draw: int | None = None

    def __post_init__(self) -> None:
        if set(self.tensors) != {*self.parameterisation.parts, "targets"}:
            raise ValueError(
                f"a set of the form {self.record.form} consists of {', '.join(self.parameterisation.parts)}, targets"
            )
        targets, count = self.tensors["targets"], len(self.classes)
        hard = self.record.labels == "hard"
        if targets.ndim != (1 if hard else 2):
            raise ValueError(f"{self.record.labels} targets {tuple(targets.shape)} do not fit {len(targets)} clips")
        if targets.dtype != (wanted := torch.int64 if hard else torch.float32):
            raise ValueError(f"{self.record.labels} targets cannot be {targets.dtype}; make them {wanted}")
        read = targets.device.type == "cpu"  # on another device they were checked before they went there
        if hard and read and len(targets) and not 0 <= int(targets.min()) <= int(targets.max()) < count:
            raise ValueError(f"hard targets must lie in 0..{count - 1}")
        if not hard and targets.shape[1] != count:
            raise ValueError(f"soft targets {tuple(targets.shape)} do not fit {count} classes")
        self.parameterisation.check(self.tensors, count)

    def __len__(self) -> int:
        return len(self.tensors["targets"])

    def __repr__(self) -> str:
        return f"DistilledSet of {self._facts}"

    def _repr_html_(self) -> str:
        """For a notebook: what it holds, and some of its clips."""
        from vdbench.clips.pictures import inline_sheet

        names = [self.classes[label] for label in self.labels()]
        return inline_sheet(self.pixels().numpy(), names, self._facts)

    @property
    def _facts(self) -> str:
        record = self.record
        budget = "all clips" if record.ipc is None else f"IPC {record.ipc}"
        kept = f"{counted(len(self), 'clip')} in {self.stored_bytes} bytes"
        return f"{kept}, by {harmless(record.method)} from {record.dataset}, {budget}, seed {record.seed}"

    @property
    def parameterisation(self) -> Parameterisation:
        """How its tensors become clips."""
        return PARAMETERISATIONS[self.record.form]

    @cached_property
    def opened(self) -> Tensors:
        """The tensors as their form renders them; a video is decoded once and kept."""
        return self.parameterisation.opened(self.tensors, self.record.codec, self.record.clip_shape)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names that targets point into."""
        return self.record.classes

    @property
    def normalisation(self) -> Normalisation:
        """The mean and std that :meth:`render` scales pixels by."""
        return self.record.normalisation

    @property
    def stored_bytes(self) -> int:
        """Bytes of everything that :meth:`render` needs: its parts as stored, and labels if they are soft."""
        counted = [*self.parameterisation.parts, *(["targets"] if self.record.labels == "soft" else [])]
        return sum(self.tensors[name].numel() * self.tensors[name].element_size() for name in counted)

    def render(
        self, rows: torch.Tensor | None = None, device: torch.device | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The training tensors.

        Args:
            rows: int64 ``(n,)``, which clips; all of them when left out.
            device: where they go; where the set lies when left out.

        Returns:
            Clips, float32 ``(n, 3, T, H, W)``, normalised, and their targets.

        Raises:
            DataError: the clips are a video that cannot be decoded.
        """
        targets = self.tensors["targets"]
        here = None if rows is None else rows.to(targets.device)
        view = View(here, self.normalisation, len(self.classes), self.draw, device)
        clips = self.parameterisation.render(self.opened, view)
        return clips, sent(targets if here is None else targets[here], device)

    def on(self, device: torch.device) -> DistilledSet:
        """The set in the memory of a device, where it fits; else itself."""
        parts = dict(self.opened)
        size = sum(part.numel() * part.element_size() for part in parts.values())
        if all(part.device.type == device.type for part in parts.values()) or not fits(size, device):
            return self
        record = self.record
        if record.form == "video":
            record = record.model_copy(update={"form": "clips", "codec": None, "clip_shape": None})
        return replace(self, tensors={name: sent(part, device) for name, part in parts.items()}, record=record)

    def of_epoch(self, seed: int, device: torch.device) -> DistilledSet:
        """The set as one epoch of training shows it: itself, or with clips drawn anew, on the device.

        Args:
            seed: of that epoch's draw.
            device: where clips are composed.
        """
        if not self.parameterisation.redrawn:
            return self
        return replace(self, tensors={name: part.to(device) for name, part in self.tensors.items()}, draw=seed)

    def with_hard_labels(self) -> DistilledSet:
        """The same clips, each labelled with its most likely class alone."""
        if self.record.labels == "hard":
            return self
        record = self.record.model_copy(update={"labels": "hard"})
        return replace(self, tensors={**self.tensors, "targets": self.labels()}, record=record)

    def pixels(self) -> torch.Tensor:
        """The clips as pictures, uint8 ``(N, T, H, W, 3)``, whatever they are stored as."""
        if self.opened.get("clips", torch.empty(0)).dtype == torch.uint8:
            return self.opened["clips"]
        mean = torch.tensor(self.record.normalisation.mean).view(1, 3, 1, 1, 1)
        std = torch.tensor(self.record.normalisation.std).view(1, 3, 1, 1, 1)
        scaled = (self.render()[0] * std).add_(mean).mul_(255).round_().clamp_(0, 255)
        return scaled.to(torch.uint8).permute(0, 2, 3, 4, 1).contiguous()

    def labels(self) -> torch.Tensor:
        """The most likely class of each clip, int64 ``(N,)``."""
        targets = self.tensors["targets"]
        return targets if targets.ndim == 1 else targets.argmax(dim=1)

    def save(self, folder: Path) -> None:
        """Write ``tensors.safetensors`` and ``distilled.json``; the folder appears whole or not at all."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = draft_of(folder)
        draft.mkdir()
        try:
            save_file({k: v.contiguous() for k, v in sorted(self.tensors.items())}, draft / TENSORS)
            (draft / TENSORS).chmod(0o644)  # safetensors leaves it to its owner alone
            record = self.record.model_dump(mode="json")
            files.write_json(draft / RECORD, record | {"tensors_sha256": files.file_sha256(draft / TENSORS)})
            shutil.rmtree(folder, ignore_errors=True)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    @classmethod
    def load(cls, folder: Path) -> DistilledSet:
        """Read an artefact; nothing in it is executed.

        Raises:
            DataError: it is missing, malformed, or its tensors are not those that the record names.
            LaterError: a later version wrote it.
        """
        try:
            record = documents.parse(documents.content_of(folder / RECORD))
            documents.refuse_later(record, folder / RECORD, DistilledRecord.model_fields["schema_version"].default)
            sha256 = record.pop("tensors_sha256")
            if files.file_sha256(folder / TENSORS) != sha256:
                raise DataError(f"{folder / TENSORS} is not what {RECORD} beside it names: its SHA-256 differs")
            return cls(load_file(folder / TENSORS), DistilledRecord.model_validate(record))
        except FileNotFoundError as error:
            raise DataError(f"{folder} is no distilled set: {Path(error.filename).name} is missing") from error
        except ValidationError as error:
            raise DataError(f"{folder} is no distilled set that can be read: {faults_in(error, RECORD)}") from error
        except (ValueError, LookupError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
            raise DataError(f"{folder} is no distilled set that can be read: {error!r}") from error
