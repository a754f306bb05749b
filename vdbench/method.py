"""The common interface of all methods: settings, the task, and the method itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field

from vdbench.evaluation.given import Readable, Reading
from vdbench.work.checkpoints import Checkpoint, State
from vdbench.work.reports import Report, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.clips.pool import Pool
    from vdbench.distilled import DistilledSet
    from vdbench.records import Provenance
    from vdbench.work.assets import Assets, AssetSpec
    from vdbench.work.workload import Work


def identity(default: Any, description: str, *, later: bool = False, **limits: Any) -> Any:
    """Declare a setting that decides the outcome: it is part of a trial's id.

    One that came after results of its method says ``later=True``: its default, what happened before, is in no id.

    Args:
        default: its value unless set.
        description: what it is, with its unit.
        later: whether it is left out of ids at its default.
        limits: bounds that pydantic checks, such as ``gt=0``.
    """
    return Field(default, description=description, json_schema_extra={"role": "identity", "later": later}, **limits)


def runtime(default: Any, description: str, **limits: Any) -> Any:
    """Declare a setting that decides only speed or memory, as by :func:`identity`: it is not part of a trial's id."""
    return Field(default, description=description, json_schema_extra={"role": "runtime"}, **limits)


class Settings(BaseModel):
    """Base of every method's settings. Each field is declared with :func:`identity` or :func:`runtime`."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a field that does not say what it is."""
        super().__pydantic_init_subclass__(**kwargs)
        for name, info in cls.model_fields.items():
            extra = info.json_schema_extra
            if not isinstance(extra, dict) or extra.get("role") not in ("identity", "runtime") or not info.description:
                raise TypeError(f"{cls.__name__}.{name}: declare it with identity(...) or runtime(...)")

    def identity(self) -> dict[str, Any]:
        """The resolved settings that decide the outcome, as JSON values."""
        chosen: dict[str, Any] = {}
        for name, info in type(self).model_fields.items():
            extra = info.json_schema_extra
            if isinstance(extra, dict) and extra["role"] == "identity":
                value = getattr(self, name)
                if extra.get("later") and value == info.default:
                    continue
                nested = isinstance(value, Settings)
                chosen[name] = value.identity() if nested else self.model_dump(mode="json", include={name})[name]
                if isinstance(value, set | frozenset):  # their order differs from process to process
                    chosen[name].sort(key=repr)
        return chosen

    def in_bf16(self) -> bool:
        """Whether a method computes in bfloat16 on a GPU: where it has a setting ``bf16`` that says so."""
        return bool(getattr(self, "bf16", False))


class NoSettings(Settings):
    """For a method that has nothing to set."""


@dataclass(frozen=True)
class Card:
    """What a reader should know of a method.

    Attributes:
        title: one line, for tables and ``vdbench methods list``.
        paper: title and venue, or arXiv number, of its source.
        bibtex: its BibTeX entry.
        reconstruction: whether it is rebuilt from a description because no code is public.
        learns_labels: whether it may return soft labels; see :meth:`Method.learns_labels`.
    """

    title: str
    paper: str = ""
    bibtex: str = ""
    reconstruction: bool = False
    learns_labels: bool = False


class Limits(NamedTuple):
    """What is known of the numbers that a method reports.

    Attributes:
        standstill: the loss of a method that gains nothing, such as 1; None where no loss says that.
        least_step_size: that a learned step size is kept from falling below; None where it has no bound.
    """

    standstill: float | None = None
    least_step_size: float | None = None


@dataclass(frozen=True)
class Resources:
    """What one trial of a method occupies while it runs.

    Attributes:
        cpus: processor cores.
        gpus: share of one GPU, used where there is one.
    """

    cpus: float = 1.0
    gpus: float = 0.25


@dataclass(frozen=True)
class Task(Readable):
    """All that a method may know. It holds the train split, and nothing in it leads to a test clip.

    Attributes:
        dataset: the data set's name.
        train: the clips to distil.
        ipc: instances per class that may be returned; None for methods without a budget.
        seed: decides every random choice.
        draw: which of the suite's draws of the networks that trials share is this trial's. A method asks for
            ``spec.drawn(task.draw)`` wherever a trained encoder, a teacher or an expert is behind an asset.
        device: where to compute.
        assets: shared work over the same train split.
        report: ``report(step, **metrics)``, for progress and curves.
        checkpoints: folder for :meth:`checkpoint`, or None where nothing is kept.
        due: whether long work should call :meth:`checkpoint` now: some minutes after it did, and when it is asked to
            end. To be asked after each step, before the report.
        pool: generated clips to choose from instead of train clips, a shared asset; None where there is no generator.
        given: what its method :attr:`~Method.reads` of how the set will be judged, by name: ``task.student`` and what
            else :class:`~vdbench.evaluation.given.Readable` has.
    """

    dataset: str
    train: ClipSet
    ipc: int | None
    seed: int
    device: torch.device
    assets: Assets
    report: Report = silent
    checkpoints: Path | None = None
    due: Callable[[], bool] = field(default=lambda: True)
    pool: AssetSpec[Pool] | None = None
    draw: int = 0
    given: Mapping[Reading, Any] = field(default_factory=dict)

    def checkpoint(self, state: Mapping[str, torch.Tensor]) -> None:
        """Keep the state of long work, atomically, for :meth:`resume`."""
        Checkpoint(self.checkpoints).keep(state)

    def resume(self) -> State | None:
        """The state kept last; None at the start. Asked for a tensor that it lacks, it begins the work anew."""
        return Checkpoint(self.checkpoints).last()


