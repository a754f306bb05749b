"""The forms of distilled sets: pairs that are drawn, a hallucinator against loops, and tensors that do not fit."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.sets import distilled_record
from vdbench.clips.codecs import parse_codec
from vdbench.distilled import DistilledSet
from vdbench.distilled.pairs import draw_pairs, draw_within_slots, same_numbers
from vdbench.distilled.parameterisations import hallucinate, interpolate
from vdbench.distilled.recoding import stored_as
from vdbench.errors import UsageError

CPU = torch.device("cpu")


def parts(images: int = 2, motions: int = 3, ipc: int = 2, **changes: torch.Tensor) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {
        "static": (2 * images, 3, 6, 6),
        "dynamic": (2 * motions, 4, 6, 6),
        "weight": (3, 4, 3, 3, 3),
        "bias": (3,),
    }
    made = {name: torch.randn(*shape, generator=generator) for name, shape in shapes.items()}
    return made | {"targets": torch.arange(2).repeat_interleave(ipc)} | changes


def stored(**changes: Any) -> DistilledSet:
    return DistilledSet(parts(**changes), distilled_record(ipc=2, form="static-dynamic"))


def test_the_hallucinator_is_a_convolution_over_the_repeated_image_and_the_motion() -> None:
    tensors = parts()
    static, dynamic, weight, bias = tensors["static"][:1], tensors["dynamic"][:1], tensors["weight"], tensors["bias"]
    found = hallucinate(static, dynamic, weight, bias)
    assert found.shape == (1, 3, 4, 6, 6)
    for channel, t, y, x in [(0, 0, 0, 0), (1, 2, 3, 4), (2, 3, 5, 5), (0, 1, 5, 0)]:
        total = float(bias[channel])
        for dt in range(3):
            for dy in range(3):
                for dx in range(3):
                    at = (t + dt - 1, y + dy - 1, x + dx - 1)
                    if 0 <= at[0] < 4 and 0 <= at[1] < 6 and 0 <= at[2] < 6:
                        for c in range(3):
                            total += float(weight[channel, c, dt, dy, dx] * static[0, c, at[1], at[2]])
                        total += float(weight[channel, 3, dt, dy, dx] * dynamic[0, at[0], at[1], at[2]])
        assert float(found[0, channel, t, y, x]) == pytest.approx(total, abs=1e-4)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 8), st.integers(1, 4), st.none() | st.integers(0, 99))
def test_pairs_stay_within_their_class_and_use_every_memory(
    images: int, motions: int, ipc: int, classes: int, draw: int | None
) -> None:
    pairs = draw_pairs(images, motions, ipc, classes, draw)
    assert pairs.shape == (2, classes * ipc)
    for side, count in zip(pairs, (images, motions), strict=True):
        assert (side // count).tolist() == [label for label in range(classes) for _ in range(ipc)]
        for own in side.view(classes, ipc):
            uses = torch.bincount(own % count, minlength=count)
            assert int(uses.max() - uses.min()) <= 1
    assert torch.equal(pairs, draw_pairs(images, motions, ipc, classes, draw))


@pytest.mark.parametrize("ipc", [1, 5])
def test_pairs_within_slots_are_those_of_the_public_code(ipc: int) -> None:
    """Clip k of a class takes image 2k or 2k + 1 and motion 2k or 2k + 1: four pairs, each as often, and no other."""
    draws = torch.stack([draw_within_slots(2 * ipc, 2 * ipc, ipc, 3, draw) for draw in range(400)])  # (400, 2, 3 ipc)
    for slot in range(3 * ipc):
        found = Counter(tuple(pair) for pair in draws[:, :, slot].tolist())
        assert set(found) == {(2 * slot + image, 2 * slot + motion) for image in (0, 1) for motion in (0, 1)}
        assert 60 < min(found.values()) and max(found.values()) < 140  # 100 each, with a deviation of 9
    assert len({tuple(draw[0].tolist()) for draw in draws}) == min(2 ** (3 * ipc), 400) or ipc > 1
    assert draw_within_slots(2 * ipc, 2 * ipc, ipc, 3, None).tolist() == [list(range(0, 6 * ipc, 2))] * 2


@pytest.mark.parametrize("ipc", [1, 5])
def test_fixed_pairs_are_those_of_the_public_code_and_the_same_in_every_epoch(ipc: int) -> None:
    """Its FRePo variant: image i of a class with motion i, no coin, as many clips as images."""
    for draw in (None, 0, 7):
        assert same_numbers(ipc, ipc, ipc, 3, draw).tolist() == [list(range(3 * ipc))] * 2
    record = distilled_record(ipc=ipc, form="static-dynamic-fixed")
    kept = parts(ipc, ipc, ipc)
    made = DistilledSet(kept, record)
    expected = [
        hallucinate(kept["static"][[row]], kept["dynamic"][[row]], kept["weight"], kept["bias"])
        for row in range(2 * ipc)
    ]
    torch.testing.assert_close(made.render()[0], torch.cat(expected))
    assert made.of_epoch(3, CPU) is made
    soft = DistilledSet(kept | {"targets": torch.full((2 * ipc, 2), 0.5)}, record.model_copy(update={"labels": "soft"}))
    assert soft.stored_bytes == made.stored_bytes + 4 * 2 * 2 * ipc
    half = stored_as(soft, parse_codec("float16"))
    assert half.stored_bytes == made.stored_bytes / 2 + 4 * 2 * 2 * ipc


@pytest.mark.parametrize(("images", "motions"), [(2, 4), (4, 2), (4, 4), (1, 1)])
def test_fixed_pairs_take_one_image_and_one_motion_for_every_clip(images: int, motions: int) -> None:
    with pytest.raises(ValueError, match="a row for each of 4 clips"):
        DistilledSet(parts(images, motions, 2), distilled_record(ipc=2, form="static-dynamic-fixed"))


def test_every_epoch_shows_other_pairs_and_a_seed_the_same_again() -> None:
    made = stored()
    shown = [made.of_epoch(seed, CPU).render()[0] for seed in range(8)]
    assert len({clips.numpy().tobytes() for clips in shown}) > 4
    assert torch.equal(shown[3], made.of_epoch(3, CPU).render()[0])
    assert torch.equal(made.render()[0], stored().render()[0])
    rows = torch.tensor([3, 0])
    torch.testing.assert_close(made.of_epoch(3, CPU).render(rows)[0], shown[3][rows])


def test_every_part_is_counted_and_nothing_else() -> None:
    assert stored().stored_bytes == 4 * (4 * 3 * 36 + 6 * 4 * 36 + 327)
    assert len(stored()) == 4


@pytest.mark.parametrize("name", ["float16", "uint8", "h264", "h265"])
def test_memories_are_no_pictures_and_become_float16(name: str) -> None:
    made, half = stored(), stored_as(stored(), parse_codec(name))
    assert half.record.codec == "float16" and half.record.form == "static-dynamic"
    assert half.stored_bytes * 2 == made.stored_bytes
    assert all(torch.equal(half.tensors[part], made.tensors[part].half()) for part in ("static", "dynamic", "weight"))
    for draw in (made, half), (made.of_epoch(3, CPU), half.of_epoch(3, CPU)):
        clips = [one.render()[0] for one in draw]
        assert clips[1].dtype == torch.float32
        torch.testing.assert_close(clips[1], clips[0], atol=0.05, rtol=0.01)
        assert not torch.equal(*clips)
    with pytest.raises(UsageError, match=f"take {half.stored_bytes} bytes as float16"):
        stored_as(made, parse_codec(name), half.stored_bytes - 1)


def test_memories_stored_as_float32_are_as_they_were() -> None:
    made = stored_as(stored(), parse_codec("float32"))
    assert made.record.codec == "float32" and made.tensors.keys() == stored().tensors.keys()
    assert all(torch.equal(part, stored().tensors[name]) for name, part in made.tensors.items())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"static": torch.zeros(4, 3, 6, 5)}, "do not fit together"),
        ({"static": torch.zeros(4, 2, 6, 6)}, "do not fit together"),
        ({"static": torch.zeros(4, 3, 6, 6).double()}, "must be float32"),
        ({"static": torch.zeros(4, 3, 6, 6).half()}, "must be float32, or all float16"),
        ({"dynamic": torch.zeros(5, 4, 6, 6)}, "for each of 2 classes"),
        ({"dynamic": torch.zeros(0, 4, 6, 6)}, "for each of 2 classes"),
        ({"weight": torch.zeros(3, 3, 3, 3, 3)}, "does not turn 4 channels into 3"),
        ({"bias": torch.zeros(4)}, "does not turn 4 channels into 3"),
        ({"targets": torch.tensor([0, 0, 1])}, "for each of 2 classes"),
        ({"clips": torch.zeros(1)}, "consists of static, dynamic, weight, bias, targets"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, torch.Tensor], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        stored(**change)


KEYS = torch.tensor([[1, 0, 0, 1], [0, 1, 0, 0], [0, 1, 1, 0], [1, 1, 1, 1]], dtype=torch.bool)


def keyed(**changes: torch.Tensor) -> DistilledSet:
    frames = torch.randn(9, 3, 2, 5, generator=torch.Generator().manual_seed(0))
    tensors = {"frames": frames, "keys": KEYS, "targets": torch.tensor([0, 0, 1, 1])} | changes
    return DistilledSet(tensors, stored().record.model_copy(update={"form": "key-frames"}))


@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6).filter(any), min_size=1, max_size=5), st.data())
def test_frames_between_key_frames_are_mixtures_linear_in_time(masks: list[list[bool]], data: st.DataObject) -> None:
    keys = torch.tensor(masks)
    frames = torch.randn(int(keys.sum()), 3, 2, 2, generator=torch.Generator().manual_seed(1))
    found, left = interpolate(frames, keys), list(frames)
    assert found.shape == (len(masks), 3, 6, 2, 2) and found.is_contiguous()
    for clip, mask in zip(found, masks, strict=True):
        own = {t: left.pop(0) for t in range(6) if mask[t]}
        for t in range(6):
            a, b = max((k for k in own if k <= t), default=min(own)), min((k for k in own if k >= t), default=max(own))
            share = (b - t) / (b - a) if a < t < b else 1.0
            torch.testing.assert_close(clip[:, t], share * own[a] + (1 - share) * own[b])
            assert not mask[t] or torch.equal(clip[:, t], own[t])
    rows = data.draw(st.lists(st.integers(0, len(masks) - 1), min_size=1, max_size=4))
    assert torch.equal(interpolate(frames, keys, torch.tensor(rows)), found[rows])


def test_a_set_of_key_frames_renders_them_and_counts_frames_and_times(tmp_path: Path) -> None:
    made = keyed()
    assert made.stored_bytes == 4 * 9 * 3 * 10 + 16
    clips = made.render()[0]
    assert torch.equal(clips[1], made.tensors["frames"][2].unsqueeze(1).expand(-1, 4, -1, -1))
    assert torch.equal(made.render(torch.tensor([3, 1]))[0], clips[[3, 1]])
    assert made.pixels().shape == (4, 4, 2, 5, 3)
    made.save(tmp_path / "artefact")
    assert torch.equal(DistilledSet.load(tmp_path / "artefact").render()[0], clips)
    half = stored_as(made, parse_codec("h264"))
    assert (half.record.codec, half.record.form, half.stored_bytes) == ("float16", "key-frames", 2 * 9 * 3 * 10 + 16)
    torch.testing.assert_close(half.render()[0], clips, atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"frames": torch.zeros(9, 2, 2, 5)}, "frames must be"),
        ({"frames": torch.zeros(9, 3, 2, 5, dtype=torch.uint8)}, "frames must be"),
        ({"frames": torch.zeros(8, 3, 2, 5)}, "each of 8 frames once"),
        ({"keys": KEYS[:3]}, "a row for each of 4 clips"),
        ({"keys": KEYS.long()}, "keys must be bool"),
        ({"keys": torch.tensor([[1, 1, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0], [1, 1, 1, 1]]).bool()}, "one of every clip"),
    ],
)
def test_key_frames_that_do_not_fit_are_refused(change: dict[str, torch.Tensor], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        keyed(**change)
