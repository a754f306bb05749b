"""The students that are sized by width and depth: what their papers fix, and what sets of a few clips need."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vdbench.evaluation.train import Recipe, train_student
from vdbench.seeding import seeded
from vdbench.students import build_student
from vdbench.students.r2plus1d import FactorisedConv3d, R2Plus1D, ResidualBlock, middle_channels
from vdbench.students.video_vit import VideoVit, halvings_of, transformer, tubelet_embedding
from vdbench.testing import tiny_clips

MODERN = ["r2plus1d", "video-vit"]
channels = st.integers(1, 256)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", MODERN)
def test_depth_is_the_default_s_unless_asked_for_and_adds_the_same_weights_each_time(name: str) -> None:
    student = build_student(name, 3, 4, 32)
    assert (student.width, student.depth) == (type(student).default_width, type(student).default_depth)
    counts = [build_student(name, 3, 4, 32, width=8, depth=depth).parameter_count() for depth in (1, 2, 3)]
    assert counts[2] - counts[1] == counts[1] - counts[0] > 0


@pytest.mark.parametrize(
    ("name", "parameters"), [("minic3d", 3_647_666), ("r2plus1d", 10_598_847), ("video-vit", 4_236_482)]
)
def test_default_networks_keep_their_size(name: str, parameters: int) -> None:
    assert build_student(name, 50, 16, 112).parameter_count() == parameters


@pytest.mark.parametrize("name", MODERN)
def test_training_and_testing_show_the_same_network(name: str) -> None:
    student, clips = build_student(name, 3, 4, 32, width=8, depth=2, seed=0), noise(3, 3, 4, 32, 32)
    trained = student.train()(clips)
    with torch.inference_mode():
        torch.testing.assert_close(student.eval()(clips), trained.detach())


@pytest.mark.parametrize("name", MODERN)
@pytest.mark.parametrize("width", [1, 7, 37, 66, 97])
def test_any_width_will_do(name: str, width: int) -> None:
    student = build_student(name, 3, 2, 16, width=width, depth=1, seed=0)
    assert student(noise(2, 3, 2, 16, 16)).shape == (2, 3)


@pytest.mark.parametrize("name", MODERN)
def test_half_precision_changes_logits_little(name: str) -> None:
    student, clips = build_student(name, 3, 4, 32, width=16, depth=2, seed=0), noise(4, 3, 4, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        half = student(clips)
    torch.testing.assert_close(half.float(), student(clips), atol=0.05, rtol=0.05)


@pytest.mark.parametrize("name", MODERN)
@pytest.mark.parametrize("depth", [1, 3])
def test_the_tiny_world_is_learned_at_any_depth(name: str, depth: int) -> None:
    clips = tiny_clips()
    student = build_student(name, 3, clips.frames, clips.size, width=8, depth=depth, seed=0)
    losses = train_student(student, clips, Recipe(epochs=60, batch=12), 0, torch.device("cpu"))
    assert losses[-1] < 0.5 * losses[0]


@given(channels, channels, st.sampled_from([3, 5, 7]))
def test_factorised_convolutions_have_at_most_the_weights_of_the_whole_one_and_no_channel_to_spare(
    inputs: int, outputs: int, window: int
) -> None:
    whole, each = 3 * window**2 * inputs * outputs, window**2 * inputs + 3 * outputs
    middle = middle_channels(inputs, outputs, window)
    assert middle * each <= whole or middle == 1
    assert (middle + 1) * each > whole


def test_middle_channels_are_those_of_the_paper() -> None:
    assert middle_channels(64, 64, 3) == 144  # R(2+1)D-18's first stage and where its second begins
    assert middle_channels(64, 128, 3) == 230


def test_factorised_convolutions_divide_space_and_keep_time() -> None:
    conv = FactorisedConv3d(3, 5, 7, stride=2)
    assert conv(noise(2, 3, 4, 9, 9)).shape == (2, 5, 4, 5, 5)
    assert [layer.kernel_size for layer in conv if isinstance(layer, torch.nn.Conv3d)] == [(1, 7, 7), (3, 1, 1)]


def test_fresh_residual_blocks_are_the_identity_and_learn_to_be_more() -> None:
    with seeded(1):  # in about one draw of seven, two steps leave weights behind a ReLU as they are
        block, maps = ResidualBlock(6), noise(2, 6, 3, 4, 4).relu()
    assert torch.equal(block(maps), maps)
    optimiser = torch.optim.SGD(block.parameters(), lr=0.1)
    before = [weights.clone() for weights in block.parameters()]
    for _ in range(2):
        optimiser.zero_grad()
        (block(maps) * noise(*maps.shape)).sum().backward()
        optimiser.step()
    assert not any(torch.equal(old, new) for old, new in zip(before, block.parameters(), strict=True))


@pytest.mark.parametrize(
    ("frames", "size", "rows"),
    [
        (16, 112, [(4, 16, 28, 28), (8, 8, 14, 14), (16, 4, 7, 7), (32, 2, 3, 3)]),
        (8, 64, [(4, 8, 16, 16), (8, 4, 8, 8), (16, 2, 4, 4), (32, 1, 2, 2)]),
        (8, 32, [(4, 8, 8, 8), (8, 4, 4, 4), (16, 2, 2, 2)]),
        (4, 16, [(4, 4, 4, 4), (8, 2, 2, 2)]),
        (1, 8, [(4, 1, 2, 2)]),
    ],
)
def test_r2plus1d_doubles_channels_where_it_halves_maps(frames: int, size: int, rows: list[tuple[int, ...]]) -> None:
    student = build_student("r2plus1d", 3, frames, size, width=4, depth=1, seed=0)
    assert isinstance(student, R2Plus1D)
    seen: list[tuple[int, ...]] = []
    for layer in student.features:
        if isinstance(layer, ResidualBlock):
            layer.register_forward_hook(lambda _layer, _inputs, output: seen.append(tuple(output.shape[1:])))
    clips = noise(2, 3, frames, size, size)
    assert student.embed(clips).shape == (2, rows[-1][0])
    assert seen == rows
    torch.testing.assert_close(student(clips), student.classifier(student.embed(clips)))


@given(st.integers(1, 600))
def test_frames_have_at_most_8_tubelets_per_side_and_no_fewer_than_it_takes(size: int) -> None:
    halvings = halvings_of(size)
    assert -(-size // 2**halvings) <= 8
    assert halvings == 0 or -(-size // 2 ** (halvings - 1)) > 8


@pytest.mark.parametrize(("frames", "size"), [(16, 112), (8, 64), (8, 32), (5, 33), (4, 16), (1, 8)])
def test_tubelets_cover_frames_of_any_size(frames: int, size: int) -> None:
    halvings = halvings_of(size)
    embedding, clips = tubelet_embedding(halvings, 6), noise(1, 3, frames, size, size).requires_grad_()
    tubelets = embedding(clips)
    places = -(-size // 2**halvings)
    assert tubelets.shape == (1, 6, -(-frames // 2), places, places)
    tubelets.square().sum().backward()
    assert clips.grad is not None
    assert bool((clips.grad[:, :, -1, -1, -1] != 0).any())  # the last pixel of the last frame is seen


def test_video_vit_lets_tokens_of_one_time_meet_before_times_do() -> None:
    student = build_student("video-vit", 3, 8, 32, width=8, depth=1, seed=0)
    assert isinstance(student, VideoVit)
    seen: list[tuple[int, ...]] = []
    for part in (student.across_places, student.across_times):
        part.register_forward_hook(lambda _part, inputs, _output: seen.append(tuple(inputs[0].shape)))
    clips = noise(2, 3, 8, 32, 32)
    assert student.embed(clips).shape == (2, 8)
    assert seen == [(2 * 4, 64, 8), (2, 4, 8)]
    torch.testing.assert_close(student(clips), student.classifier(student.embed(clips)))


def test_video_vit_knows_places_and_times_by_its_positions_alone() -> None:
    student = build_student("video-vit", 3, 8, 32, width=8, depth=1, seed=0).eval()
    assert isinstance(student, VideoVit)
    maps = noise(1, 8, 4, 8, 8)
    student.tubelets = torch.nn.Sequential()  # what is shown are tubelets already
    moved, later = maps.flip(3), maps.flip(2)
    assert not torch.allclose(student(maps), student(moved))
    assert not torch.allclose(student(maps), student(later))
    with torch.no_grad():
        student.place.zero_()
        student.time.zero_()
    torch.testing.assert_close(student(maps), student(moved))
    torch.testing.assert_close(student(maps), student(later))


@pytest.mark.parametrize(("width", "heads"), [(16, 1), (64, 2), (192, 6), (70, 2), (97, 1), (1, 1)])
def test_heads_share_the_width_equally(width: int, heads: int) -> None:
    layer = transformer(width, 1)[0]
    assert isinstance(layer, torch.nn.TransformerEncoderLayer)
    assert layer.self_attn.num_heads == heads


def test_layers_of_a_transformer_start_from_weights_of_their_own() -> None:
    with seeded(0):
        first, second, _ = transformer(8, 2)
    assert not torch.equal(first.linear1.weight, second.linear1.weight)
