"""RDED: scores and choices against the public numbers, crops, mosaics, labels, bytes, and a world with wrong clips."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.formulas import sequence
from tests.methods.test_difficulty import planted
from vdbench.distilled import DistilledSet
from vdbench.testing import check_method, tiny_task
from vdbench_methods.random import Random
from vdbench_methods.rded import RDED, RDEDSettings, cropped, drawn, easiest, losses, mosaics, shown_to

SMALL: dict[str, Any] = {"encoder": {"name": "minic3d-trained", "width": 8, "epochs": 30}, "candidates": 6, "crops": 3}


def rded(**changes: Any) -> RDED:
    return RDED(RDEDSettings.model_validate(SMALL | changes))


def public_example() -> torch.Tensor:
    """Losses of six candidates' five crops under a linear teacher."""
    i, k, c, t, y, x = torch.meshgrid(*map(sequence, (6, 5, 3, 8, 4, 4)), indexing="ij")
    crops = torch.sin(
        0.3 + 1.7 * i + 0.9 * k + 1.1 * c + 0.45 * t + 0.8 * y + 0.6 * x
        + 0.21 * k * x + 0.13 * i * y + 0.05 * k**2 * t
    )  # fmt: skip
    j = sequence(3 * 384)
    teacher = (0.05 * torch.cos(0.11 * j) + 0.03 * torch.sin(1.3 * j + 0.5)).view(3, 384)
    return losses(crops.flatten(2).flatten(0, 1) @ teacher.T, 1).view(6, 5)


SCORES = [
    [0.37391166363317296, 1.1854643720546014, 2.044600019758806, 1.0740285288394793, 1.4267261826998268],
    [1.7268535695402738, 2.1322930275183367, 1.2427290579169439, 0.9531276146943516, 0.6691019362694481],
    [2.042092467164882, 1.0898379728143446, 0.6365685232935113, 1.230249490683612, 1.3357414470277758],
    [0.71605947921162, 0.7052828681792298, 1.6681726759489197, 1.1781688967972748, 1.4795571024794345],
    [1.0238949391749692, 1.693307000562544, 1.4606303089444481, 0.977087571388876, 0.8679455325209448],
    [1.6366805496329593, 1.3541178756534888, 0.7366669154113781, 1.1211038608651884, 1.0516107871505855],
]  # fmt: skip


def test_scores_are_those_of_the_public_code() -> None:
    for found, expected in zip(public_example(), SCORES, strict=True):
        assert found.tolist() == pytest.approx(expected, abs=1e-12)


def test_choices_are_those_of_the_public_code() -> None:
    scores = public_example().numpy()
    by_score = [(0, 0), (2, 2), (1, 4), (3, 1), (5, 2), (4, 4)]
    for count in range(1, 6):
        assert easiest(scores, count) == by_score[:count]
    for count in (6, 9):
        assert easiest(scores, count) == sorted(by_score)  # all, in their order
    assert easiest(scores[2:3], 1) == [(0, 2)]


@given(st.integers(4, 40), st.floats(0.05, 1), st.integers(0, 2**32 - 1))
def test_crops_lie_in_the_frame_and_have_their_size_and_proportions(size: int, smallest: float, seed: int) -> None:
    top, left, height, width = drawn(np.random.default_rng(seed), size, smallest)
    assert 0 <= top <= top + height <= size
    assert 0 <= left <= left + width <= size
    assert (height + 0.5) * (width + 0.5) >= smallest * size**2 * (1 - 1e-9)
    assert (max(height, width) - 0.5) / (min(height, width) + 0.5) <= 4 / 3


def test_crops_of_all_places_and_sizes_come_up() -> None:
    rng = np.random.default_rng(0)
    boxes = np.array([drawn(rng, 320, 0.08) for _ in range(4000)])
    shares = boxes[:, 2] * boxes[:, 3] / 320**2
    assert shares.min() < 0.09 and shares.max() > 0.98
    areas = np.linspace(0.08, 1, 10_000)
    fits = np.minimum(1, -np.log(areas) / np.log(4 / 3))  # a large crop whose sides differ does not, and is drawn again
    assert abs(shares.mean() - (areas * fits).sum() / fits.sum()) < 0.015
    for start, length in ((boxes[:, 0], boxes[:, 2]), (boxes[:, 1], boxes[:, 3])):
        assert abs((start / (320 - length).clip(min=1)).mean() - 0.5) < 0.03


