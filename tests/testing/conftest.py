"""What offenders change is put back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch


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
