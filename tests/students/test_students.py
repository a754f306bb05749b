"""The students against the table of the field's protocol."""

import subprocess
import sys

import pytest
import torch

from vdbench.errors import UsageError
from vdbench.students import build_student, student_names
from vdbench.students.minic3d import MiniC3D


@pytest.mark.parametrize(
    ("frames", "size", "rows"),
    [
        (16, 112, [(64, 16, 28, 28), (128, 8, 7, 7), (128, 4, 2, 2), (128, 3, 1, 1)]),
        (8, 64, [(64, 8, 16, 16), (128, 4, 4, 4), (128, 2, 1, 1), (128, 1, 1, 1)]),
    ],
)
def test_minic3d_has_the_published_shapes_row_by_row(frames: int, size: int, rows: list[tuple[int, ...]]) -> None:
    student = build_student("minic3d", 50, frames, size)
    seen: list[tuple[int, ...]] = []
    pools = [layer for layer in student.modules() if isinstance(layer, torch.nn.MaxPool3d | torch.nn.AvgPool3d)]
    for layer in pools:
        layer.register_forward_hook(lambda _layer, _inputs, output: seen.append(tuple(output.shape[1:])))
    assert student(torch.zeros(1, 3, frames, size, size)).shape == (1, 50)
    assert seen == rows


def test_minic3d_takes_the_maximum_over_time() -> None:
    student = build_student("minic3d", 7, 16, 112, width=4, seed=0).eval()
    assert isinstance(student, MiniC3D)
    assert student.classifier.bias is not None
    clips = torch.randn(2, 3, 16, 112, 112, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features = student.embed(clips).view(2, 8, 4, 2, 2)
        averaged = (features[:, :, :-1] + features[:, :, 1:]).mean(dim=(3, 4)) / 2
        scores = torch.einsum("kc,nct->nkt", student.classifier.weight.view(7, 8), averaged)
        expected = scores.max(dim=2).values + student.classifier.bias
        torch.testing.assert_close(student(clips), expected)


@pytest.mark.parametrize("name", student_names())
@pytest.mark.parametrize(("frames", "size"), [(8, 32), (4, 16), (1, 8), (5, 33), (16, 112)])
def test_every_student_learns_from_clips_of_any_size(name: str, frames: int, size: int) -> None:
    student = build_student(name, 5, frames, size, width=4, seed=0)
    clips = torch.randn(3, 3, frames, size, size, generator=torch.Generator().manual_seed(0))
    logits = student(clips)
    assert logits.shape == (3, 5)
    assert student.embed(clips).ndim == 2
    logits.square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in student.parameters())


