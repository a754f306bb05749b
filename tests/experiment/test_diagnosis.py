"""What doctor finds: libraries, encoders, cards, and versions that are known to be wrong."""

import stat
from pathlib import Path

import av
import pytest
import torch

from vdbench.experiment.diagnosis import (
    ENCODERS,
    LIBRARIES,
    Library,
    codecs,
    computer,
    convolutions,
    cuda_of_torch,
    graphics,
    known_faults,
    libraries,
)


@pytest.mark.parametrize("cudnn", ["9.8.0", "9.9.1", "9.10.0", "9.10.1", "9.10.2"])
def test_the_cudnn_that_computes_wrongly_is_named(cudnn: str) -> None:
    (found,) = known_faults("2.13.0+cu128", cudnn)
    assert (found.what, found.state) == ("cuDNN", "wrong")
    assert f"cuDNN {cudnn}: Conv3d in bf16 gives wrong numbers" in found.details


@pytest.mark.parametrize("cudnn", ["9.7.1", "9.11.0", "9.15.1", "9.21.0", None])
def test_another_cudnn_is_not(cudnn: str | None) -> None:
    assert known_faults("2.13.0+cu128", cudnn) == []


@pytest.mark.parametrize(
    ("library", "cudnn", "wasteful"),
    [
        ("2.9.0+cu128", "9.15.1", True),
        ("2.9.0", None, True),
        ("2.9.1+cu130", "9.13.0", True),
        ("2.9.1+cu130", "9.15.0", False),
        ("2.8.0", "9.15.1", False),
        ("2.10.0", "9.15.1", False),
        (None, None, False),
    ],
)
def test_the_torch_that_wastes_memory_is_named(library: str | None, cudnn: str | None, wasteful: bool) -> None:
    found = known_faults(library, cudnn)
    assert [row.what for row in found] == ["torch"] * wasteful
    assert all("17 times the memory" in row.details for row in found)


def test_a_library_is_there_or_it_is_said_how_to_get_it() -> None:
    rows = {row.what: row for row in libraries([*LIBRARIES, Library("nowhere", ("no-where",), "flying")])}
    assert (rows["torch"].state, rows["torch"].details) == ("ok", torch.__version__)
    assert (rows["nowhere"].state, rows["nowhere"].needed_for) == ("missing", "flying")
    assert rows["nowhere"].details == "not installed; pip install no-where"
    (extra,) = libraries([Library("nowhere", ("no-where",), "flying", "hf")])
    assert (extra.state, extra.details) == ("none", "not installed; pip install 'vdbench[hf]'")


def test_a_library_that_is_installed_and_broken_is_found_when_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shattered.py").write_text("raise OSError('a symbol is undefined')\n")
    monkeypatch.syspath_prepend(tmp_path)
    broken = Library("shattered", ("shattered",), "anything")
    assert libraries([broken])[0].state == "ok"
    (row,) = libraries([broken], load=True)
    assert (row.state, row.details) == ("missing", "OSError: a symbol is undefined")


def test_encoders_are_those_of_pyav() -> None:
    assert {row.what: row.state == "ok" for row in codecs()} == {n: n in av.codecs_available for n in ENCODERS}


def test_little_memory_and_little_disk_are_low(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vdbench.experiment.diagnosis.LITTLE_MEMORY", 2**60)
    monkeypatch.setattr("vdbench.experiment.diagnosis.LITTLE_DISK", 2**60)
    assert {row.what: row.state for row in computer(tmp_path)} == {"processor": "ok", "memory": "low", "home": "low"}


def test_a_home_that_cannot_be_made_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = {row.what: row for row in computer(tmp_path / "file" / "home")}["home"]
    assert (found.state, "home cannot be written (Not a directory)" in found.details) == ("wrong", True)
    assert {row.what: row.state for row in computer(tmp_path / "new" / "home")}["home"] != "wrong"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def pretend_cards(folder: Path, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_cards_are_named_with_memory_driver_cuda_and_cudnn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cards(tmp_path, "NVIDIA H100, 81559 MiB, 580.65.06", monkeypatch)
    monkeypatch.setattr("vdbench.experiment.diagnosis.cuda_of_torch", lambda: "12.8")
    monkeypatch.setattr("vdbench.experiment.diagnosis.cudnn_version", lambda: "9.19.0")
    assert [(row.what, row.state, row.details) for row in graphics()] == [
        ("GPU", "ok", "NVIDIA H100 (81559 MiB, driver 580.65.06)"), ("CUDA", "ok", "12.8"), ("cuDNN", "ok", "9.19.0"),
    ]  # fmt: skip
    monkeypatch.setattr("vdbench.experiment.diagnosis.cuda_of_torch", lambda: None)
    assert [(row.what, row.state) for row in graphics()] == [("GPU", "ok"), ("CUDA", "missing")]


def test_without_a_driver_the_cpu_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [(row.what, row.state) for row in graphics()] == [("GPU", "none")]


def test_the_cuda_of_torch_is_read_as_torch_tells_it() -> None:
    assert cuda_of_torch() == torch.version.cuda


def test_bf16_agrees_with_float32_here_and_a_wrong_convolution_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = convolutions()
    assert row.state == "ok"
    right = torch.nn.functional.conv3d

    def wrong(clips: torch.Tensor, *args: object, **more: object) -> torch.Tensor:
        out = right(clips, *args, **more)  # type: ignore[arg-type]
        return out.roll(1, dims=2) if clips.dtype == torch.bfloat16 else out

    monkeypatch.setattr(torch.nn.functional, "conv3d", wrong)
    (row,) = convolutions()
    assert row.state == "wrong"
    assert "it is wrong; install another cuDNN" in row.details
