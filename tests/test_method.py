"""The method interface: declared settings, identities, checkpoints."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from pydantic import Field, ValidationError

from vdbench.method import NoSettings, Settings, identity, runtime
from vdbench.records import Provenance
from vdbench.testing import tiny_task
from vdbench_methods.full import Full
from vdbench_methods.random import Random


class Inner(Settings):
    depth: int = identity(3, "layers", gt=0)
    batch: int = runtime(8, "clips at a time")


class Outer(Settings):
    inner: Inner = identity(Inner(), "nested")
    folder: Path = identity(Path("a"), "some path")
    chunk: int = runtime(64, "clips at a time")


def test_the_identity_holds_identity_settings_only_at_every_depth() -> None:
    assert Outer().identity() == {"inner": {"depth": 3}, "folder": "a"}
    assert Outer(chunk=1, inner=Inner(batch=1)).identity() == Outer().identity()
    assert Outer(inner=Inner(depth=4)).identity() != Outer().identity()


def test_a_set_among_the_settings_has_one_order() -> None:
    class Chosen(Settings):
        classes: frozenset[int] = identity(frozenset(), "which classes")

    first, second = (Chosen(classes=frozenset(classes)) for classes in ([0, 8], [8, 0]))
    assert list(first.classes) != list(second.classes)  # they collide, so that the one that came first comes first
    assert first.identity() == second.identity() == {"classes": [0, 8]}


@pytest.mark.parametrize(
    "field", [3, Field(default=3, description="plain"), Field(default=3, json_schema_extra={"role": "identity"})]
)
def test_a_field_that_is_not_declared_is_refused(field: Any) -> None:
    with pytest.raises(TypeError, match=r"Loose.value: declare it with identity\(...\) or runtime\(...\)"):
        type("Loose", (Settings,), {"__annotations__": {"value": int}, "value": field})


def test_settings_are_frozen_bounded_and_refuse_unknown_fields() -> None:
    with pytest.raises(ValidationError):
        Inner(depth=0)
    with pytest.raises(ValidationError):
        Inner.model_validate({"dept": 1})
    with pytest.raises(ValidationError):
        Inner().depth = 5


def test_a_default_out_of_bounds_is_refused() -> None:
    class Wrong(Settings):
        value: int = identity(-1, "count", gt=0)

    with pytest.raises(ValidationError):
        Wrong()


def test_a_method_takes_its_default_settings() -> None:
    assert Random().settings == Random.Settings()

    class Bare(Random):
        Settings: ClassVar[type[Settings]] = NoSettings

    assert isinstance(Bare().settings, NoSettings)


def test_state_survives_a_restart_and_the_last_one_counts(tmp_path: Path) -> None:
    task = tiny_task(tmp_path)
    assert task.resume() is None
    for step in range(3):
        task.checkpoint({"step": torch.tensor(step), "clips": torch.full((2, 2), float(step))})
    state = tiny_task(tmp_path).resume()
    assert state is not None
    assert int(state["step"]) == 2
    assert torch.equal(state["clips"], torch.full((2, 2), 2.0))


def test_a_checkpoint_that_fails_keeps_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = tiny_task(tmp_path)
    task.checkpoint({"step": torch.tensor(1)})

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        task.checkpoint({"step": torch.tensor(2)})
    state = task.resume()
    assert state is not None
    assert int(state["step"]) == 1


def test_nothing_is_kept_where_there_is_no_folder(tmp_path: Path) -> None:
    task = replace(tiny_task(tmp_path), checkpoints=None)
    task.checkpoint({"step": torch.tensor(1)})
    assert task.resume() is None
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_packed_set_says_where_it_came_from(tmp_path: Path) -> None:
    task = tiny_task(tmp_path, ipc=2, seed=9)
    clips, labels = torch.from_numpy(task.train.clips[:2].copy()), torch.tensor([0, 1])
    record = Random().pack(task, clips, labels, Provenance()).record
    assert (record.dataset, record.ipc, record.seed, record.method) == ("tiny", 2, 9, "random")
    assert record.train_fingerprint == task.train.fingerprint
    assert record.settings == {"pool": "real"}
    assert record.labels == "hard"
    assert Full().pack(task, clips, labels, Provenance()).record.ipc is None
    soft = Random().pack(task, clips, torch.eye(3)[:2].requires_grad_(), Provenance())
    assert soft.record.labels == "soft"
    assert not soft.tensors["targets"].requires_grad


@pytest.mark.parametrize("wrong", ["clips", "targets"])
def test_what_is_packed_has_to_be_a_tensor(tmp_path: Path, wrong: str) -> None:
    task = tiny_task(tmp_path)
    clips, targets = task.train.render(torch.arange(2))
    parts = {"clips": clips, "targets": targets}
    parts[wrong] = parts[wrong].tolist()
    with pytest.raises(TypeError, match=f"^{wrong} must be a tensor, not list; make it one with torch.as_tensor$"):
        Full().pack(task, **parts, provenance=Provenance(pool="learned"))


@pytest.mark.parametrize(
    ("targets", "cure"),
    [(torch.zeros(2), "hard targets cannot be torch.float32; make them torch.int64"),
     (torch.zeros(2, 3, dtype=torch.int64), "soft targets cannot be torch.int64; make them torch.float32")],
)  # fmt: skip
def test_targets_of_another_type_are_told_theirs(tmp_path: Path, targets: torch.Tensor, cure: str) -> None:
    task = tiny_task(tmp_path)
    with pytest.raises(ValueError, match=cure):
        Full().pack(task, task.train.render(torch.arange(2))[0], targets, Provenance(pool="learned"))
