from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vdbench.datasets.geometry import Geometry, evenly

UCF = Geometry(frames=16, sampling="strided", gap=4, resize=(160, 120), size=112)
KINETICS = Geometry(frames=8, sampling="even", resize=64, size=64)


@given(
    length=st.integers(1, 400),
    frames=st.integers(1, 40),
    gap=st.integers(1, 6),
    kind=st.sampled_from(["strided", "even"]),
)
def test_picks_are_ascending_frames_of_the_video_in_its_middle(length, frames, gap, kind):
    picks = Geometry(frames=frames, sampling=kind, gap=gap, resize=8, size=8).picks(length)
    assert len(picks) == frames
    assert all(0 <= pick < length for pick in picks)
    if length < frames:
        assert picks == [*range(length), *[length - 1] * (frames - length)]
    else:
        assert len(set(picks)) == frames and picks == sorted(picks)
        before, after = picks[0], length - 1 - picks[-1]
        slack = 1 if kind == "strided" else length / frames
        assert abs(before - after) <= slack


def test_the_protocol_spans_61_frames_from_64_on_and_strides_by_length_below():
    assert UCF.picks(64) == list(range(1, 63, 4))
    assert UCF.picks(63)[1] - UCF.picks(63)[0] == 63 // 16
    assert UCF.picks(300)[-1] - UCF.picks(300)[0] == 60
    assert UCF.picks(17) == list(range(16))


def test_even_picks_are_the_middles_of_equal_parts():
    assert evenly(16, 8) == [1, 3, 5, 7, 9, 11, 13, 15]
    assert evenly(300, 3) == [50, 150, 250]
    assert KINETICS.picks(8) == list(range(8))


def test_the_shorter_side_is_resized_with_its_proportions_kept():
    assert KINETICS.scaled_size(640, 360) == (114, 64)
    assert KINETICS.scaled_size(360, 640) == (64, 114)
    assert UCF.scaled_size(640, 360) == (160, 120)


def test_another_shape_keeps_the_span_and_the_field_of_view():
    small = UCF.at(frames=8, size=56)
    assert (small.gap, small.resize, small.size) == (8, (80, 60), 56)
    assert UCF.at() == UCF


def test_a_crop_larger_than_the_frame_is_refused():
    with pytest.raises(ValidationError, match="does not fit"):
        Geometry(frames=8, sampling="even", resize=(64, 32), size=48)


@given(length=st.integers(8, 400), windows=st.integers(1, 9), gap=st.integers(1, 6))
def test_windows_start_evenly_over_all_starts_that_a_video_has(length, windows, gap):
    one = Geometry(frames=8, sampling="strided", gap=gap, resize=8, size=8)
    several = one.model_copy(update={"windows": windows})
    step = gap if length >= 8 * gap else length // 8
    possible = range(length - 7 * step)
    picks = several.picks(length)
    firsts = picks[::8]
    assert len(picks) == several.rows == 8 * windows
    assert picks == [first + i * step for first in firsts for i in range(8)]
    assert set(firsts) <= set(possible) and firsts == sorted(firsts)
    if windows >= len(possible):
        assert set(firsts) == set(possible)
    else:
        gaps = [later - earlier for earlier, later in pairwise(firsts)]
        assert max(gaps, default=0) - min(gaps, default=0) <= 1
        assert abs(firsts[0] - (possible[-1] - firsts[-1])) <= 1
    if windows % 2 or windows == 1:
        assert several.windows == 1 or windows > len(possible) or firsts[windows // 2] == one.picks(length)[0]


def test_what_is_usual_is_not_part_of_a_geometry_s_identity_and_even_frames_have_one_window():
    assert not {"windows", "antialias"} & UCF.model_dump().keys()
    assert UCF.model_copy(update={"windows": 8}).at(frames=8).windows == 8
    with pytest.raises(ValidationError, match="one window"):
        Geometry(frames=8, sampling="even", resize=8, size=8, windows=2)
