"""Files of tensors: read without executing anything, or refused in one sentence."""

import pickle
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.distilled.outside.conftest import LABELS, Heard, Load, Save, pixels, same
from vdbench.distilled.outside.tensors import read_arrays
from vdbench.errors import DataError


def test_every_kind_of_file_holds_the_same_set(load: Any, save: Save, tmp_path: Path) -> None:
    clips, labels = pixels(), LABELS
    np.save(tmp_path / "clips.npy", clips.numpy())
    np.save(tmp_path / "labels.npy", labels.numpy())
    np.savez(tmp_path / "both.npz", a=clips.numpy(), b=labels.numpy(), c=np.array(["words"]))
    save_file({"x": clips, "y": labels.int()}, tmp_path / "both.safetensors")
    assert same(load(tmp_path / "clips.npy", labels=tmp_path / "labels.npy"))
    assert same(load(tmp_path / "both.npz"))
    assert same(load(tmp_path / "both.safetensors"))
    assert same(load(save([labels, clips], "upper.PT")))
    assert same(load(save([labels, clips], "state.ckpt")))
    assert same(load(save({"seed": 1, "state": [{"clips": torch.nn.Parameter(clips.float()), "y": labels.tolist()}]}),
                     pixels="uint8"))  # fmt: skip
    assert same(load(save({"clips": clips.bfloat16(), "y": labels}), pixels="uint8"), clips.bfloat16().byte())


class Bomb:
    """What a pickle can do when it is loaded: here, make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("legacy", [True, False])
def test_nothing_in_a_file_is_executed(load: Any, tmp_path: Path, legacy: bool) -> None:
    trace, path = tmp_path / "executed", tmp_path / "bomb.pt"
    value = {"clips": pixels(), "labels": LABELS, "bomb": Bomb(trace)}
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    for name, content in (("plain.pt", pickle.dumps(value)), ("bomb.npy", None)):
        if content:
            (tmp_path / name).write_bytes(content)
        else:
            np.save(tmp_path / name, np.array([Bomb(trace)], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "bomb.npz", clips=pixels().numpy(), bomb=np.array([Bomb(trace)], dtype=object))
    for name in ("bomb.pt", "plain.pt", "bomb.npy", "bomb.npz"):
        with pytest.raises(DataError, match="nothing in it is executed") as caught:
            load(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="nothing in it is executed"):
        load(tmp_path / "bomb.pt", labels=tmp_path / "plain.pt")
    assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists()  # the bomb is one


@pytest.mark.parametrize("legacy", [True, False])
def test_numbers_and_arrays_of_numpy_are_read_under_its_old_and_its_new_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, legacy: bool
) -> None:
    values = {
        "scalar": np.float64(0.31),
        "half": np.float16(0.5),
        "count": np.int32(-3),
        "big": np.arange(6, dtype=">f4").reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "none": np.empty((0, 2)),
        "names": np.array(["Archery", "Biking"]),
        "accuracies": [np.float64(0.25), np.float64(0.5)],
    }
    path = tmp_path / "set.pt"
    torch.save(values, path, _use_new_zipfile_serialization=not legacy)
    content = path.read_bytes()
    assert (b"numpy._core.multiarray" in content) != (b"numpy.core.multiarray" in content)  # by the version here
    for old, new in ((b"numpy._core.multi", b"numpy.core.multi"), (b"numpy.core.multi", b"numpy._core.multi")):
        if legacy:  # a zip file would have to be written anew
            path.write_bytes(content.replace(old, new))
        found = read_arrays(path)
        for name, value in values.items():
            assert np.array_equal(found[name], np.asarray(value)), name


def test_an_array_of_objects_is_refused(load: Load, save: Save) -> None:
    with pytest.raises(DataError, match="holds more than tensors, and nothing in it is executed"):
        load(save({"clips": pixels(), "y": np.array([LABELS, None], dtype=object)}))


def test_what_is_refused_is_named(load: Load, save: Save) -> None:
    with pytest.raises(DataError, match=r"holds argparse\.Namespace beside tensors, and nothing in it is executed"):
        load(save({"clips": pixels(), "labels": LABELS, "args": Namespace(ipc=1)}))


@pytest.mark.parametrize("share", [0.2, 0.9, 0.999])
def test_a_truncated_file_is_one_sentence(load: Load, save: Save, share: float) -> None:
    path = save({"clips": pixels(), "labels": LABELS})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataError, match="is damaged, or holds more than tensors") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_files_of_one_set_in_a_folder_are_read_together_and_single_iterations_left_out(
    load: Load, heard: Heard, tmp_path: Path
) -> None:
    folder = tmp_path / "logged"
    folder.mkdir()
    for name, value in {
        "images_best": pixels(), "images_0": pixels() // 2, "images_1000": pixels() // 3, "labels_best": LABELS,
        "labels_1000": LABELS.flip(0),
    }.items():  # fmt: skip
        torch.save(value, folder / f"{name}.pt")
    assert same(load(folder))
    (folder / "images_best.pt").unlink()
    (folder / "labels_best.pt").unlink()
    made, said = heard(folder)
    last = pixels()[[4, 5, 2, 3, 0, 1]] // 3  # class by class
    assert same(made, last)
    assert said[0] == f"{folder} holds files of 2 iterations; those of the last one, 1000, are judged"
    (folder / "images_0.pt").unlink()
    assert same(load(folder), last)


@pytest.mark.parametrize("suffix", [".pt", ".npy", ".npz", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"no tensors here", bytes(range(256)) * 8])
def test_a_damaged_file_is_one_sentence(load: Any, tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"broken{suffix} is damaged, or holds more than tensors"):
        load(path)


def test_another_kind_of_file_is_refused(load: Any, tmp_path: Path) -> None:
    (tmp_path / "set.h5").write_bytes(b"")
    with pytest.raises(DataError, match=r"ends in none of \.pt, \.pth"):
        load(tmp_path / "set.h5")
