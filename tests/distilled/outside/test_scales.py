"""Scales of pixels: the same pixels come back from each, and a likely one is offered."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.distilled.outside.conftest import LABELS, SIZE, Load, Save, T, pixels, same, scaled
from vdbench.clips.clipset import Normalisation, to_network
from vdbench.datasets.view import View
from vdbench.distilled.outside.scales import SCALES, as_stored, parse_scale, scale_of
from vdbench.errors import DataError, UsageError

OWN = Normalisation((0.41, 0.38, 0.37), (0.21, 0.2, 0.22))


@pytest.mark.parametrize("order", [(0, 4, 1, 2, 3), (0, 1, 4, 2, 3), (0, 1, 2, 3, 4)])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("option", "scale"),
    [
        ("uint8", Normalisation((0, 0, 0), (1 / 255,) * 3)),
        ("unit", Normalisation((0, 0, 0), (1, 1, 1))),
        ("signed", Normalisation((0.5,) * 3, (0.5,) * 3)),
        ("imagenet", Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))),
        ("kinetics", Normalisation((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))),
        ("mean=0.4,0.4,0.5:std=0.2,0.3,0.25", Normalisation((0.4, 0.4, 0.5), (0.2, 0.3, 0.25))),
    ],
)
def test_the_same_clips_are_the_same_pixels_on_every_scale_and_in_every_order_of_axes(
    load: Any, save: Save, order: tuple[int, ...], dtype: torch.dtype, option: str, scale: Normalisation
) -> None:
    clips = scaled(pixels(), scale).to(dtype).permute(order)
    assert same(load(save({"any": clips, "name": LABELS}), pixels=option))


def test_the_scale_of_the_train_split_is_called_normalised(load: Any, save: Save, view: View) -> None:
    clips = to_network(pixels(), view.train.normalisation)
    made = load(save((clips, LABELS)), pixels="normalised")
    assert same(made)
    assert torch.equal(made.render()[0], clips)


@given(
    mean=st.tuples(*[st.floats(-1, 1)] * 3), std=st.tuples(*[st.floats(0.01, 2)] * 3), seed=st.integers(0, 2**32 - 1)
)
def test_pixels_come_back_from_any_scale(
    mean: tuple[float, float, float], std: tuple[float, float, float], seed: int
) -> None:
    clips = np.random.default_rng(seed).integers(0, 256, (2, 1, 3, 3, 3))
    values = ((clips / 255 - mean) / std).astype(np.float32)
    stored = as_stored(values, Normalisation(mean, std), OWN)
    assert np.array_equal(stored.numpy(), clips)


def test_learned_clips_keep_their_values_on_the_scale_of_the_train_split(load: Any, save: Save, view: View) -> None:
    own = view.train.normalisation
    learned = torch.randn(6, 3, T, SIZE, SIZE, generator=torch.Generator().manual_seed(2))
    kept = load(save((learned, LABELS)), pixels="normalised")
    assert torch.equal(kept.render()[0], learned)
    half = load(save((learned.half(), LABELS)), pixels="normalised")
    assert half.tensors["clips"].dtype == torch.float16
    assert torch.equal(half.render()[0], learned.half().float())
    unit = learned * 0.2 + 0.5
    moved = load(save((unit, LABELS)), pixels="unit").render()[0]
    expected = (unit - torch.tensor(own.mean).view(3, 1, 1, 1)) / torch.tensor(own.std).view(3, 1, 1, 1)
    torch.testing.assert_close(moved, expected)


def test_integers_need_no_scale_and_take_no_other(load: Any, save: Save) -> None:
    for dtype in (torch.uint8, torch.int16, torch.int64):
        assert same(load(save((pixels().to(dtype), LABELS))))
    with pytest.raises(UsageError, match="holds integers, which are pixels from 0 to 255"):
        load(save((pixels(), LABELS)), pixels="unit")
    with pytest.raises(DataError, match="integers from 0 to 256"):
        load(save((pixels().long().masked_fill_(pixels() == 255, 256), LABELS)))


@pytest.mark.parametrize(
    ("values", "likely"),
    [
        (pixels().float() / 255, "unit"),
        (pixels().float() / 127.5 - 1, "signed"),
        (pixels().float(), "uint8"),
        (pixels().float() / 255 * 1.005 - 0.002, "unit"),
        (scaled(pixels(), SCALES["imagenet"]), "imagenet"),
        (scaled(pixels(), SCALES["imagenet"]).half(), "imagenet"),
        (scaled(pixels() + 0.4, SCALES["imagenet"]), "imagenet"),
        (scaled(pixels(), SCALES["kinetics"]), "kinetics"),
        (3 * torch.randn(6, T, SIZE, SIZE, 3), "imagenet, or else normalised or kinetics, between which .* not tell"),
    ],
)
def test_floats_are_not_guessed_but_the_likely_scale_is_offered(
    load: Any, save: Save, values: torch.Tensor, likely: str
) -> None:
    with pytest.raises(UsageError, match=rf"holds floats from .* most likely --pixels {likely}$"):
        load(save((values, LABELS)))


@pytest.mark.parametrize(
    ("values", "typed", "likely"),
    [(pixels().float(), "unit", "uint8"), (pixels().float() / 255, "uint8", "unit")],
)
def test_a_scale_that_cannot_be_meant_is_refused(
    load: Any, save: Save, values: torch.Tensor, typed: str, likely: str
) -> None:
    with pytest.raises(DataError, match=f"did you mean --pixels {likely}"):
        load(save((values, LABELS)), pixels=typed)


@pytest.mark.parametrize(
    ("values", "typed", "likely"),
    [
        (pixels().float() / 127.5 - 1, "unit", "signed"),
        (pixels().float() / 255, "signed", "unit"),
        (pixels().float() / 255, "imagenet", "unit"),
        (pixels().float() / 255, "normalised", "unit"),
    ],
)
def test_a_scale_that_another_fits_better_is_taken_with_a_warning(
    values: torch.Tensor, typed: str, likely: str
) -> None:
    with pytest.warns(UserWarning, match=rf"as --pixels {typed} says; they look like those of --pixels {likely}$"):
        scale_of(values.numpy(), typed, OWN, "it")


@pytest.mark.parametrize(
    ("values", "typed"),
    [
        (pixels().float() / 255 * 1.4 - 0.2, "unit"),
        (pixels().float() / 127.5 * 1.4 - 1.4, "signed"),
        (scaled(pixels(), SCALES["imagenet"]), "imagenet"),
        (scaled(pixels(), OWN), "normalised"),
        (3 * torch.randn(6, T, SIZE, SIZE, 3).clamp(-2, 2) / 6, "imagenet"),
    ],
)
def test_learned_clips_may_leave_the_range_of_pixels(
    values: torch.Tensor, typed: str, recwarn: pytest.WarningsRecorder
) -> None:
    scale_of(values.numpy(), typed, OWN, "it")
    assert not recwarn.list


@pytest.mark.parametrize("text", ["", "byte", "mean=1,2:std=1,1,1", "mean=0,0,0:std=1,0,1", "mean=a,b,c:std=1,1,1",
                                  "mean=nan,0,0:std=1,1,1", "mean=0,0,0:std=1,inf,1", "mean=0,0,0"])  # fmt: skip
def test_what_is_no_scale_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no scale; give uint8"):
        parse_scale(text, OWN)


def test_values_that_are_not_finite_and_truth_values_are_refused() -> None:
    broken = np.full((1, 1, 2, 2, 3), np.nan)
    with pytest.raises(DataError, match="not finite"):
        scale_of(broken, "unit", OWN, "it")
    with pytest.raises(DataError, match="truth values"):
        scale_of(broken.astype(bool), "unit", OWN, "it")
    with pytest.raises(DataError, match="complex numbers"):
        scale_of(broken.astype(complex), "unit", OWN, "it")


def test_the_scale_of_the_train_split_is_likely_where_only_it_gives_whole_pixels(
    load: Load, save: Save, view: View
) -> None:
    with pytest.raises(UsageError, match="most likely --pixels normalised$"):
        load(save((to_network(pixels(), view.train.normalisation), LABELS)))
