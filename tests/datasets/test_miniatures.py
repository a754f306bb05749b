"""Kinetics and Something-Something V2 as they are distributed, in miniature, by both readers."""

import av
import numpy as np
import pytest

import worlds
from vdbench.datasets.prepare import prepare
from vdbench.datasets.readers import READERS
from vdbench.datasets.spec import load_dataset


def streams(path):
    """Width, height, codecs and frame count of a file's streams, as its header has them."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        return video.width, video.height, {stream.codec_context.name for stream in container.streams}, video.frames


@pytest.fixture(scope="module")
def kinetics(tmp_path_factory):
    return worlds.kinetics_world(tmp_path_factory.mktemp("kinetics"), classes=2, train=2, test=2)


@pytest.fixture(scope="module")
def ssv2(tmp_path_factory):
    return worlds.ssv2_world(tmp_path_factory.mktemp("ssv2"), classes=2, train=3, test=1)


def test_the_miniatures_hold_what_the_originals_hold(kinetics, ssv2):
    held = [streams(path) for path in kinetics.files()]
    assert {(width, height) for width, height, *_ in held} >= {(640, 360), (1280, 720)}
    assert all(codecs == {"h264", "aac"} for *_, codecs, _ in held)
    held = [streams(path) for path in ssv2.files()]
    assert {(427, 240)} < {(width, height) for width, height, *_ in held}
    assert {name for *_, codecs, _ in held for name in codecs} == {"vp8", "vp9"}
    assert {count for *_, count in held} == {0}


@pytest.mark.parametrize("reader", READERS.names())
@pytest.mark.parametrize(("miniature", "name"), [("kinetics", "kinetics400"), ("ssv2", "ssv2")])
def test_both_readers_prepare_the_right_frames_of_every_clip(request, tmp_path, miniature, name, reader):
    world = request.getfixturevalue(miniature)
    geometry = load_dataset(name).geometry
    store = prepare(world.spec, world.root, tmp_path, workers=1, reader=reader, geometry=geometry)
    frames = np.array(geometry.picks(20))
    assert len(set(frames)) == 8
    for clip in store.manifest.clips:
        assert (clip.decode.status, clip.decode.frames) == ("ok", 20), clip
        levels = np.median(store.clips[clip.row], axis=(1, 2, 3))  # the ground: 10 levels brighter with every frame
        assert np.abs(levels - (20 + 10 * frames)).max() <= 3, (clip.id, levels)
