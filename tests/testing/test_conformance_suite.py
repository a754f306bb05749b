"""The conformance suite catches each offence that it is there for."""

import os
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import BaseModel

from vdbench.clips.clipset import Normalisation
from vdbench.distilled import DistilledSet
from vdbench.method import Card, Method, NoSettings, Settings, Task, identity, runtime
from vdbench.records import Provenance
from vdbench.testing import check_method, tiny_clips
from vdbench.work.assets import Assets, AssetSpec


class Good(Method[NoSettings]):
    """The first clips of each class, by way of a checkpoint after every class. Offenders change one thing."""

    name: ClassVar[str] = "good"
    card: ClassVar[Card] = Card("First clips")

    def distill(self, task: Task) -> DistilledSet:
        state = task.resume() or {"rows": torch.empty(0, dtype=torch.int64)}
        rows = state["rows"]
        done = len(rows) // self.count(task)
        for label in range(done, len(task.train.classes)):
            chosen = torch.from_numpy(task.train.rows_of(label)[: self.count(task)])
            rows = torch.cat([rows, chosen])
            task.checkpoint({"rows": rows})
            task.report(label)
        return self.finish(task, rows.numpy())

    def count(self, task: Task) -> int:
        assert task.ipc is not None
        return task.ipc

    def finish(self, task: Task, rows: NDArray[np.int64]) -> DistilledSet:
        clips, labels = torch.from_numpy(task.train.clips[rows]), torch.from_numpy(task.train.labels[rows])
        return self.pack(task, clips, labels, Provenance(clip_ids=tuple(task.train.ids[row] for row in rows)))


def doing(act: Callable[[Task], object]) -> type[Good]:
    """A method that does something it must not, and is good otherwise."""

    class Offender(Good):
        def distill(self, task: Task) -> DistilledSet:
            act(task)
            return super().distill(task)

    return Offender


def returning(change: Callable[[DistilledSet], DistilledSet]) -> type[Good]:
    """A method whose set is changed before it is returned."""

    class Offender(Good):
        def distill(self, task: Task) -> DistilledSet:
            return change(super().distill(task))

    return Offender


def with_clips(distilled: DistilledSet, clips: torch.Tensor) -> DistilledSet:
    provenance = distilled.record.provenance.model_copy(update={"clip_ids": None})
    record = distilled.record.model_copy(update={"provenance": provenance})
    return DistilledSet({**distilled.tensors, "clips": clips}, record)


def floats(distilled: DistilledSet) -> torch.Tensor:
    return distilled.render()[0]


def not_finite(distilled: DistilledSet) -> DistilledSet:
    clips = floats(distilled)
    clips[0, 0, 0, 0, 0] = torch.inf
    return with_clips(distilled, clips)


def soft(distilled: DistilledSet) -> DistilledSet:
    record = distilled.record.model_copy(update={"labels": "soft"})
    targets = torch.nn.functional.one_hot(distilled.labels(), 3).float()
    return DistilledSet({**distilled.tensors, "targets": targets}, record)


def one_class(distilled: DistilledSet) -> DistilledSet:
    rows = torch.nonzero(distilled.labels() < 2).flatten()
    provenance = distilled.record.provenance.model_copy(update={"clip_ids": None})
    record = distilled.record.model_copy(update={"provenance": provenance})
    return DistilledSet({name: tensor[rows] for name, tensor in distilled.tensors.items()}, record)


def other_pixels(distilled: DistilledSet) -> DistilledSet:
    tensors = {**distilled.tensors, "clips": distilled.tensors["clips"].flip(1)}
    return DistilledSet(tensors, distilled.record)


def nameless_clips(distilled: DistilledSet) -> DistilledSet:
    provenance = distilled.record.provenance.model_copy(update={"clip_ids": ("red-0-0",)})
    return replace(distilled, record=distilled.record.model_copy(update={"provenance": provenance}))


class Bulky(DistilledSet):
    """A set that needs more than its clips."""

    @property
    def stored_bytes(self) -> int:
        return 10 * super().stored_bytes


def bulky(distilled: DistilledSet) -> DistilledSet:
    return Bulky(distilled.tensors, distilled.record)


