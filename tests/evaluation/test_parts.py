"""Networks that are only read go on in smaller parts where the memory of a GPU runs out, with the same numbers."""

from __future__ import annotations

import pytest
import torch

from vdbench.encoders.features import embeddings
from vdbench.evaluation import passes
from vdbench.evaluation.parts import PARTS, in_parts
from vdbench.students import build_student
from vdbench.testing import tiny_clips
from vdbench_methods.judges import judged
from vdbench_methods.rded import shown_to

CPU = torch.device("cpu")


class Full:
    """A network on a GPU whose memory does for so many inputs."""

    def __init__(self, network, most: int) -> None:
        self.network, self.most = network, most
        self.shown: list[int] = []

    def __call__(self, inputs: torch.Tensor) -> torch.Tensor:
        self.shown.append(len(inputs))
        if len(inputs) > self.most:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return self.network(inputs)


@pytest.mark.parametrize("count", [1, 7, 8, 20, 64])
def test_what_does_not_fit_is_read_in_parts_of_which_each_row_is_read_once(count: int) -> None:
    inputs = torch.arange(2.0 * count).view(count, 2)
    small = Full(lambda rows: 3 * rows.sum(dim=1), most=max(1, count - 1) if count > 1 else 0)
    if count == 1:  # there is nothing smaller
        with pytest.raises(torch.cuda.OutOfMemoryError):
            in_parts(small, inputs)
        return
    assert torch.equal(in_parts(small, inputs), 3 * inputs.sum(dim=1))
    assert small.shown[0] == count
    assert sum(small.shown[1:]) == count and len(small.shown) <= 1 + PARTS


def test_what_fits_is_read_whole() -> None:
    enough = Full(lambda rows: rows, most=64)
    in_parts(enough, torch.zeros(64, 1))
    assert enough.shown == [64]


def test_parts_that_do_not_fit_either_end_it_after_one_more_try() -> None:
    small = Full(lambda rows: rows, most=1)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        in_parts(small, torch.zeros(64, 1))
    assert small.shown == [64, 8]


def test_other_errors_are_not_tried_again() -> None:
    def wrong(inputs: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        in_parts(wrong, torch.zeros(4, 1))


READ = {
    "tests": lambda student, clips: passes.test_student(student, clips, CPU, seen=lambda batch: batch - batch.mean())[
        0
    ],
    "embeddings": lambda student, clips: torch.from_numpy(embeddings(student, clips, CPU)),
    "a judge of clips": lambda student, clips: judged(student, clips, CPU)[0],
    "a teacher of crops": lambda student, clips: shown_to(student, torch.from_numpy(clips.clips.copy()), clips, CPU),
}


@pytest.mark.parametrize("reading", READ)
def test_what_a_student_is_read_for_stays_what_it_is(reading: str, monkeypatch: pytest.MonkeyPatch) -> None:
    student = build_student("minic3d", 3, 4, 16, 4, seed=0).eval()
    clips = tiny_clips()
    whole = READ[reading](student, clips)
    layer = "embed" if reading == "embeddings" else "forward"
    small = Full(getattr(student, layer), most=9)
    monkeypatch.setattr(student, layer, small)
    torch.testing.assert_close(READ[reading](student, clips), whole, rtol=1e-5, atol=1e-6)
    assert small.shown[0] == 36 and max(small.shown[1:]) == 5
