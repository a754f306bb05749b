"""Clips found in a file, whatever their names, axes and company."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.distilled.outside.conftest import LABELS, SIZE, Heard, Load, Save, T, pixels, same
from vdbench.datasets.store import ClipStore
from vdbench.datasets.view import open_view
from vdbench.distilled.outside.loading import load_outside
from vdbench.errors import DataError

UNFIT: list[tuple[object, str]] = [
    (torch.zeros(6, 3), r"holds no tensor of 5 axes; it holds a tensor float32 \(6, 3\)"),
    ({}, "it holds no tensor"),
    (
        {"a": pixels(), "b": pixels()},
        "more than one tensor of clips; name one with --clips; it holds a uint8 .* b uint8",
    ),
    (pixels(frames=8), r"no clips of 4 frames of 16x16 .*--set protocol\.frames=8 --set protocol\.size=16"),
    (pixels(size=32).permute(0, 4, 1, 2, 3), r"--set protocol\.frames=4 --set protocol\.size=32"),
    (torch.zeros(6, 2, 5, 7, 9), r"--set protocol\.frames=\.\.\."),
    (pixels(0), "holds no clip$"),
]


@pytest.mark.parametrize(("value", "sentence"), UNFIT)
def test_clips_that_cannot_be_found_are_refused_with_what_is_there(
    load: Any, save: Save, value: object, sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        load(save(value))


def test_clips_beside_a_tensor_of_another_shape_are_found(load: Any, save: Save) -> None:
    assert same(load(save({"clips": pixels(), "conv": torch.zeros(6, 3, 3, 7, 7), "labels": LABELS})))


def test_three_frames_can_be_taken_for_channels_but_for_one_order(store: ClipStore, save: Save) -> None:
    three = open_view(store, store.folder.parents[1], frames=3, size=SIZE)
    clips = pixels(frames=3)
    for order in ((0, 4, 1, 2, 3), (0, 1, 4, 2, 3)):
        with pytest.raises(DataError, match=r"save them as \(N, T, H, W, 3\)"):
            load_outside(save((clips.permute(order), LABELS)), store, three.train)
    assert same(load_outside(save((clips, LABELS)), store, three.train), clips)


def experiments(count: int) -> dict[str, object]:
    """What DatasetCondensation saves: clips that differ by one grey level from one experiment to the next."""
    data = [[(pixels() // 2 + number).float(), LABELS] for number in range(count)]
    return {"data": data, "accs_all_exps": {"ConvNet3D": [np.float64(0.31), np.float64(0.3)]}}


def test_of_several_experiments_the_first_is_judged_unless_another_is_named(heard: Heard, save: Save) -> None:
    path = save(experiments(3))
    made, said = heard(path, pixels="uint8")
    assert same(made, pixels() // 2)
    assert "3 experiments, data.0 to data.2; the first one is judged, and --clips data.1 chooses the next" in said[0]
    assert made.record.settings["clips"] == "data.0.0"
    for chosen in ("data.2", "data.2.0"):
        made, said = heard(path, pixels="uint8", clips=chosen)
        assert same(made, pixels() // 2 + 2)
        assert said == []
    with pytest.raises(DataError, match="holds nothing called data.3, which --clips names; it holds data.0.0"):
        heard(path, pixels="uint8", clips="data.3")
    assert heard(save(experiments(1)), pixels="uint8")[1] == []


def test_one_of_several_tensors_is_named(load: Load, save: Save) -> None:
    path = save({"best": pixels(), "last": pixels() // 2, "labels": LABELS})
    assert same(load(path, clips="best"))
    assert same(load(path, clips="last"), pixels() // 2)


BY_CLASS = {
    "an axis of classes": pixels().view(3, 2, T, SIZE, SIZE, 3),
    "a list of classes": [pixels()[row : row + 2] for row in (0, 2, 4)],
    "a list of clips": list(pixels()),
    "names of classes": {"diving": pixels()[4:], "Archery": pixels()[:2], "biking": pixels()[2:4]},
}


@pytest.mark.parametrize("value", BY_CLASS.values(), ids=BY_CLASS)
def test_clips_of_each_class_may_lie_by_themselves(heard: Heard, save: Save, value: object) -> None:
    made, said = heard(save({"images": value, "epoch": 3}))
    assert same(made)
    assert len(said) == (value is BY_CLASS["an axis of classes"] or value is BY_CLASS["a list of clips"])


def test_classes_by_themselves_may_have_unequal_numbers_of_clips(heard: Heard, save: Save) -> None:
    made, said = heard(save([pixels()[:1], pixels()[1:4], pixels()[4:]]))
    assert made.tensors["targets"].tolist() == [0, 1, 1, 1, 2, 2]
    assert said == ["set.pt has 1 to 3 clips per class, not as many of each"]


@pytest.mark.parametrize("axes", [(0, 3, 1, 2), (0, 1, 2, 3)])
def test_images_stand_still(heard: Heard, save: Save, axes: tuple[int, ...]) -> None:
    images = pixels()[:, 0]
    made, said = heard(save({"image": images.permute(axes), "label": LABELS}))
    assert same(made, images[:, None].expand(-1, T, -1, -1, -1))
    assert "holds images instead of clips; each stands still for all 4 frames" in said[0]
