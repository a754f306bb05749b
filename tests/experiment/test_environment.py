"""What a result says of its machine."""

from __future__ import annotations

import pytest
import torch

from vdbench.experiment import environment as module
from vdbench.experiment.environment import environment

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