S = TypeVar("S", bound=Settings)


class Method(ABC, Generic[S]):
    """One way to shrink a train split to a few clips per class.

    Attributes:
        name: what users type, such as ``k-center``.
        version: raise it when the same settings would give another result.
        Settings: the model of its settings.
        card: what a reader should know of it.
        resources: what one trial occupies.
        budgeted: whether it has an IPC; ``full`` has none.
        seeded: whether the seed changes what it returns; where it does not, all seeds share one distilled set.
        pools: the pools it can take, the default first; empty where it takes none.
        reads: what it reads of how its sets will be judged, of :class:`~vdbench.evaluation.given.Readable`. Where that
            changes, its sets are distilled anew; those of other methods serve every student and recipe.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    Settings: ClassVar[type[Settings]] = NoSettings
    card: ClassVar[Card]
    resources: ClassVar[Resources] = Resources()
    budgeted: ClassVar[bool] = True
    seeded: ClassVar[bool] = True
    pools: ClassVar[tuple[str, ...]] = ()
    reads: ClassVar[tuple[Reading, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse to read what no task has."""
        super().__init_subclass__(**kwargs)
        reads = {cls.reads} if isinstance(cls.reads, str) else set(cls.reads)
        if unknown := sorted(reads - set(get_args(Reading))):
            raise TypeError(f"{cls.__name__} reads '{unknown[0]}'; choose from {', '.join(get_args(Reading))}")

    def __init__(self, settings: S | None = None) -> None:
        self.settings: S = settings if settings is not None else self.Settings()  # type: ignore[assignment]

    def needs(self, task: Task) -> Sequence[AssetSpec[Any]]:
        """Shared assets that :meth:`distill` will ask for, built before trials; a plan tells its ``UsageError``."""
        return ()

    def stored_bytes(self, task: Task, clip_bytes: float | None = None) -> float:
        """Bytes that its distilled set for ``task`` will take, by which an IPC is found for a budget of bytes.

        Args:
            task: with an IPC.
            clip_bytes: what a codec takes for one clip; None where clips are stored as uint8 pixels.
        """
        clips = len(task.train.classes) * (task.ipc or 0)
        return clips * (task.train.clips[0].nbytes if clip_bytes is None else clip_bytes)

    def work(self, task: Task) -> Sequence[Work] | None:
        """What :meth:`distill` takes beside its assets, of which none need exist; None where that cannot be said."""
        return None

    def learns_labels(self) -> bool:
        """Whether it may return soft labels with these settings: where its card says so, unless overridden."""
        return self.card.learns_labels

    def limits(self) -> Limits:
        """By what a result says whether it learned."""
        return Limits()

    @abstractmethod
    def distill(self, task: Task) -> DistilledSet:
        """Shrink ``task.train``: at most ``task.ipc`` clips per class, the same for the same seed."""

    def pack(
        self,
        task: Task,
        clips: torch.Tensor,
        targets: torch.Tensor,
        provenance: Provenance,
        step_size: float | None = None,
    ) -> DistilledSet:
        """Wrap clips into a distilled set that says where it came from.

        Args:
            task: what was asked for.
            clips: uint8 ``(N, T, H, W, 3)`` or normalised float32 ``(N, 3, T, H, W)``.
            targets: int64 ``(N,)`` or float32 ``(N, classes)``.
            provenance: origin of the clips.
            step_size: learning rate that was learned for them, or None.
        """
        return self.pack_as("clips", task, {"clips": clips, "targets": targets}, provenance, step_size)

    def pack_as(
        self,
        form: Literal["clips", "key-frames", "static-dynamic", "static-dynamic-fixed", "static-dynamic-slots"],
        task: Task,
        tensors: Mapping[str, torch.Tensor],
        provenance: Provenance,
        step_size: float | None = None,
    ) -> DistilledSet:
        """Wrap what clips are made from into a distilled set, as :meth:`pack` does.

        ``form`` is a key of :data:`vdbench.distilled.parameterisations.PARAMETERISATIONS`, ``tensors`` its parts.

        Raises:
            TypeError: what is no tensor.
        """
        from vdbench.distilled import DistilledRecord, DistilledSet

        for name, part in tensors.items():
            if not hasattr(part, "detach"):
                raise TypeError(f"{name} must be a tensor, not {type(part).__name__}; make it one with torch.as_tensor")
        record = DistilledRecord(
            dataset=task.dataset,
            train_fingerprint=task.train.fingerprint,
            classes=task.train.classes,
            ipc=task.ipc if self.budgeted else None,
            labels="hard" if tensors["targets"].ndim == 1 else "soft",
            normalisation=task.train.normalisation,
            method=self.name,
            method_version=self.version,
            settings=self.settings.identity(),
            seed=task.seed,
            provenance=provenance,
            step_size=step_size,
            form=form,
        )
        return DistilledSet({name: part.detach().cpu() for name, part in tensors.items()}, record)