def test_a_crop_is_that_part_of_every_frame() -> None:
    clip = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    assert np.array_equal(cropped(clip, (0, 0, 16, 16), 16).numpy(), clip)
    assert np.array_equal(cropped(clip, (2, 5, 8, 8), 8).numpy(), clip[:, 2:10, 5:13])
    for (top, left, height, width), side in (((1, 2, 9, 11), 16), ((0, 0, 16, 16), 6), ((3, 0, 13, 10), 8)):
        found = cropped(clip, (top, left, height, width), side).numpy()
        for own, frame in zip(found, clip, strict=True):
            part = Image.fromarray(frame[top : top + height, left : left + width])
            assert np.abs(own.astype(int) - np.asarray(part.resize((side, side), Image.Resampling.BILINEAR))).max() <= 1


@pytest.mark.parametrize(("factor", "size"), [(1, 16), (2, 16), (3, 16)])
def test_a_mosaic_holds_its_tiles_row_by_row(factor: int, size: int) -> None:
    side = -(-size // factor)
    tiles = torch.arange(2 * factor**2, dtype=torch.uint8).view(-1, 1, 1, 1, 1).expand(-1, 4, side, side, 3)
    made = mosaics(tiles.contiguous(), factor, size)
    assert made.shape == (2, 4, size, size, 3)
    for y in range(size):
        for x in range(size):
            place = y // side * factor + x // side
            assert made[0, :, y, x].unique().tolist() == [place]
            assert made[1, :, y, x].unique().tolist() == [factor**2 + place]


@pytest.mark.parametrize("pool", ["real", "generated"])
@pytest.mark.parametrize("changes", [{}, {"labels": "hard", "factor": 2}, {"score": "random", "factor": 3}])
def test_it_conforms_on_both_pools(pool: str, changes: dict[str, Any]) -> None:
    assert check_method(rded(pool=pool, **changes)) == []


@pytest.mark.parametrize("labels", ["soft", "hard"])
def test_bytes_are_pixels_and_soft_labels(tmp_path: Path, labels: str) -> None:
    task, method = tiny_task(tmp_path / "task", ipc=2), rded(labels=labels)
    made = method.distill(task)
    pixels, soft = 6 * 4 * 16 * 16 * 3, 6 * 3 * 4
    assert made.stored_bytes == method.stored_bytes(task) == pixels + (soft if labels == "soft" else 0)
    assert method.stored_bytes(task, clip_bytes=100) == 600 + (soft if labels == "soft" else 0)
    made.save(tmp_path / "artefact")
    assert torch.equal(DistilledSet.load(tmp_path / "artefact").tensors["targets"], made.tensors["targets"])


def test_soft_labels_are_the_teachers_on_what_is_stored(tmp_path: Path) -> None:
    task, method = tiny_task(tmp_path, ipc=2), rded(temperature=2.5, factor=2)
    made = method.distill(task)
    teacher = method.settings.judges()[0].trained(task.assets).eval()
    with torch.no_grad():
        expected = (teacher(made.render()[0]) / 2.5).softmax(dim=1)
    torch.testing.assert_close(made.tensors["targets"], expected, rtol=1e-4, atol=1e-6)


def test_what_the_teacher_finds_easiest_is_kept_and_a_wrong_clip_is_not(tmp_path: Path) -> None:
    task = planted(tmp_path, ipc=5, wrong=(0, 1))
    chosen, control = (rded(candidates=99, labels="hard", score=score) for score in ("teacher", "random"))
    teacher = chosen.settings.judges()[0].trained(task.assets).eval()

    def mean_loss(made: DistilledSet) -> float:
        logits = shown_to(teacher, made.tensors["clips"], task.train, task.device)
        return float(torch.stack([losses(logits, label)[5 * label : 5 * label + 5] for label in range(3)]).mean())

    def colours(made: DistilledSet) -> list[int]:
        return made.tensors["clips"].float().amax(dim=(1, 2, 3)).argmax(dim=1).tolist()

    kept = chosen.distill(task)
    assert mean_loss(kept) < 0.7 * mean_loss(control.distill(task))
    assert colours(kept) == [label for label in range(3) for _ in range(5)]


def test_whole_frames_of_the_control_are_the_clips_of_random(tmp_path: Path) -> None:
    task = tiny_task(tmp_path, ipc=3, seed=4)
    made = rded(score="random", smallest=1, labels="hard").distill(task)
    picked = Random().distill(task)
    assert torch.equal(made.tensors["targets"], picked.tensors["targets"])
    torch.testing.assert_close(made.render()[0], picked.render()[0])
