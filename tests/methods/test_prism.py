"""Key frames: their gradient, which frames become key frames, and what insertion leaves as it is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vdbench.distilled import DistilledSet
from vdbench.seeding import generator, seed_of
from vdbench.students import build_student
from vdbench.testing import tiny_task
from vdbench_methods import dc, dm
from vdbench_methods.learned import RealClips, initial_clips
from vdbench_methods.prism import Prism, PrismSettings, disagreeing

FRAMES = 4
"""Of a clip of the tiny world."""


def made(folder: Path, **settings: Any) -> DistilledSet:
    few = {"iterations": 4, "width": 4, "lr": 1, "real": 8, "insert_every": 1}
    return Prism(PrismSettings.model_validate(few | settings)).distill(tiny_task(folder, ipc=2))


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a * b).sum() / (a.norm() * b.norm()))


@given(st.lists(st.booleans(), min_size=1, max_size=5), st.integers(0, 999), st.sampled_from([-0.2, 0.0, 0.3, 1.0]))
def test_the_frame_that_disagrees_most_with_both_neighbours_is_inserted(
    inner: list[bool], seed: int, threshold: float
) -> None:
    mask = [True, *inner, True]
    slopes = torch.randn(1, 3, len(mask), 1, 2, generator=torch.Generator().manual_seed(seed))
    keys, found = [t for t, there in enumerate(mask) if there], {}
    for t in range(len(mask)):
        if not mask[t]:
            left, right = max(k for k in keys if k < t), min(k for k in keys if k > t)
            found[t] = max(cosine(slopes[0, :, t], slopes[0, :, k]) for k in (left, right))
    worst = min(found, key=lambda t: found[t], default=None)
    expected = [worst is not None and t == worst and found[worst] < threshold for t in range(len(mask))]
    assert disagreeing(slopes, torch.tensor([mask]), threshold, len(mask))[0].tolist() == expected
    assert not disagreeing(slopes, torch.tensor([mask]), 1.0, len(keys)).any()


def test_a_planted_disagreement_is_found_and_agreement_is_left_alone() -> None:
    """Two clips whose gradients point the same way at all times, but for one frame of the second."""
    gradient = torch.ones(2, 3, 6, 2, 2)
    gradient[1, :, 3] = -1
    keys = torch.tensor([[1, 0, 0, 0, 0, 1]] * 2, dtype=torch.bool)
    assert disagreeing(gradient, keys, 0.0, 5).nonzero().tolist() == [[1, 3]]


@pytest.mark.parametrize("loss", ["dm", "dc"])
def test_one_update_moves_key_frames_along_the_literal_gradient(tmp_path: Path, loss: str) -> None:
    """First and last frame, with the two between them written out; loss and networks are those of dm and dc."""
    task = tiny_task(tmp_path / "literal", ipc=2)
    real, rng = RealClips(task.train, task.device), generator(task.seed, "prism", 0)
    start = initial_clips(task, "real", 2)[0]
    first, last = (start[:, :, t].clone().requires_grad_() for t in (0, -1))
    clips = torch.stack([first, (2 * first + last) / 3, (first + 2 * last) / 3, last], dim=2)
    student = build_student("cnn-gru", 3, FRAMES, 16, 4, seed_of(rng)).eval()
    if loss == "dm":
        means = dm.class_means(student, real, [real.draw(rng, label, 8) for label in range(3)], 256)
        torch.autograd.backward(dm.matching_loss(student, means, clips, 2))
    else:
        leaf = clips.detach().requires_grad_()
        dc.accumulate_gradient(student, real, leaf, 2, dc.DCSettings(real=8), rng)
        torch.autograd.backward(clips, leaf.grad)
    found = made(tmp_path / "ours", iterations=1, insert=False, loss=loss, lr=10, student="cnn-gru").tensors["frames"]
    for own, begun in ((found[::2], first), (found[1::2], last)):
        assert begun.grad is not None and float(begun.grad.abs().max()) > 0
        torch.testing.assert_close(own, (begun - 10 * begun.grad).detach(), rtol=1e-3, atol=1e-4)


def test_insertion_changes_no_clip_when_it_happens(tmp_path: Path) -> None:
    without, inserted = (
        made(tmp_path / str(insert), insert=insert, insert_every=4, threshold=1.0) for insert in (False, True)
    )
    assert without.tensors["keys"].sum(dim=1).tolist() == [2] * 6
    assert inserted.tensors["keys"].sum(dim=1).tolist() == [3] * 6
    torch.testing.assert_close(inserted.render()[0], without.render()[0])


def test_inserted_frames_are_learned(tmp_path: Path) -> None:
    """A frame of its own leaves the line between its neighbours."""
    clips = made(tmp_path, insert_every=2, threshold=1.0)
    keys, shown = clips.tensors["keys"], clips.render()[0]
    for clip, mask in zip(shown, keys, strict=True):
        (time,) = [t for t in (1, 2) if mask[t]]
        line = (3 - time) / 3 * clip[:, 0] + time / 3 * clip[:, 3]
        assert float((clip[:, time] - line).abs().max()) > 1e-4


def test_no_frame_disagrees_below_the_least_cosine(tmp_path: Path) -> None:
    never, off = made(tmp_path / "never", threshold=-1.0), made(tmp_path / "off", insert=False)
    assert torch.equal(never.render()[0], off.render()[0])


@pytest.mark.parametrize(("most", "expected"), [(None, FRAMES - 1), (2, 2), (3, 3), (4, 4), (9, 4)])
def test_no_clip_gets_more_key_frames_than_allowed(tmp_path: Path, most: int | None, expected: int) -> None:
    chosen = made(tmp_path, most=most, threshold=1.0)
    assert chosen.tensors["keys"].sum(dim=1).tolist() == [expected] * 6
    assert chosen.stored_bytes == 6 * (expected * 3 * 16 * 16 * 4 + FRAMES)
    assert Prism(PrismSettings(most=most)).stored_bytes(tiny_task(tmp_path, ipc=2)) == chosen.stored_bytes


def test_fewer_key_frames_than_allowed_take_fewer_bytes_than_promised(tmp_path: Path) -> None:
    chosen = made(tmp_path, insert=False)
    promised = Prism(PrismSettings(most=3)).stored_bytes(tiny_task(tmp_path, ipc=2))
    assert promised - chosen.stored_bytes == 6 * 3 * 16 * 16 * 4


def test_untrained_clips_are_lines_between_first_and_last_frames(tmp_path: Path) -> None:
    clips = made(tmp_path, iterations=0).render()[0].numpy()
    start = initial_clips(tiny_task(tmp_path, ipc=2), "real", 2)[0].numpy()
    line = [start[:, :, 0] + t / 3 * (start[:, :, 3] - start[:, :, 0]) for t in range(FRAMES)]
    np.testing.assert_allclose(clips, np.stack(line, axis=2), atol=1e-5)


def test_rates_and_work_are_those_of_the_loss(tmp_path: Path) -> None:
    assert PrismSettings().lr == dm.DMSettings().lr
    assert PrismSettings(loss="dc").lr == dc.DCSettings().lr
    assert PrismSettings(loss="dc", lr=3).lr == 3
    task = tiny_task(tmp_path, ipc=2)
    for loss, method in (("dm", dm.DM(dm.DMSettings(real=8))), ("dc", dc.DC(dc.DCSettings(real=8, iterations=5000)))):
        ours = Prism(PrismSettings.model_validate({"loss": loss, "real": 8})).work(task)
        theirs = method.work(task)
        assert ours is not None and theirs is not None
        assert [(one.what, one.batch, one.times) for one in ours] == [(w.what, w.batch, w.times) for w in theirs]
