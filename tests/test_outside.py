"""Clips that other people's code made: found, scaled and labelled right, or refused in one sentence."""

import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from tests import odd_videos
from tests.worlds import ucf_world
from vdbench.clipset import Normalisation, to_network
from vdbench.datasets.prepare import prepare
from vdbench.datasets.spec import load_dataset
from vdbench.datasets.store import ClipStore
from vdbench.datasets.view import View, open_view
from vdbench.distilled import DistilledSet
from vdbench.errors import DataError, UsageError
from vdbench.outside.labels import position
from vdbench.outside.loading import is_outside, load_outside
from vdbench.outside.scales import as_stored, parse_scale, scale_of

T, SIZE, CLASSES = 4, 16, ("Archery", "Biking", "Diving")
OWN = Normalisation((0.41, 0.38, 0.37), (0.21, 0.2, 0.22))
LABELS = torch.tensor([0, 0, 1, 1, 2, 2])
Save = Callable[..., Path]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ClipStore:
    root = tmp_path_factory.mktemp("outside")
    world, spec = ucf_world(root / "world"), load_dataset("ucf101")
    return prepare(spec, world.root, root / "home", partial=True, workers=1, geometry=spec.geometry.at(8, 32))


@pytest.fixture(scope="module")
def view(store: ClipStore) -> View:
    return open_view(store, store.folder.parents[1], frames=T, size=SIZE)


@pytest.fixture
def load(store: ClipStore, view: View) -> Callable[..., DistilledSet]:
    """``load(path, pixels="unit")``; a warning that is not expected is an error."""

    def call(path: Path, **options: Any) -> DistilledSet:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return load_outside(path, store, view.train, **options)

    return call


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """``save(value)``: a ``.pt`` file that holds the value."""

    def call(value: object, name: str = "set.pt") -> Path:
        torch.save(value, tmp_path / name)
        return tmp_path / name

    return call


def pixels(count: int = 6, frames: int = T, size: int = SIZE) -> torch.Tensor:
    return torch.randint(0, 256, (count, frames, size, size, 3), generator=torch.Generator().manual_seed(1)).byte()


def scaled(clips: torch.Tensor, scale: Normalisation) -> torch.Tensor:
    """Pixels ``(N, T, H, W, 3)`` on a scale, in the same order of axes."""
    return (clips.double() / 255 - torch.tensor(scale.mean)) / torch.tensor(scale.std)


def same(made: DistilledSet, clips: torch.Tensor | None = None) -> bool:
    """Whether a set holds these pixels, as pixels, under the usual labels."""
    stored = made.tensors["clips"]
    wanted = pixels() if clips is None else clips
    return stored.dtype == torch.uint8 and torch.equal(stored, wanted) and torch.equal(made.tensors["targets"], LABELS)


@pytest.mark.parametrize("order", [(0, 4, 1, 2, 3), (0, 1, 4, 2, 3), (0, 1, 2, 3, 4)])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("option", "scale"),
    [
        ("uint8", Normalisation((0, 0, 0), (1 / 255,) * 3)),
        ("unit", Normalisation((0, 0, 0), (1, 1, 1))),
        ("signed", Normalisation((0.5,) * 3, (0.5,) * 3)),
        ("imagenet", Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))),
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
        ((pixels().float() / 255 - 0.4) / 0.2, "normalised"),
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


def test_every_kind_of_file_holds_the_same_set(load: Any, save: Save, tmp_path: Path) -> None:
    clips, labels = pixels(), LABELS
    np.save(tmp_path / "clips.npy", clips.numpy())
    np.save(tmp_path / "labels.npy", labels.numpy())
    np.savez(tmp_path / "both.npz", a=clips.numpy(), b=labels.numpy(), c=np.array(["words"]))
    save_file({"x": clips, "y": labels.int()}, tmp_path / "both.safetensors")
    assert same(load(tmp_path / "clips.npy", labels=tmp_path / "labels.npy"))
    assert same(load(tmp_path / "both.npz"))
    assert same(load(tmp_path / "both.safetensors"))
    assert same(load(save([labels, clips], "upper.PT")))
    assert same(load(save({"lr": 0.1, "state": [{"clips": torch.nn.Parameter(clips.float()), "y": labels.tolist()}]}),
                     pixels="uint8"))  # fmt: skip
    assert same(load(save({"clips": clips.bfloat16(), "y": labels}), pixels="uint8"), clips.bfloat16().byte())


