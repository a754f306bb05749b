"""Clips: what is refused, and how pixels enter a network."""

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from vdbench.clips import clipset
from vdbench.clips.clipset import Normalisation, pixel_statistics, to_network
from vdbench.testing import tiny_clips

clips = tiny_clips()


def test_sizes_and_rows() -> None:
    assert (len(clips), clips.frames, clips.size) == (36, 4, 16)
    assert clips.rows_of(1).tolist() == [i for i in range(36) if clips.labels[i] == 1]
    wider = replace(clips, classes=(*clips.classes, "nobody"))
    assert wider.counts().tolist() == [9, 12, 15, 0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"clips": clips.clips.astype(np.float32)}, "clips must be uint8"),
        ({"clips": clips.clips[..., :2]}, "clips must be uint8"),
        ({"labels": clips.labels[1:]}, "one entry per clip"),
        ({"ids": clips.ids[1:]}, "one entry per clip"),
        ({"labels": clips.labels + 1}, r"labels must lie in 0\.\.2"),
        ({"labels": clips.labels - 1}, r"labels must lie in 0\.\.2"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(clips, **change)  # type: ignore[arg-type]


def test_network_input_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (2, 3, 4, 5, 3), dtype=np.uint8)
    normalisation = Normalisation((0.1, 0.2, 0.3), (0.5, 0.25, 2.0))
    expected = (pixels / 255 - np.array(normalisation.mean)) / np.array(normalisation.std)
    found = to_network(torch.from_numpy(pixels), normalisation)
    assert found.shape == (2, 3, 3, 4, 5)
    assert found.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(found, torch.from_numpy(expected).float().permute(0, 4, 1, 2, 3))


@pytest.mark.parametrize("lines", [0, 1, 511, 512, 513, 1200])
def test_network_input_is_the_same_to_the_bit_however_many_lines_are_turned_at_a_time(lines: int) -> None:
    pixels = torch.from_numpy(np.random.default_rng(lines).integers(0, 256, (1, 1, lines, 7, 3), dtype=np.uint8))
    mean, std = (0.4, 0.45, 0.5), (0.21, 0.22, 0.23)
    expected = ((pixels.float() / 255) - torch.tensor(mean)) / torch.tensor(std)
    found = to_network(pixels, Normalisation(mean, std))
    assert torch.equal(found, expected.permute(0, 4, 1, 2, 3))


def test_rendered_train_clips_have_mean_zero_and_std_one() -> None:
    rendered, labels = clips.render()
    assert rendered.dtype == torch.float32
    assert torch.equal(labels, torch.from_numpy(np.array(clips.labels)))
    torch.testing.assert_close(rendered.mean(dim=(0, 2, 3, 4)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(rendered.std(dim=(0, 2, 3, 4)), torch.ones(3), atol=1e-4, rtol=0)


def test_rows_can_be_rendered_alone_and_leave_the_clips_alone() -> None:
    rows = torch.tensor([5, 0, 5])
    some, labels = clips.render(rows)
    everything, _ = clips.render()
    assert torch.equal(some, everything[rows])
    assert labels.tolist() == clips.labels[[5, 0, 5]].tolist()
    some.zero_()
    assert torch.equal(clips.render()[0], everything)


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 5), st.just(2), st.just(2), st.just(2), st.just(3))))
def test_statistics_are_exact_and_do_not_depend_on_order_or_chunks(pixels: NDArray[np.uint8]) -> None:
    found = pixel_statistics(pixels)
    channels = (pixels / 255).reshape(-1, 3)
    np.testing.assert_allclose(found.mean, channels.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.std, np.maximum(channels.std(axis=0), 1e-4), atol=1e-5)
    with patch.object(clipset, "COUNTED", 2):
        assert found == pixel_statistics(pixels[::-1])
