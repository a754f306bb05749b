import hashlib

import av
import numpy as np
import pytest
from scipy import stats

from vdbench.datasets import motion_digits as digits
from vdbench.datasets.prepare import prepare
from vdbench.datasets.spec import load_dataset
from vdbench.datasets.view import open_view


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(digits, "TRAIN_CLIPS", 3)
    monkeypatch.setattr(digits, "TEST_CLIPS", 2)


def hashes(folder):
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*.mp4")}


def test_rendering_twice_gives_the_same_bytes(few, tmp_path):
    one, two = digits.videos(tmp_path / "one"), digits.videos(tmp_path / "two")
    assert hashes(one) == hashes(two) and len(hashes(one)) == 8 * 5
    assert len(set(hashes(one).values())) == 8 * 5


def test_videos_are_h264_and_every_frame_is_coded_by_itself(few, tmp_path):
    path = next(digits.videos(tmp_path).rglob("*.mp4"))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert len(packets) == digits.FRAMES and all(packet.is_keyframe for packet in packets)


def test_no_digit_image_is_in_both_train_and_test():
    images = digits.digit_images()
    assert not set(images["train"]) & set(images["test"])
    assert (len(set(images["train"])), len(set(images["test"]))) == (digits.TRAIN_CLIPS, digits.TEST_CLIPS)


def test_the_declaration_says_what_is_rendered():
    spec = load_dataset("motion-digits")
    assert spec.classes == len(digits.MOTIONS) >= 8
    assert spec.expected[1].train == 8 * digits.TRAIN_CLIPS and spec.expected[1].test == 8 * digits.TEST_CLIPS
    assert (spec.geometry.frames, spec.geometry.size) == (digits.FRAMES, digits.SIZE)


def test_it_is_prepared_and_split_like_any_other(few, tmp_path):
    spec = load_dataset("motion-digits")
    expected = {1: {"train": 24, "test": 16}}
    spec = type(spec).model_validate(spec.model_dump() | {"expected": expected})
    store = prepare(spec, None, tmp_path, workers=2)
    assert not store.manifest.partial and {clip.decode.status for clip in store.manifest.clips} == {"ok"}
    view = open_view(store, tmp_path, frames=8, size=32, validation=0.3)
    assert view.train.counts().tolist() == [2] * 8 and view.validation.counts().tolist() == [1] * 8
    assert view.test.counts().tolist() == [2] * 8
    assert not set(view.test.groups) & set(view.train.groups + view.validation.groups)


@pytest.mark.parametrize("frame", [0, 7, digits.FRAMES - 1])
@pytest.mark.parametrize("motion", digits.MOTIONS)
def test_in_any_single_frame_place_angle_and_size_are_uniform(motion, frame):
    rng = np.random.default_rng(0)
    draws = np.array([digits.course_of(motion, rng)[frame] for _ in range(2000)])
    low, high = np.log(digits.DIGIT_SIDE)
    shares = (
        draws[:, 0] / digits.SIZE % 1,
        draws[:, 1] / digits.SIZE % 1,
        draws[:, 2] / (2 * np.pi) % 1,
        (np.log(draws[:, 3]) - low) / (high - low),
    )
    for share in shares:
        assert stats.kstest(share, "uniform").pvalue > 1e-4


def test_the_motions_are_what_they_are_called():
    courses = {motion: digits.course_of(motion, np.random.default_rng(3)) for motion in digits.MOTIONS}
    steps = {motion: np.diff(course, axis=0) for motion, course in courses.items()}
    moved = {motion: [int(np.sign(np.median(step[:, axis]))) for axis in range(4)] for motion, step in steps.items()}
    assert moved == {
        "up": [0, -1, 0, 0],
        "down": [0, 1, 0, 0],
        "left": [-1, 0, 0, 0],
        "right": [1, 0, 0, 0],
        "clockwise": [0, 0, 1, 0],
        "counter-clockwise": [0, 0, -1, 0],
        "growing": [0, 0, 0, 1],
        "shrinking": [0, 0, 0, -1],
    }


def ink_at(image, *place):
    return digits.ink_of(image, np.array([place]))[0]


def test_a_digit_is_drawn_where_it_is_and_turns_clockwise_with_its_angle():
    image = np.zeros((8, 8))
    image[3:5, 7] = 1.0  # a dot to the right of the middle

    def middle_of(ink):
        rows, columns = np.nonzero(ink > 0.5)
        return columns.mean(), rows.mean()

    straight = middle_of(ink_at(image, 32, 32, 0.0, 32.0))
    turned = middle_of(ink_at(image, 32, 32, np.pi / 2, 32.0))
    assert straight[0] > 40 and abs(straight[1] - 32) < 2
    assert turned[1] > 40 and abs(turned[0] - 32) < 2  # the screen's y axis points down
    larger = middle_of(ink_at(image, 32, 32, 0.0, 48.0))
    assert larger[0] > straight[0] + 4


def test_what_leaves_on_one_side_enters_on_the_other():
    image = np.ones((8, 8))
    ink = ink_at(image, 0.0, 20.0, 0.0, 24.0)
    assert ink[20, :10].min() > 0.5 and ink[20, -10:].min() > 0.5 and ink[20, 20:44].max() == 0
    assert np.isclose(ink.sum(), ink_at(image, 30.0, 20.0, 0.0, 24.0).sum(), rtol=0.02)
