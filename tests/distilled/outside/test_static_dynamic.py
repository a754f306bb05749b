"""The files of VDSD: images, motions and a hallucinator, as the form that draws pairs of them; on FRePo with labels."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.distilled.outside.conftest import LABELS, SIZE, Heard, Load, Save, T
from vdbench.datasets.view import View
from vdbench.distilled.outside.scales import SCALES
from vdbench.errors import DataError, UsageError

FRAMES = (T, 1, SIZE, SIZE)


def parts(images: int = 2, motions: int = 2) -> dict[str, Any]:
    """Files as the public code writes them, by name."""
    rng = torch.Generator().manual_seed(7)
    hallucinators = torch.nn.ModuleList([torch.nn.ModuleDict({"encoder": torch.nn.Conv3d(4, 3, 3, padding=1)})])
    return {
        "static.pt": {"image": torch.randn(3 * images, 3, SIZE, SIZE, generator=rng)},
        "dynamic_best.pt": torch.randn(3 * motions, *FRAMES, generator=rng),
        "weights_best.pt": hallucinators.state_dict(),
    }


def folder(place: Path, files: dict[str, Any]) -> Path:
    place.mkdir()
    for name, value in files.items():
        torch.save(value, place / name)
    return place


def theirs(files: dict[str, Any], static: torch.Tensor, dynamic: torch.Tensor) -> torch.Tensor:
    """Clips as the public code's network makes them, ``(n, 3, T, H, W)``, on the scale of ImageNet."""
    state = files["weights_best.pt"]
    conv = torch.nn.Conv3d(4, 3, 3, padding=1)
    conv.load_state_dict({"weight": state["0.encoder.weight"], "bias": state["0.encoder.bias"]})
    repeated = static.repeat(T, 1, 1, 1, 1).permute(1, 2, 0, 3, 4)
    clips: torch.Tensor = conv(torch.cat([repeated, dynamic.permute(0, 2, 1, 3, 4)], dim=1)).detach()
    return clips


def test_the_three_files_make_the_clips_of_the_public_code(heard: Heard, view: View, tmp_path: Path) -> None:
    files = parts()
    extra = {"dynamic_400.pt": torch.zeros(6, *FRAMES), "hal_400.pt": files["weights_best.pt"]}
    made, said = heard(folder(tmp_path / "result", files | extra))
    assert made.record.form == "static-dynamic"
    assert (len(made), made.record.ipc, made.tensors["targets"].tolist()) == (3, 1, [0, 1, 2])
    assert "taken for scaled by the mean and std of ImageNet" in said[0]
    assert made.record.settings["pixels"] == "imagenet"
    clips = theirs(files, files["static.pt"]["image"][::2], files["dynamic_best.pt"][::2])
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in SCALES["imagenet"])
    own_mean, own_std = (torch.tensor(values).view(3, 1, 1, 1) for values in view.train.normalisation)
    torch.testing.assert_close(made.render()[0], (clips * std + mean - own_mean) / own_std, rtol=1e-4, atol=1e-4)
    assert made.stored_bytes == 4 * (6 * 3 * SIZE**2 + 6 * T * SIZE**2 + 327)


def test_clips_on_the_scale_of_the_train_split_stay_what_they_are(load: Load, tmp_path: Path) -> None:
    files = parts()
    made = load(folder(tmp_path / "result", files), pixels="normalised")
    assert torch.equal(made.tensors["weight"], files["weights_best.pt"]["0.encoder.weight"])
    assert torch.equal(made.tensors["static"], files["static.pt"]["image"])
    assert torch.equal(made.tensors["dynamic"], files["dynamic_best.pt"][:, :, 0])


def test_every_epoch_shows_as_many_clips_as_the_public_code(load: Load, tmp_path: Path) -> None:
    made = load(folder(tmp_path / "result", parts(10, 10)), pixels="imagenet", lr="0.02")
    assert made.tensors["targets"].tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert (made.record.ipc, made.record.step_size) == (5, 0.02)
    assert len(made.of_epoch(3, torch.device("cpu")).render()[0]) == 15


def test_motions_may_have_an_axis_of_classes_and_all_may_be_one_file(load: Load, save: Save, tmp_path: Path) -> None:
    files = parts()
    files["dynamic_best.pt"] = files["dynamic_best.pt"].view(3, 2, *FRAMES)
    whole = {"static": files["static.pt"], "dynamic": files["dynamic_best.pt"], "hal": files["weights_best.pt"]}
    expected = load(folder(tmp_path / "result", files), pixels="imagenet").tensors
    found = load(save(whole), pixels="imagenet").tensors
    assert all(torch.equal(found[name], part) for name, part in expected.items())


def on_frepo(each: int = 2) -> dict[str, Any]:
    """Files as the public code on FRePo writes them, by name: clip i is made of image i and motion i."""
    rng = torch.Generator().manual_seed(8)
    files = parts(each, each)
    hot = torch.eye(3).repeat_interleave(each, dim=0) - 1 / 3
    return {
        "static.pt": files["static.pt"],
        "dynamic_10000.pt": files["dynamic_best.pt"].view(3, each, *FRAMES),
        "hal_10000.pt": files["weights_best.pt"],
        "y_syn_10000.pt": hot / (3 / 10) ** 0.5 / 3 + 0.02 * torch.randn(3 * each, 3, generator=rng),
    }


