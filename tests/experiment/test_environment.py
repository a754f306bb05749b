"""What a result says of its machine."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vdbench.experiment import environment as module
from vdbench.experiment.environment import environment, gpu_flags, gpu_versions
from vdbench.experiment.reproducing import reproducibly
from vdbench.experiment.result import Environment

CPUINFO = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n\n"


class Fake:
    """Stands for a file."""

    def __init__(self, text: str | None) -> None:
        self.text = text

    def read_text(self) -> str:
        if self.text is None:
            raise FileNotFoundError
        return self.text


@pytest.mark.parametrize(("text", "device"), [(2 * CPUINFO, "AMD EPYC (25.17, {})"), (None, "chip ({})")])
def test_processors_of_one_name_and_two_kinds_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, text: str | None, device: str
) -> None:
    monkeypatch.setattr(module, "Path", lambda _: Fake(text))
    monkeypatch.setattr(module.platform, "processor", lambda: "chip")
    assert environment("cpu").device == device.format(torch.backends.cpu.get_cpu_capability())


def test_the_driver_of_a_gpu_is_read_from_the_kernel(tmp_path: Path) -> None:
    folder = tmp_path / "driver" / "nvidia"
    folder.mkdir(parents=True)
    first = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  (dvs-builder@U22)"
    (folder / "version").write_text(f"{first}\nGCC version:  gcc version 12.3.0\n")
    assert gpu_versions(tmp_path)["driver"] == "580.159.04"
    (folder / "version").write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 2024\n")
    assert gpu_versions(tmp_path)["driver"] == "550.54.15"
    assert "driver" not in gpu_versions(tmp_path / "nowhere")


def test_what_a_gpu_is_told_to_do_is_recorded_of_trials_there_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with reproducibly():
        assert gpu_flags() == ("deterministic",)
        torch.backends.cuda.matmul.allow_tf32 = True  # put back with the others
        assert gpu_flags() == ("deterministic", "tf32")
    monkeypatch.setattr(module, "_gpu", lambda: "a card")
    with reproducibly():
        assert environment("cuda").flags == ("deterministic",)
    assert environment("cpu").flags is None


def test_results_without_flags_can_be_read() -> None:
    told = environment("cpu").model_dump(mode="json", exclude={"flags"})
    assert Environment.model_validate(told) == environment("cpu")
