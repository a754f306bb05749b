"""Kept state comes back as it was, or not at all; work that finds another's state begins anew."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.worlds import flip
from vdbench.work.checkpoints import Checkpoint, ForeignStateError

STATE = {
    "step": torch.tensor(3),
    "mask": torch.tensor([True, False]),
    "half": torch.ones(2, 3, dtype=torch.bfloat16),
    "none": torch.empty(0),
    "turned": torch.arange(6.0).view(2, 3).T.contiguous(),
}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    made = Checkpoint(tmp_path / "work")
    made.keep(STATE)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "work" / "state.safetensors"


def test_what_was_kept_comes_back(checkpoint: Checkpoint) -> None:
    state = checkpoint.last()
    assert state is not None
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[name], tensor) and state[name].dtype == tensor.dtype for name, tensor in STATE.items())


def test_a_flipped_byte_and_a_cut_are_noticed_and_set_aside(checkpoint: Checkpoint, file: Path) -> None:
    flip(file, -1)
    content = file.read_bytes()
    with pytest.warns(UserWarning, match=r"state\.safetensors holds other bytes than were written; it was set aside"):
        assert checkpoint.last() is None
    assert checkpoint.last() is None
    assert (file.parent / ".state.safetensors.corrupt").read_bytes() == content
    checkpoint.keep(STATE)
    os.truncate(file, 100)
    with pytest.warns(UserWarning, match="cannot be read"):
        assert checkpoint.last() is None


def test_a_checkpoint_of_an_earlier_version_has_no_digest_and_is_used(checkpoint: Checkpoint, file: Path) -> None:
    save_file({"step": torch.tensor(5)}, file)
    state = checkpoint.last()
    assert state is not None
    assert int(state["step"]) == 5


def test_tensors_of_other_names_shapes_and_types_are_foreign(checkpoint: Checkpoint) -> None:
    state = checkpoint.last()
    assert state is not None
    assert torch.equal(state.like("half", STATE["half"]), STATE["half"])
    for name, like in (("half", torch.ones(2, 3)), ("half", STATE["half"][:1]), ("absent", torch.ones(1))):
        with pytest.raises(ForeignStateError, match=name):
            state.like(name, like)
    with pytest.raises(ForeignStateError, match="lacks absent"):
        state["absent"]


def test_work_that_finds_foreign_state_begins_anew_once(checkpoint: Checkpoint, file: Path) -> None:
    found: list[bool] = []

    def work() -> int:
        state = checkpoint.last()
        found.append(state is not None)
        return 0 if state is None else int(state["iteration"])

    with pytest.warns(UserWarning, match=r"state\.safetensors lacks iteration; it was set aside"):
        assert checkpoint.resumed(work) == 0
    assert found == [True, False]
    assert checkpoint.last() is None


def test_an_error_of_the_work_itself_keeps_its_state(checkpoint: Checkpoint) -> None:
    def work() -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        checkpoint.resumed(work)
    assert checkpoint.last() is not None
