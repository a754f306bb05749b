"""The loop that trains a generator: which steps its losses are of, also after it was killed."""

from pathlib import Path

import pytest
import torch

from vdbench.generator.fitting import Fit, Schedule, with_steps
from vdbench.seeding import seeded
from vdbench.work.checkpoints import Checkpoint


def fit(steps: int) -> Fit:
    with seeded(0):
        return Fit(torch.nn.Linear(2, 1), Schedule(steps, 0.01), "line")


def run(fitting: Fit, folder: Path, killed_at: int | None = None) -> list[tuple[int, float]]:
    def loss(step: int) -> torch.Tensor:
        if step == killed_at:
            raise KeyboardInterrupt
        value: torch.Tensor = (fitting.network(torch.ones(1, 2)) - step).square().mean()
        return value

    fitting.run(loss, Checkpoint(folder), lambda: True, lambda step, **metrics: None)
    return fitting.losses


def test_losses_have_the_steps_that_they_were_looked_at(tmp_path: Path) -> None:
    losses = run(fit(50), tmp_path)
    assert [step for step, _ in losses] == [20, 40, 50]
    assert all(type(step) is int and type(loss) is float for step, loss in losses)


def test_a_killed_run_ends_with_the_losses_of_one_that_was_not(tmp_path: Path) -> None:
    whole = run(fit(50), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(fit(50), tmp_path / "killed", killed_at=45)
    assert run(fit(50), tmp_path / "killed") == whole


def test_a_state_of_an_earlier_version_gets_the_steps_of_its_looks(tmp_path: Path) -> None:
    whole = run(fit(50), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(fit(50), tmp_path / "old", killed_at=45)
    state = Checkpoint(tmp_path / "old").last()
    assert state is not None
    state["losses"] = state.pop("curve")[:, 1].contiguous()
    Checkpoint(tmp_path / "old").keep(state)
    assert run(fit(50), tmp_path / "old") == whole
    assert with_steps([2.0, 1.0]) == [(20, 2.0), (40, 1.0)]