class Bomb:
    """What a pickle can do when it is loaded: here, make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("legacy", [True, False])
def test_nothing_in_a_file_is_executed(load: Any, tmp_path: Path, legacy: bool) -> None:
    trace, path = tmp_path / "executed", tmp_path / "bomb.pt"
    value = {"clips": pixels(), "labels": LABELS, "bomb": Bomb(trace)}
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    for name, content in (("plain.pt", pickle.dumps(value)), ("bomb.npy", None)):
        if content:
            (tmp_path / name).write_bytes(content)
        else:
            np.save(tmp_path / name, np.array([Bomb(trace)], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "bomb.npz", clips=pixels().numpy(), bomb=np.array([Bomb(trace)], dtype=object))
    for name in ("bomb.pt", "plain.pt", "bomb.npy", "bomb.npz"):
        with pytest.raises(DataError, match="nothing in it is executed") as caught:
            load(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="nothing in it is executed"):
        load(tmp_path / "bomb.pt", labels=tmp_path / "plain.pt")
    assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists()  # the bomb is one


@pytest.mark.parametrize("suffix", [".pt", ".npy", ".npz", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"no tensors here", bytes(range(256)) * 8])
def test_a_damaged_file_is_one_sentence(load: Any, tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"broken{suffix} is damaged, or holds more than tensors"):
        load(path)


def test_another_kind_of_file_is_refused(load: Any, tmp_path: Path) -> None:
    (tmp_path / "set.h5").write_bytes(b"")
    with pytest.raises(DataError, match=r"ends in none of \.pt, \.pth"):
        load(tmp_path / "set.h5")


UNFIT: list[tuple[object, str]] = [
    (torch.zeros(6, 3), r"holds no tensor of 5 axes; it holds a tensor float32 \(6, 3\)"),
    ({}, "it holds no tensor"),
    ({"a": pixels(), "b": pixels()}, "more than one tensor of clips; .* it holds a uint8 .* b uint8"),
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
    ((pixels(), torch.full((6, 3), 0.5)), "no distributions, between 0.5 and 0.5"),
    ((pixels(), torch.tensor([[2.0, -1.0, 0.0]] * 6)), "no distributions, between -1 and 2"),
    ((pixels(), torch.full((6, 4), 0.25)), "a row per clip, but none of them are the labels of 6 clips of 3 classes"),
    ((pixels(), LABELS.double()), "a row per clip, but none of them"),
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


def test_the_record_claims_nothing(load: Any, save: Save, view: View) -> None:
    record = load(save((pixels(), LABELS), "theirs.pt")).record
    assert (record.method, record.dataset, record.ipc) == ("outside:theirs.pt", "ucf101", 2)
    assert (record.provenance.encoder_saw, record.provenance.generator_saw) == ("unknown", "unknown")
    assert record.provenance.clip_ids is None
    assert record.train_fingerprint == view.train.fingerprint
    assert record.classes == CLASSES


def test_class_names_are_known_in_other_spellings() -> None:
    classes = ("air drumming", "Playing-Cello", "yoga", "7")
    assert [position(name, classes) for name in ("air_drumming", "playing cello", "Yoga", "7", "1", "4", "-1")] == [
        0, 1, 2, 3, 1, None, None,
    ]  # fmt: skip
    assert position("1", classes, numbers=False) is None
    assert position("a b", ("a_b", "a b")) == 1
    assert position("A b", ("a_b", "a b")) is None


def film(path: Path, clip: torch.Tensor) -> None:
    """Write a video that loses nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec, pix, options = ("libx264rgb", "rgb24", {"crf": "0"}) if path.suffix == ".mp4" else ("ffv1", "bgr0", {})
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=8, options=options)
        stream.width, stream.height, stream.pix_fmt = clip.shape[2], clip.shape[1], pix
        for frame in clip.numpy():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode(None))


LAYOUTS = {
    "folders": ["Archery/b.mp4", "Archery/c.mkv", "biking/clip_2.mp4", "biking/clip_10.mp4", "2/x.mkv", "2/y.mkv"],
    "names": [
        "Archery_000.mp4", "Archery-001.mkv", "Biking_9.mp4", "Biking_10.mp4", "Diving.mkv", "Diving 1.mp4",
    ],
}  # fmt: skip