@pytest.mark.parametrize("name", ["cnn-gru", "cnn-lstm"])
def test_recurrent_students_see_the_centre_of_large_frames(name: str) -> None:
    large, small = build_student(name, 3, 2, 112, 4, seed=1).eval(), build_student(name, 3, 2, 64, 4, seed=1).eval()
    clips = torch.randn(1, 3, 2, 112, 112, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(large(clips), small(clips[..., 24:88, 24:88]))


@pytest.mark.parametrize("name", ["cnn-gru", "cnn-lstm"])
def test_recurrent_students_have_an_eighth_of_the_features_as_hidden_state(name: str) -> None:
    student = build_student(name, 50, 16, 112, width=16)
    assert student.embed(torch.zeros(1, 3, 16, 112, 112)).shape == (1, 16 * 8 * 8 // 8)
    assert build_student(name, 50, 16, 64).width == 128


@pytest.mark.parametrize("name", student_names())
def test_students_see_the_order_of_frames(name: str) -> None:
    student = build_student(name, 3, 8, 32, width=4, seed=0).eval()
    clips = torch.randn(1, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))
    assert not torch.allclose(student(clips), student(clips.flip(2)), atol=1e-4)


@pytest.mark.parametrize("name", student_names())
def test_a_clip_s_logits_do_not_depend_on_its_neighbours(name: str) -> None:
    student = build_student(name, 3, 4, 16, width=4, seed=0).eval()
    clips = torch.randn(5, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    clips[0] *= 100  # a neighbour that any statistics of the batch would show
    torch.testing.assert_close(student(clips)[1:], torch.cat([student(clip[None]) for clip in clips[1:]]))


@pytest.mark.parametrize("name", student_names())
def test_every_student_has_the_second_derivatives_that_matching_gradients_takes(name: str) -> None:
    student = build_student(name, 3, 4, 16, width=4, seed=0).eval()
    clips = torch.randn(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = torch.nn.functional.cross_entropy(student(clips), torch.tensor([0, 1]))
    gradients = torch.autograd.grad(loss, list(student.parameters()), create_graph=True)
    (second,) = torch.autograd.grad(sum(gradient.square().sum() for gradient in gradients), [clips])
    assert bool(second.isfinite().all())
    assert float(second.abs().max()) > 0


@pytest.mark.parametrize("name", student_names())
def test_initial_weights_follow_the_seed_and_leave_the_global_generator_alone(name: str) -> None:
    before = torch.get_rng_state()
    one, same, other = (build_student(name, 3, 4, 16, 4, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    vectors = [torch.nn.utils.parameters_to_vector(s.parameters()) for s in (one, same, other)]
    assert torch.equal(vectors[0], vectors[1])
    assert not torch.equal(vectors[0], vectors[2])


def test_unknown_names_and_impossible_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match=r"no student 'minic3'; did you mean 'minic3d'\?"):
        build_student("minic3", 3, 4, 16)
    with pytest.raises(UsageError, match="use 8 or more"):
        build_student("cnn-gru", 3, 4, 4)
    with pytest.raises(UsageError, match="width 0$"):
        build_student("minic3d", 3, 4, 16, width=0)
    with pytest.raises(UsageError, match="width 4 at depth 0"):
        build_student("video-vit", 3, 4, 16, width=4, depth=0)


@pytest.mark.parametrize("name", ["minic3d", "cnn-gru", "cnn-lstm"])
def test_students_of_fixed_depth_refuse_to_be_given_one(name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} has no depth to choose; leave it out$"):
        build_student(name, 3, 4, 16, depth=1)
    assert build_student(name, 3, 4, 16).depth is None


@pytest.mark.parametrize(
    "module",
    [
        "vdbench.students",
        "vdbench.evaluation.train",
        "vdbench.evaluation.evaluate",
        "vdbench.encoders",
        "vdbench.selector",
        "vdbench_methods.random",
        "vdbench_methods.full",
        "vdbench_methods.herding",
        "vdbench_methods.k_center",
        "vdbench_methods.k_means",
    ],
)
def test_importing_is_light(module: str) -> None:
    code = f"import sys, {module}; sys.exit(bool({{'torch', 'ray', 'sklearn'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_minic3d_computes_the_published_layers_in_their_order() -> None:
    """Convolution, positive part, pooling. Outputs and gradients do not tell the order, derivatives of gradients do:
    with torch 2.13.0, pooled first, they round otherwise, and what matching of trajectories learns is another set."""
    student = build_student("minic3d", 4, 8, 32, 8, seed=1).eval()
    convolution = [weights for name, weights in student.named_parameters() if name.startswith("features")]

    def published(clips: torch.Tensor) -> torch.Tensor:
        for layer, window in enumerate((1, 2, 2)):
            side = student.get_submodule("features")[3 * layer]  # type: ignore[index]
            clips = torch.conv3d(clips, *convolution[2 * layer : 2 * layer + 2], side.stride, side.padding)
            clips = torch.max_pool3d(clips.relu(), (window, 2, 2))
        pooled = student.get_submodule("pool")(clips)
        return student.get_submodule("classifier")(pooled).amax(dim=(2, 3, 4))  # type: ignore[no-any-return]

    shown = torch.randn(6, 3, 8, 32, 32, generator=torch.Generator().manual_seed(2))
    shown = shown.contiguous(memory_format=torch.channels_last_3d)
    derivatives = []
    for network in (student, published):
        clips = shown.clone().requires_grad_()
        loss = torch.nn.functional.cross_entropy(network(clips), torch.tensor([0, 1, 2, 3, 0, 1]))
        slopes = torch.autograd.grad(loss, list(student.parameters()), create_graph=True)
        norm = sum(slope.square().sum() for slope in slopes)
        derivatives.append([loss, *slopes, *torch.autograd.grad(norm, [clips, *student.parameters()])])
    for ours, theirs in zip(*derivatives, strict=True):
        assert torch.equal(ours, theirs)
