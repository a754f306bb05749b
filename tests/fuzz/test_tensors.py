"""Files of tensors like valid ones, read as anybody's distilled set: only our own errors come out."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from tests.fuzz.mutations import fuzz_file
from vdbench.distilled.outside.loading import Reading, load_outside
from vdbench.distilled.soundness import faults
from vdbench.testing import tiny_clips

pytestmark = pytest.mark.filterwarnings("ignore")
TRAIN = tiny_clips()
CLIPS = np.ascontiguousarray(TRAIN.clips[:3])
"""One of each class, whatever the labels say: nobody reads these pixels."""
LABELS = np.arange(3)
STORE: Any = SimpleNamespace(manifest=SimpleNamespace(spec=SimpleNamespace(name="tiny")))


def torch_file(zipped: bool) -> bytes:
    buffer = io.BytesIO()
    value = {"clips": torch.from_numpy(CLIPS), "labels": torch.from_numpy(LABELS), "lr": 0.1, "words": ["a", "b"]}
    torch.save(value, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


def numpy_file(packed: bool) -> bytes:
    buffer = io.BytesIO()
    if packed:
        np.savez_compressed(buffer, clips=CLIPS, labels=LABELS, lr=0.1)
    else:
        np.save(buffer, CLIPS)
    return buffer.getvalue()


FILES = {
    "set.npy": numpy_file(False),
    "set.npz": numpy_file(True),
    "set.pt": torch_file(True),
    "old.pt": torch_file(False),
    "set.safetensors": save({"clips": torch.from_numpy(CLIPS), "labels": torch.from_numpy(LABELS)}, {"lr": "0.1"}),
}


@pytest.mark.parametrize("name", FILES)
def test_tensor_files(tmp_path: Path, name: str) -> None:
    def read() -> None:
        list(faults(load_outside(tmp_path / name, STORE, TRAIN, Reading(pixels="uint8")), TRAIN, None))

    (tmp_path / name).write_bytes(FILES[name])
    read()
    fuzz_file(tmp_path / name, read)


def test_files_of_labels(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("\n".join(TRAIN.classes))
    (tmp_path / "set.npy").write_bytes(FILES["set.npy"])

    def read() -> None:
        for named in ({"labels": names}, {"classes": str(names)}):
            load_outside(tmp_path / "set.npy", STORE, TRAIN, Reading(pixels="uint8", **named))

    read()
    fuzz_file(names, read)