@pytest.mark.parametrize("names", LAYOUTS.values(), ids=LAYOUTS)
def test_lossless_videos_are_the_same_pixels(load: Any, tmp_path: Path, names: list[str]) -> None:
    folder = tmp_path / "films"
    for name, clip in reversed(list(zip(names, pixels(), strict=True))):
        film(folder / name, clip)
    (folder / "README.txt").write_text("about")
    (folder / ".hidden.mp4").write_bytes(b"")
    made = load(folder)
    if names[0].startswith("Archery_"):  # a dash sorts before an underscore, and a space before a dot
        order = [1, 0, 2, 3, 5, 4]
        assert same(made, pixels()[order])
    else:
        assert same(made)


def test_a_file_of_labels_names_the_classes_of_videos(load: Any, save: Save, tmp_path: Path) -> None:
    for number, clip in enumerate(pixels()):
        film(tmp_path / "films" / f"{number}.mp4", clip)
    assert same(load(tmp_path / "films", labels=save(LABELS)))
    with pytest.raises(DataError, match=r"0\.mp4 is of no class .* \(Archery/\), or call them Archery_001\.mp4"):
        load(tmp_path / "films")
    with pytest.raises(UsageError, match="no effect on videos"):
        load(tmp_path / "films", labels=save(LABELS), pixels="unit")


def test_a_video_of_the_data_set_is_the_clip_of_its_view(store: ClipStore, view: View, tmp_path: Path) -> None:
    videos = {path.name: path for path in store.folder.parents[2].rglob("*.avi")}
    rows = [int(view.train.rows_of(label)[0]) for label in range(3)]
    for row in rows:
        name = Path(view.train.ids[row]).name
        target = tmp_path / view.train.classes[view.train.labels[row]] / videos[name].name
        target.parent.mkdir()
        target.write_bytes(videos[name].read_bytes())
    with pytest.warns(UserWarning, match="3 of 3 videos are not 4 frames of 16x16 pixels; .* as those of ucf101 are"):
        made = load_outside(tmp_path, store, view.train)
    assert np.array_equal(made.tensors["clips"].numpy(), view.train.clips[rows])


def test_videos_of_a_folder_are_judged_as_they_are_shown(load: Any, tmp_path: Path) -> None:
    """Hidden frames are not judged, and a turned video stands upright: both are of the suite's shape as shown."""
    lying = np.rot90(odd_videos.numbered(12, SIZE, SIZE), 1, axes=(1, 2)).copy()
    lying[:, :, : SIZE // 2] += 120  # brighter on the left as coded, at the top as shown
    odd_videos.encode(tmp_path / "whole.mp4", lying, "libx264", crf="4", g="250")
    for name in CLASSES:
        path = tmp_path / "films" / name / "a.mp4"
        path.parent.mkdir(parents=True)
        odd_videos.cut_by_edit_list(tmp_path / "whole.mp4", path, first=8)
        odd_videos.turn(path, odd_videos.MATRICES["a quarter right"])
    clips = load(tmp_path / "films").tensors["clips"].numpy().astype(int)
    shown = 3 * np.arange(8, 12)
    assert np.abs(clips[:, :, 2].mean(axis=(2, 3)) - shown - 120).max() < 3
    assert np.abs(clips[:, :, -3].mean(axis=(2, 3)) - shown).max() < 3


def test_a_damaged_video_is_one_sentence(load: Any, tmp_path: Path) -> None:
    (tmp_path / "Archery").mkdir()
    (tmp_path / "Archery" / "a.mp4").write_bytes(b"this is no video " * 50)
    with pytest.raises(DataError, match=r"a\.mp4 cannot be opened as a video .* replace it or take it away"):
        load(tmp_path)


def test_what_is_ours_and_what_is_not(load: Any, save: Save, tmp_path: Path) -> None:
    ours = load(save((pixels(), LABELS)))
    ours.save(tmp_path / "ours")
    (tmp_path / "ours" / "preview.mp4").write_bytes(b"")
    assert not is_outside(tmp_path / "ours")
    assert is_outside(tmp_path / "ours" / "tensors.safetensors")
    assert same(load(tmp_path / "ours" / "tensors.safetensors"))
    (tmp_path / "empty").mkdir()
    assert not is_outside(tmp_path / "empty")
    with pytest.raises(DataError, match="there is no file or folder"):
        is_outside(tmp_path / "none.pt")
