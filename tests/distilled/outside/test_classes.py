"""Classes in other spellings and in another order."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.distilled.outside.conftest import LABELS, Load, Save, pixels, same
from vdbench.datasets.store import ClipStore
from vdbench.datasets.view import View
from vdbench.distilled.outside.classes import counted_classes, in_order_of, position
from vdbench.distilled.outside.loading import Reading, load_outside
from vdbench.errors import DataError


def test_class_names_are_known_in_other_spellings() -> None:
    classes = ("air drumming", "Playing-Cello", "yoga", "7")
    assert [position(name, classes) for name in ("air_drumming", "playing cello", "Yoga", "7", "1", "4", "-1")] == [
        0, 1, 2, 3, 1, None, None,
    ]  # fmt: skip
    assert position("1", classes, numbers=False) is None
    assert position("a b", ("a_b", "a b")) == 1
    assert position("A b", ("a_b", "a b")) is None


OURS = ("Hammering", "HammerThrow", "Yoga")
"""As a data set counts them; Python sorts the second before the first."""


def test_class_numbers_may_count_sorted_names_or_those_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("yoga\nhammerthrow\n\n Hammering\n")
    assert counted_classes("sorted", {}, OURS) == ("HammerThrow", "Hammering", "Yoga")
    assert counted_classes("official", {}, OURS) == OURS
    assert counted_classes(str(tmp_path / "names.txt"), {}, OURS) == ("Yoga", "HammerThrow", "Hammering")
    assert counted_classes(None, {}, OURS) is None
    assert counted_classes(None, {"names": np.array(["Yoga", "HammerThrow", "Hammering"])}, OURS) == OURS[::-1]
    assert counted_classes(None, {"names": np.array(["Yoga", "HammerThrow", "Dance"])}, OURS) is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("Yoga\nDance\nHammering\n", "does not name each of the 3 classes once: 'Dance' is none of them"),
        ("Yoga\nHammering\n", "does not name each of the 3 classes once: it has 2 names"),
        ("Yoga\nYoga\nHammering\n", "once: it has 3 names"),
    ],
)
def test_a_file_that_does_not_name_every_class_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "names.txt").write_text(content)
    with pytest.raises(DataError, match=sentence):
        counted_classes(str(tmp_path / "names.txt"), {}, OURS)
    with pytest.raises(DataError, match="--classes none is neither 'official' nor 'sorted' nor a text file"):
        counted_classes("none", {}, OURS)


def test_numbers_and_shares_are_put_in_the_order_of_the_data_set() -> None:
    theirs = ("Yoga", "Hammering", "HammerThrow")
    assert in_order_of(torch.tensor([0, 1, 2, 0]), theirs, OURS).tolist() == [2, 0, 1, 2]
    shares = torch.tensor([[0.7, 0.2, 0.1]])
    assert torch.equal(in_order_of(shares, theirs, OURS), torch.tensor([[0.2, 0.1, 0.7]]))


def test_the_same_set_counted_otherwise_is_the_same(load: Load, save: Save, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Diving\nArchery\nBiking\n")
    theirs = torch.tensor([1, 2, 0])[LABELS]
    assert same(load(save((pixels(), theirs)), classes=str(tmp_path / "names.txt")))
    assert same(load(save({"clips": pixels(), "labels": theirs, "classes": ["Diving", "Archery", "Biking"]})))
    soft = torch.eye(3)[theirs] * 0.8 + 0.1 * (1 - torch.eye(3)[theirs])
    made = load(save((pixels(), soft)), classes=str(tmp_path / "names.txt"))
    assert made.labels().tolist() == LABELS.tolist()


def test_an_order_that_is_not_sorted_is_warned_of_where_numbers_are_read(
    store: ClipStore, view: View, save: Save
) -> None:
    ours = replace(view.train, classes=("Biking", "archery", "Diving"))
    with pytest.warns(UserWarning, match="sorted names differ from it in 2 of 3 classes, first in number 1, 'archery'"):
        load_outside(save((pixels(), LABELS)), store, ours)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for reading in (Reading(classes="official"), Reading(classes="sorted"), Reading(labels=names(save))):
            load_outside(save((pixels(), LABELS)), store, ours, reading)


def names(save: Save) -> Path:
    return save(["Biking", "Biking", "archery", "archery", "Diving", "Diving"], "names.pt")
