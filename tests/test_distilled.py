"""Distilled sets: what they cost, how they are stored, and what a broken artefact says."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from vdbench import files
from vdbench.clipset import Normalisation
from vdbench.distilled import RECORD, TENSORS, DistilledRecord, DistilledSet
from vdbench.errors import DataError
from vdbench.records import Provenance

SHAPE = (4, 2, 6, 6, 3)


def record(labels: str = "hard") -> DistilledRecord:
    return DistilledRecord(
        dataset="tiny",
        train_fingerprint="f",
        classes=("a", "b"),
        ipc=2,
        labels=labels,  # type: ignore[arg-type]
        normalisation=Normalisation((0.4, 0.5, 0.6), (0.2, 0.3, 0.1)),
        method="any",
        method_version=1,
        settings={"z": [1, 2], "a": {"nested": 0.1}},
        seed=3,
        provenance=Provenance(clip_ids=("w", "x", "y", "ä")),
    )


def pixels() -> torch.Tensor:
    return torch.randint(0, 256, SHAPE, generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def hard(clips: torch.Tensor | None = None) -> DistilledSet:
    clips = pixels() if clips is None else clips
    return DistilledSet({"clips": clips, "targets": torch.tensor([0, 0, 1, 1])}, record())


def soft() -> DistilledSet:
    targets = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]])
    return DistilledSet({"clips": hard().render()[0], "targets": targets}, record("soft"))


def test_stored_bytes_count_pixels_as_stored_and_labels_only_if_soft() -> None:
    assert hard().stored_bytes == 4 * 2 * 6 * 6 * 3
    assert hard(hard().render()[0]).stored_bytes == 4 * (4 * 2 * 6 * 6 * 3)
    assert soft().stored_bytes == 4 * (4 * 2 * 6 * 6 * 3) + 4 * 4 * 2


def test_render_normalises_pixels_and_passes_learned_clips_through() -> None:
    rendered, targets = hard().render(torch.tensor([2, 0]))
    expected = (pixels()[[2, 0], :, :, :, 1].float() / 255 - 0.5) / 0.3
    torch.testing.assert_close(rendered[:, 1], expected)
    assert targets.tolist() == [1, 0]
    assert torch.equal(soft().render()[0], soft().tensors["clips"])


def test_learned_clips_turn_back_into_the_pixels_they_came_from() -> None:
    assert torch.equal(hard(hard().render()[0]).pixels(), pixels())
    assert torch.equal(hard().pixels(), pixels())
    bright = hard(hard().render()[0] + 100).pixels()
    assert bool((bright == 255).all())


def test_labels_are_the_most_likely_classes() -> None:
    assert soft().labels().tolist() == [0, 0, 1, 0]
    assert hard().labels().tolist() == [0, 0, 1, 1]
    assert hard().classes == ("a", "b")


@pytest.mark.parametrize("build", [hard, soft])
def test_an_artefact_comes_back_as_it_was(tmp_path: Path, build: Any) -> None:
    before = build()
    before.save(tmp_path / "set")
    after = DistilledSet.load(tmp_path / "set")
    assert after.record == before.record
    assert after.tensors.keys() == before.tensors.keys()
    assert all(torch.equal(after.tensors[name], tensor) for name, tensor in before.tensors.items())
    assert all(torch.equal(a, b) for a, b in zip(after.render(), before.render(), strict=True))
    assert after.stored_bytes == before.stored_bytes


def test_equal_sets_have_equal_files(tmp_path: Path) -> None:
    hard().save(tmp_path / "a")
    replace(hard(), tensors={name: hard().tensors[name] for name in ("targets", "clips")}).save(tmp_path / "b")
    for name in (TENSORS, RECORD):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_saving_again_replaces_and_a_failure_leaves_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hard().save(tmp_path / "set")
    soft().save(tmp_path / "set")
    assert DistilledSet.load(tmp_path / "set").record.labels == "soft"

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_json", fail)
    with pytest.raises(OSError, match="No space"):
        hard().save(tmp_path / "set")
    assert DistilledSet.load(tmp_path / "set").record.labels == "soft"
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"clips": pixels().double()}, "5-dimensional uint8 or float32"),
        ({"clips": pixels()[0]}, "5-dimensional"),
        ({"clips": pixels()[..., :2]}, "no axis of 3 channels"),
        ({"clips": pixels().float()}, "no axis of 3 channels"),
        ({"targets": torch.tensor([0, 1, 1])}, "do not fit 4 clips"),
        ({"targets": torch.zeros(4, 2)}, "do not fit 4 clips"),
        ({"targets": torch.zeros(4, dtype=torch.int32)}, "cannot be torch.int32"),
        ({"targets": torch.tensor([0, 0, 1, 2])}, r"must lie in 0\.\.1"),
        ({"targets": torch.tensor([0, 0, 1, -1])}, r"must lie in 0\.\.1"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(change: dict[str, torch.Tensor], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        DistilledSet({**hard().tensors, **change}, record())


def test_soft_targets_must_have_a_column_per_class() -> None:
    with pytest.raises(ValueError, match="do not fit 2 classes"):
        DistilledSet({"clips": pixels(), "targets": torch.zeros(4, 3)}, record("soft"))


def break_tensors(folder: Path) -> None:
    content = bytearray((folder / TENSORS).read_bytes())
    content[-1] ^= 1
    (folder / TENSORS).write_bytes(bytes(content))


def not_safetensors(folder: Path) -> None:
    (folder / TENSORS).write_bytes(b"no tensors here")
    restamp(folder)


def restamp(folder: Path, **change: object) -> None:
    value = json.loads((folder / RECORD).read_text()) | change
    files.write_json(folder / RECORD, value | {"tensors_sha256": files.file_sha256(folder / TENSORS)})


def other_tensors(folder: Path) -> None:
    save_file({"pixels": torch.zeros(3)}, folder / TENSORS)
    restamp(folder)


BREAKAGES: list[tuple[Any, str]] = [
    (shutil.rmtree, "is no distilled set: distilled.json is missing"),
    (lambda folder: (folder / TENSORS).unlink(), "is no distilled set: tensors.safetensors is missing"),
    (break_tensors, "its SHA-256 differs"),
    (not_safetensors, "no distilled set that can be read"),
    (other_tensors, "no distilled set that can be read"),
    (lambda folder: (folder / RECORD).write_text("{"), "no distilled set that can be read"),
    (lambda folder: (folder / RECORD).write_text("[]"), "no distilled set that can be read"),
    (lambda folder: (folder / RECORD).write_text("{}"), "no distilled set that can be read"),
    (lambda folder: restamp(folder, surprise=1), "no distilled set that can be read"),
    (lambda folder: restamp(folder, schema_version=2), "no distilled set that can be read"),
    (lambda folder: restamp(folder, classes=["a"]), "no distilled set that can be read"),
]


@pytest.mark.parametrize(("breakage", "sentence"), BREAKAGES)
def test_a_broken_artefact_is_one_sentence(tmp_path: Path, breakage: Any, sentence: str) -> None:
    hard().save(tmp_path / "set")
    breakage(tmp_path / "set")
    with pytest.raises(DataError, match=sentence) as caught:
        DistilledSet.load(tmp_path / "set")
    assert "\n" not in str(caught.value)