class Doubling(DistilledSet):
    """A set whose render draws on something that is not stored."""

    def render(self, rows: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        clips, targets = super().render(rows)
        return 2 * clips, targets


def overwrite(task: Task) -> None:
    clips = task.train.clips
    clips[0] = 0


def overwrite_through_torch(task: Task) -> None:
    torch.from_numpy(task.train.clips).add_(1)


class Blob(AssetSpec[str]):
    kind: ClassVar[str] = "blob"

    def build(self, assets: Assets, folder: Path) -> None:
        (folder / "blob").write_text("blob")

    def load(self, folder: Path) -> str:
        return (folder / "blob").read_text()


class Undeclared(Good):
    def distill(self, task: Task) -> DistilledSet:
        task.assets.get(Blob())
        return super().distill(task)


class Needless(Good):
    def needs(self, task: Task) -> tuple[Blob]:
        return (Blob(),)


class Declared(Undeclared, Needless):
    pass


class Forgetful(Good):
    """Resumes with its last class lost."""

    def finish(self, task: Task, rows: NDArray[np.int64]) -> DistilledSet:
        marker = Path(str(task.checkpoints)) / "seen"
        if marker.exists():
            rows = rows[::-1].copy()
        return super().finish(task, rows)

    def distill(self, task: Task) -> DistilledSet:
        def told(step: int, **metrics: object) -> None:
            try:
                task.report(step, **metrics)
            except BaseException:
                (Path(str(task.checkpoints)) / "seen").touch()
                raise

        return super().distill(replace(task, report=told))


class Restarting(Good):
    """Goes on from its checkpoint, but also does the first step again."""

    def distill(self, task: Task) -> DistilledSet:
        state = task.resume()
        start = float(state["value"]) if state else 0.0
        for step in range(5):
            start += 1
            task.checkpoint({"value": torch.tensor(start)})
            task.report(step)
        distilled = super().distill(replace(task, checkpoints=None))
        return with_clips(distilled, floats(distilled) + start)


class Greedy(Good):
    def count(self, task: Task) -> int:
        return super().count(task) + 1


class OnlyOne(Good):
    def count(self, task: Task) -> int:
        if task.ipc != 1:
            raise RuntimeError("only one")
        return 1


class LooseSettings(BaseModel):
    free: int = 1


class Fussy(Settings):
    must: int = identity(None, "a whole number")


class Opaque(Settings):
    value: Any = identity(object(), "anything")


class Mutable(Settings):
    values: list[int] = runtime([1], "numbers")


def unsettled(settings: type[BaseModel]) -> type[Good]:
    class Offender(Good):
        Settings: ClassVar[type[Any]] = settings

    return Offender


class Pooled(Good):
    pools: ClassVar[tuple[str, ...]] = ("real",)


class Untitled(Good):
    card: ClassVar[Card] = Card("")


class BadName(Good):
    name: ClassVar[str] = "Bad_Name"


class Reserved(Good):
    name: ClassVar[str] = "generator"


class Confused(Good):
    def distill(self, task: Task) -> Any:
        return super().distill(task).render()


class Seedless(Good):
    seeded: ClassVar[bool] = False

    def finish(self, task: Task, rows: NDArray[np.int64]) -> DistilledSet:
        shift = [int(task.train.rows_of(label)[task.seed]) for label in task.train.labels[rows]]
        return super().finish(task, np.array(shift) if task.ipc == 1 else rows)


class SelfChanging(Good):
    Settings: ClassVar[type[Settings]] = Mutable

    def distill(self, task: Task) -> DistilledSet:
        self.settings.values.append(1)  # type: ignore[attr-defined]
        return super().distill(task)


def test_a_good_method_has_no_findings() -> None:
    assert check_method(Good) == []
    assert check_method(Good()) == []
    assert check_method(Declared) == []


OFFENDERS: list[tuple[str, Any, str]] = [
    ("name", BadName, "the name 'Bad_Name' must be lower-case words"),
    ("reserved name", Reserved, "the name 'generator' stands for the generator of a run's pool in --set"),
    ("card", Untitled, "has no title"),
    ("loose settings", unsettled(LooseSettings), "Settings does not extend vdbench.method.Settings"),
    ("no defaults", unsettled(Fussy), "it cannot be constructed from its defaults"),
    ("opaque settings", unsettled(Opaque), "its settings do not turn into JSON"),
    ("pool", Pooled, "its Settings have no field 'pool'"),
    ("not a set", Confused, "distill returns a tuple, not a DistilledSet"),
    ("raises at IPC 3", OnlyOne, "at IPC 3 and seed 1 it fails: RuntimeError: only one"),
    ("ends the program", doing(lambda task: sys.exit(3)), "at IPC 1 and seed 0 it fails: SystemExit: 3"),
    ("seed that counts", Seedless, "another seed gives another set"),
    ("not repeatable", returning(lambda d: with_clips(d, floats(d) + os.getrandom(1)[0])), "run twice with one seed"),
    ("too many clips", Greedy, "at IPC 3 a class has 4 clips"),
    ("too many bytes", returning(bulky), "at IPC 1 it stores 3 clips in"),
    ("a class is missing", returning(one_class), "at IPC 1 there is no clip of class blue"),
    ("geometry", returning(lambda d: with_clips(d, floats(d)[:, :, :2])), "its clips are (3, 2, 16, 16)"),
    ("not finite", returning(not_finite), "there are values that are not finite"),
    ("soft labels", returning(soft), "it returns soft labels, but its card does not say so"),
    ("other pixels", returning(other_pixels), "are not those of the train clips that its provenance names"),
    ("nameless clips", returning(nameless_clips), "its provenance does not name a train clip for every clip"),
    ("unstored render", returning(lambda d: Doubling(d.tensors, d.record)), "after it was stored and read again"),
    ("python random", doing(lambda task: random.random()), "it changes Python's random state"),
    ("numpy random", doing(lambda task: np.random.rand()), "it changes numpy's random state"),
    ("numpy seed", doing(lambda task: np.random.seed(0)), "it changes numpy's random state"),
    ("torch random", doing(lambda task: torch.rand(1)), "it changes torch's random state"),
    ("dtype", doing(lambda task: torch.set_default_dtype(torch.float64)), "it changes torch's default dtype"),
    ("threads", doing(lambda task: torch.set_num_threads(3)), "it changes torch's number of threads"),
    ("gradients", doing(lambda task: torch.set_grad_enabled(False)), "it changes torch's gradient mode"),
    ("folder", doing(lambda task: os.chdir("/")), "it changes the working directory"),
    ("environment", doing(lambda task: os.environ.update(VDBENCH_X="1")), "it changes the environment"),
    ("train clips", doing(overwrite), "assignment destination is read-only"),
    ("train clips through torch", doing(overwrite_through_torch), "it changes the train clips"),
    ("task", doing(lambda task: object.__setattr__(task, "seed", 5)), "it changes the task"),
    ("own settings", SelfChanging, "it changes its settings"),
    ("undeclared asset", Undeclared, "distill builds blob (Blob), which needs() does not declare"),
    ("needless asset", Needless, "needs() declares Blob, which distill does not ask for"),
    ("forgetful", Forgetful, "interrupted and run again, it returns another set than in one go"),
    ("restarting", Restarting, "interrupted and run again, it returns another set than in one go"),
]


@pytest.fixture
def _process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put back what offenders change."""
    monkeypatch.chdir(Path.cwd())
    monkeypatch.setenv("VDBENCH_X", "0")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)


@pytest.mark.usefixtures("_process")
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize(("method", "finding"), [(m, f) for _, m, f in OFFENDERS], ids=[n for n, _, _ in OFFENDERS])
def test_every_offence_is_found(method: type[Method[Any]], finding: str) -> None:
    findings = check_method(method)
    assert [f for f in findings if finding in f], findings


@pytest.mark.usefixtures("_process")
def test_one_offence_is_one_finding() -> None:
    for offender in (doing(lambda task: torch.rand(1)), Undeclared, Forgetful, Untitled):
        assert len(check_method(offender)) == 1


def test_the_tiny_world_is_what_it_says() -> None:
    clips = tiny_clips()
    assert clips.counts().tolist() == [9, 12, 15]
    assert clips.labels.tolist() != sorted(clips.labels.tolist())
    assert not clips.clips.flags.writeable
    assert clips.fingerprint == tiny_clips().fingerprint
    assert len(set(clips.groups)) == 9
    assert isinstance(clips.normalisation, Normalisation)
    pixels = clips.clips.reshape(36, -1).astype(float)
    distance = np.linalg.norm(pixels[:, None] - pixels[None], axis=2)
    same = np.array(clips.groups)[:, None] == np.array(clips.groups)[None]
    assert distance[same].max() < 0.3 * distance[~same].min()
