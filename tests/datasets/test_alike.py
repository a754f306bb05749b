"""Clips that look alike on both sides of a split."""

import tracemalloc
import warnings

import numpy as np

import worlds
from vdbench.datasets.alike import alike, looks_of
from vdbench.datasets.new import Wish, new_dataset
from vdbench.datasets.prepare import prepared_store
from vdbench.datasets.readers import read_frames


def scene(number, frames=20):
    """A still scene of random blocks, with a little noise that is another in every frame."""
    rng = np.random.default_rng(number)
    blocks = rng.integers(30, 220, (9, 12, 3)).repeat(8, axis=0).repeat(8, axis=1)
    return np.clip(blocks + rng.integers(-3, 4, (frames, *blocks.shape)), 0, 255).astype(np.uint8)


def test_a_clip_looks_like_its_copy_in_another_codec_and_like_no_other_scene(tmp_path):
    looks = []
    for number, (name, codec) in enumerate([("a.mp4", "libx264"), ("b.avi", "mpeg4"), ("c.mp4", "libx264")]):
        worlds.write_video(tmp_path / name, scene(number // 2), codec)
        looks.append(looks_of(read_frames(tmp_path / name, worlds.SMALL, "pyav")[0]))
    assert alike(looks, looks) == {0: 0, 1: 1, 2: 2}
    assert alike(looks[:1], looks[1:]) == alike(looks[1:2], looks[::2]) == {0: 0}
    assert alike(looks[2:], looks[:2]) == alike([], looks) == alike(looks, []) == {}


def test_pairs_beyond_a_block_are_found_and_the_closest_is_named():
    rng = np.random.default_rng(0)
    looks = [rng.bytes(96).hex() for _ in range(3000)]
    assert alike(looks, looks[2900:2902]) == {2900: 0, 2901: 1}
    assert alike(looks[2900:2902], looks) == {0: 2900, 1: 2901}
    nearly = f"{int(looks[2900][:2], 16) ^ 1:02x}{looks[2900][2:]}"
    assert alike(looks[2900:2901], [*looks[:50], nearly, *looks[50:]]) == {0: 2901}
    assert alike(looks[2900:2901], [*looks[:50], nearly, *looks[50:2900]]) == {0: 50}


def test_clips_that_all_look_alike_take_no_memory_for_every_two_of_them():
    looks = [np.random.default_rng(0).bytes(96).hex()] * 6000
    tracemalloc.start()
    assert alike(looks, looks) == dict.fromkeys(range(6000), 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 2**20


def test_copies_on_both_sides_are_told_and_none_where_they_are_one_group(tmp_path):
    for number in range(8):
        for copy, codec in (("a.mp4", "libx264"), ("b.avi", "mpeg4")):
            place = tmp_path / "v" / ("x" if number % 2 else "y") / f"s{number}_{copy}"
            worlds.write_video(place, scene(number), codec)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name, group in (("apart", None), ("together", r"^(s\d)")):
            new_dataset(name, Wish(videos=tmp_path / "v", geometry=worlds.SMALL, group=group, seed=1), tmp_path)
            prepared_store(name, tmp_path)
    told = [str(warning.message) for warning in caught if "look nearly like" in str(warning.message)]
    assert len(told) == 1
    assert "test clips of apart, split 1, look nearly like train clips, such as " in told[0]