def test_the_files_on_frepo_make_its_clips_with_the_nearest_distributions(
    heard: Heard, view: View, tmp_path: Path
) -> None:
    files = on_frepo()
    earlier = {
        "dynamic_1.pt": torch.zeros(3, 2, *FRAMES), "dynamic_9600.pt": torch.zeros(3, 2, *FRAMES),
        "hal_9600.pt": files["hal_10000.pt"], "y_syn_9600.pt": torch.zeros(6, 3),
    }  # fmt: skip
    made, said = heard(folder(tmp_path / "result", files | earlier))
    assert (made.record.form, made.record.labels, made.record.ipc) == ("static-dynamic-fixed", "soft", 2)
    motions = files["dynamic_10000.pt"].flatten(0, 1)
    clips = theirs({"weights_best.pt": files["hal_10000.pt"]}, files["static.pt"]["image"], motions)
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in SCALES["imagenet"])
    own_mean, own_std = (torch.tensor(values).view(3, 1, 1, 1) for values in view.train.normalisation)
    shown, targets = made.render()
    torch.testing.assert_close(shown, (clips * std + mean - own_mean) / own_std, rtol=1e-4, atol=1e-4)
    labels = files["y_syn_10000.pt"]
    nearest = labels + (1 - labels.sum(dim=1, keepdim=True)) / 3  # which has no share below 0
    assert (nearest >= 0).all()
    torch.testing.assert_close(targets, nearest, rtol=1e-4, atol=1e-5)
    assert any("holds files of 3 iterations; those of the last one, 10000, are judged" in text for text in said)
    assert any("taken for centred labels as FRePo learns them" in text for text in said)


def test_labels_on_frepo_follow_their_clips_into_another_order_of_classes(heard: Heard, tmp_path: Path) -> None:
    files = on_frepo(1)
    (tmp_path / "names.txt").write_text("Diving\nArchery\nBiking\n")
    place = folder(tmp_path / "result", files)
    as_written = heard(place, pixels="normalised", classes="official")[0].tensors
    turned = heard(place, pixels="normalised", classes=str(tmp_path / "names.txt"))[0].tensors
    assert torch.equal(turned["static"], as_written["static"][[1, 2, 0]])
    assert torch.equal(turned["targets"], as_written["targets"][[1, 2, 0]][:, [1, 2, 0]])
    (tmp_path / "labels.txt").write_text("Diving\nArchery\nBiking\n")
    named = heard(place, pixels="normalised", labels=tmp_path / "labels.txt")[0]
    assert (named.tensors["targets"].tolist(), named.record.form) == ([2, 0, 1], "static-dynamic-fixed")


def test_labels_that_are_not_of_the_clips_are_refused(load: Load, tmp_path: Path) -> None:
    place = folder(tmp_path / "result", on_frepo() | {"y_syn_10000.pt": torch.zeros(3, 3)})
    with pytest.raises(DataError, match="holds 3 rows of labels, 6 images and 6 motions; it takes one of each for"):
        load(place)


def test_classes_that_are_counted_otherwise_are_put_in_order(load: Load, tmp_path: Path) -> None:
    files = parts()
    (tmp_path / "names.txt").write_text("Diving\nArchery\nBiking\n")
    made = load(folder(tmp_path / "result", files), pixels="normalised", classes=str(tmp_path / "names.txt"))
    assert torch.equal(made.tensors["static"], files["static.pt"]["image"][[2, 3, 4, 5, 0, 1]])
    assert torch.equal(made.tensors["dynamic"], files["dynamic_best.pt"][[2, 3, 4, 5, 0, 1], :, 0])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("static.pt", r"holds no images \(classes \* S, 3, H, W\), as in .* into one folder"),
        ("dynamic_best.pt", r"holds no motions \(classes \* D, T, 1, H, W\), as in dynamic_best\.pt; put the files"),
        ("weights_best.pt", "holds no weights of a hallucinator .* as in weights_best.pt; put the files"),
    ],
)
def test_a_missing_partner_is_named(load: Load, tmp_path: Path, name: str, sentence: str) -> None:
    files = parts()
    files.pop(name)
    with pytest.raises(DataError, match=sentence):
        load(folder(tmp_path / "result", files))


def test_a_single_one_of_the_files_asks_for_the_folder(load: Load, tmp_path: Path) -> None:
    place = folder(tmp_path / "result", parts())
    for name in ("dynamic_best.pt", "weights_best.pt"):
        with pytest.raises(DataError, match="put the files of images, motions and hallucinator into one folder"):
            load(place / name)


def test_parts_that_do_not_fit_are_refused(load: Load, tmp_path: Path) -> None:
    right = parts()
    two = {f"{number}.{rest}": part for number in (0, 1) for rest, part in (
        (name.removeprefix("0."), part) for name, part in right["weights_best.pt"].items())}  # fmt: skip
    labelled = {"image": right["static.pt"]["image"], "label": LABELS.flip(0)}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"dynamic_best.pt": torch.zeros(5, *FRAMES)}, "holds 5 motions, not as many for each of 3 classes"),
        ({"static.pt": {"image": torch.zeros(4, 3, SIZE, SIZE)}}, "holds 4 images, not as many for each"),
        ({"dynamic_best.pt": torch.zeros(6, 8, 1, 32, 32)}, "--set protocol.frames=8 --set protocol.size=32"),
        ({"static.pt": {"image": torch.zeros(6, 3, 8, 8)}}, "images of 8x8, but clips here have 4 frames of 16x16"),
        ({"static.pt": {"image": torch.full((6, 3, SIZE, SIZE), torch.inf)}}, "values that are not finite"),
        ({"weights_best.pt": two}, "holds 2 tensors that could be weights of a hallucinator"),
        ({"static.pt": labelled}, "images that are not class by class"),
    ]
    for number, (changed, sentence) in enumerate(wrong):
        with pytest.raises(DataError, match=sentence):
            load(folder(tmp_path / str(number), right | changed))
    with pytest.raises(UsageError, match="--labels has no effect on images and motions"):
        load(folder(tmp_path / "labels", right), labels=tmp_path / "labels.txt")
