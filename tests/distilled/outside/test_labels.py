"""Labels of outside clips: numbers, names, shares, centred, or missing."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.distilled.outside.conftest import CLASSES, LABELS, Heard, Load, Save, pixels, same
from vdbench.clips.targets import nearest_distribution
from vdbench.datasets.store import ClipStore
from vdbench.datasets.view import View
from vdbench.distilled.outside.loading import load_outside
from vdbench.errors import DataError


def test_labels_may_be_distributions_one_hot_or_missing(load: Any, save: Save, store: ClipStore, view: View) -> None:
    soft = torch.softmax(torch.randn(6, 3, generator=torch.Generator().manual_seed(3)), dim=1)
    soft = soft[soft.argmax(dim=1).argsort(stable=True)]
    with pytest.warns(UserWarning, match="clips per class, not as many of each"):
        made = load_outside(save((pixels(), soft)), store, view.train)
    assert made.record.labels == "soft"
    assert torch.equal(made.tensors["targets"], soft)
    assert same(load(save((pixels(), torch.eye(3)[LABELS]))))
    with pytest.warns(UserWarning, match="class by class, 2 of each, from 'Archery' to 'Diving'"):
        assert same(load_outside(save(pixels()), store, view.train))


WRONG_LABELS: list[tuple[object, str]] = [
    (pixels(5), "5 clips are not as many of each of 3 classes; name them with --labels"),
    ((pixels(), LABELS + 1), "run from 1 to 3, but the 3 classes from 0 to 2"),
    ((pixels(), LABELS - 1), "run from -1 to 1"),
    ((pixels(), LABELS.double() * 1e30), r"run from 0 to 2e\+30"),
    ((pixels(), torch.full((6, 3), 0.5)), "no distributions, between 0.5 and 0.5"),
    ((pixels(), torch.tensor([[2.0, -1.0, 0.0]] * 6)), "no distributions, between -1 and 2"),
    ((pixels(), torch.full((6, 4), 0.25)), "a row per clip, but none of them are the labels of 6 clips of 3 classes"),
    ((pixels(), LABELS + 0.5), "a row per clip, but none of them"),
    ((pixels(), LABELS.double().masked_fill(LABELS == 2, torch.nan)), "a row per clip, but none of them"),
    ((pixels(), torch.randn(6, 3, generator=torch.Generator().manual_seed(0)) * 9), "such as the softmax of logits"),
    ({"clips": pixels(), "labels": ["Archery", "bikng"] * 3}, "label 2 of .*, 'bikng', is no class"),
    ({"c": pixels(), "l": LABELS, "i": LABELS}, r"more than one tensor that could be .* l int64 \(6,\), i int64"),
]


@pytest.mark.parametrize(("value", "sentence"), WRONG_LABELS)
def test_labels_that_do_not_fit_are_refused(load: Any, save: Save, value: object, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        load(save(value))


def test_a_file_of_labels_wins_over_those_beside_the_clips(load: Any, save: Save, tmp_path: Path) -> None:
    text = tmp_path / "labels.txt"
    text.write_text("archery\r\nArchery\n1\n Biking \nDiving\n2\n\n")
    path = save({"clips": pixels(), "wrong": LABELS.flip(0), "too": LABELS})
    assert same(load(path, labels=text))
    assert same(load(path, labels=save({"only": LABELS}, "labels.pt")))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"Archery\n", "has 1 labels for 6 clips"),
        (
            b"0\n0\n1\nSurfing\n2\n2\n",
            "label 4 .* 'Surfing', is no class, such as 'Archery', and no number",
        ),
        (b"0\n0\n1\n1\n2\n3\n", "label 6 .* '3'"),
        (b"\xff\xfe\x00", "is no text"),
    ],
)
def test_a_file_of_labels_that_does_not_fit_is_refused(
    load: Any, save: Save, tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        load(save(pixels()), labels=path)
    with pytest.raises(DataError, match="there is no file of labels"):
        load(save(pixels()), labels=tmp_path / "none.txt")
    with pytest.raises(DataError, match=r"holds \(5,\), not the labels of 6 clips"):
        load(save(pixels()), labels=save(LABELS[:5], "short.pt"))


def test_the_order_of_classes_in_a_file_plays_no_part(load: Any, save: Save) -> None:
    mixed = torch.tensor([2, 0, 4, 3, 1, 5])  # within a class, rows keep their order
    made = load(save((pixels()[mixed], LABELS[mixed])))
    assert torch.equal(made.tensors["targets"], LABELS)
    assert torch.equal(made.tensors["clips"], pixels()[[0, 1, 2, 3, 4, 5]])


@pytest.mark.parametrize(
    "labels",
    [LABELS.double(), LABELS.half(), LABELS.view(6, 1), LABELS.view(3, 2), list(CLASSES[label] for label in LABELS)],
)
def test_class_numbers_may_be_floats_or_have_more_axes_and_names_are_labels_too(
    load: Load, save: Save, labels: object
) -> None:
    assert same(load(save({"clips": pixels(), "labels": labels})))


def test_centred_labels_become_the_nearest_distributions_and_a_warning_says_so(heard: Heard, save: Save) -> None:
    one_hot = torch.eye(3)[LABELS] - 1 / 3
    made, said = heard(save((pixels(), one_hot)))
    assert made.record.labels == "soft"
    torch.testing.assert_close(made.tensors["targets"], torch.eye(3)[LABELS], rtol=0, atol=1e-6)
    assert "taken for centred labels as FRePo learns them" in said[0]
    assert "the most likely class 1.00 on average" in said[0]
    learned = one_hot / 2 + 0.02 * torch.randn(6, 3, generator=torch.Generator().manual_seed(4))
    made, _ = heard(save((pixels(), learned)))
    torch.testing.assert_close(made.tensors["targets"], nearest_distribution(learned.double()).float())


def test_labels_beside_the_clips_go_before_others_and_those_called_so_before_their_neighbours(
    load: Load, save: Save
) -> None:
    wrong = LABELS.flip(0)
    assert same(load(save({"data": [[pixels(), LABELS]], "indices": wrong, "accs": {"net": wrong.tolist()}})))
    assert same(load(save({"clips": pixels(), "label_syn": LABELS, "indices": wrong})))


def test_accuracies_are_no_labels(heard: Heard, save: Save) -> None:
    made, said = heard(save({"data": [[pixels()]], "accs": [0.25] * 6}), labels=save(LABELS, "labels.pt"))
    assert same(made)
    assert said == []
