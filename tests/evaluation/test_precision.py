"""Precision: part of the recipe and of every id, float32 as it always was, and bfloat16 that is held against it."""

from contextlib import nullcontext, redirect_stdout
from pathlib import Path

import pytest
import torch

from vdbench.errors import DependencyError, UsageError
from vdbench.evaluation import precision, train
from vdbench.evaluation.precision import (
    bfloat16_error,
    check_bfloat16,
    computing,
    has_conv3d,
    in_tf32,
    processor_has_bfloat16,
    products,
)
from vdbench.evaluation.train import Recipe, train_student
from vdbench.students import build_student
from vdbench.testing import tiny_clips

CPU = torch.device("cpu")


def test_float32_is_the_recipe_that_names_none_and_the_others_are_not() -> None:
    plain = Recipe().model_dump(mode="json")
    assert "precision" not in plain
    assert Recipe(precision="float32").model_dump(mode="json") == plain
    assert Recipe(precision="bf16").model_dump(mode="json") == plain | {"precision": "bf16"}
    assert Recipe.model_validate(plain) == Recipe()


def test_a_gpu_trains_in_bfloat16_unless_the_recipe_says_otherwise() -> None:
    assert Recipe().on("cuda").precision == "bf16"
    assert Recipe(precision="float32").on("cuda").precision == "float32"
    assert Recipe().on("cpu") == Recipe()
    with pytest.raises(UsageError, match="precision tf32 exists only on a GPU"):
        Recipe(precision="tf32").on("cpu")


@pytest.mark.parametrize("name", ["minic3d", "cnn-gru", "r2plus1d", "video-vit"])
def test_bfloat16_trains_as_float32_does_but_for_rounding(name: str) -> None:
    curves = []
    for kind in ("float32", "bf16"):
        student = build_student(name, 3, 4, 16, 8, seed=0)
        recipe = Recipe(epochs=20, batch=12, lr=0.02, precision=kind)  # type: ignore[arg-type]
        curves.append(train_student(student, tiny_clips(), recipe, 0, CPU))
        assert {weights.dtype for weights in student.parameters()} == {torch.float32}
    assert curves[0] != curves[1]
    assert curves[1] == pytest.approx(curves[0], abs=0.1)


@pytest.mark.parametrize("name", ["minic3d", "r2plus1d", "video-vit", None])
def test_no_kernel_of_onednn_computes_a_conv3d_in_bfloat16_on_a_processor(name: str | None) -> None:
    """Those of torch 2.13 give NaN now and then for a Conv3d of few channels, where the processor has AVX512-BF16."""
    enabled = torch._C._get_mkldnn_enabled
    before = enabled()
    with computing("bf16", CPU, build_student(name, 3, 4, 16, 8, seed=0) if name else None):
        assert not enabled()
    assert enabled() == before
    with computing("bf16", CPU, build_student("cnn-gru", 3, 4, 16, 8, seed=0)):
        assert enabled() == before
    with computing("float32", CPU):
        assert enabled() == before


@pytest.mark.parametrize("width", [8, 16])
@pytest.mark.parametrize("name", ["cnn-gru", "cnn-lstm"])
def test_networks_of_frames_train_in_bfloat16_to_the_same_bits(name: str, width: int) -> None:
    """By oneDNN's kernels, which are not to be trusted with a Conv3d."""
    found = set()
    for _ in range(5):
        student = build_student(name, 3, 4, 16, width, seed=0)
        losses = train_student(student, tiny_clips(), Recipe(max_steps=30, batch=8, precision="bf16"), 0, CPU)
        weights = torch.cat([weight.detach().flatten() for weight in student.parameters()])
        assert weights.isfinite().all()
        found.add((losses, weights.numpy().tobytes()))
    assert len(found) == 1


def test_flags_are_put_back_and_an_error_leaves_none_behind() -> None:
    torch.backends.cudnn.allow_tf32 = True
    try:
        with pytest.raises(RuntimeError), computing("bf16", CPU):
            assert torch.is_autocast_enabled("cpu") and not torch.backends.cudnn.allow_tf32
            raise RuntimeError
        assert torch.backends.cudnn.allow_tf32 and not torch.is_autocast_enabled("cpu")
    finally:
        torch.backends.cudnn.allow_tf32 = False


def test_bfloat16_is_held_against_float32_and_refused_where_they_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """cuDNN 9.8 to 9.10.2 give other numbers for a Conv3d in bfloat16, without an error."""
    assert 1e-4 < bfloat16_error(CPU) < precision.FARTHEST / 2
    assert 1e-4 < bfloat16_error(CPU, (3, 20, 12)) < precision.FARTHEST / 2
    check_bfloat16.cache_clear()
    for wrong in (0.3, float("nan")):
        monkeypatch.setattr(precision, "bfloat16_error", lambda device, clips, wrong=wrong: wrong)
        with pytest.raises(DependencyError, match="or add --set protocol.recipe.precision=float32"):
            check_bfloat16(CPU)
    check_bfloat16.cache_clear()


@pytest.mark.parametrize("wanted", [True, False])
def test_whoever_computes_in_bfloat16_on_a_gpu_had_it_checked(monkeypatch: pytest.MonkeyPatch, wanted: bool) -> None:
    checked: list[tuple[torch.device, precision.Shape]] = []
    gpu, clips = torch.device("cuda"), (16, 112, 112)
    monkeypatch.setattr(precision, "check_bfloat16", lambda *given: checked.append(given))
    monkeypatch.setattr(torch, "autocast", lambda kind, dtype, enabled=True: redirect_stdout(None))
    assert isinstance(precision.in_bf16(gpu, wanted, clips), redirect_stdout if wanted else nullcontext)
    assert isinstance(precision.in_bf16(CPU), nullcontext)
    with computing("bf16" if wanted else "float32", gpu, None, clips):
        pass
    assert checked == [(gpu, clips)] * 2 * wanted


def test_training_has_it_checked_on_clips_as_large_as_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def noted(kind: object, device: object, network: object, clips: object) -> nullcontext[None]:
        asked.append((kind, clips))
        return nullcontext()

    monkeypatch.setattr(train, "computing", noted)
    data = tiny_clips()
    train_student(build_student("minic3d", 3, 4, 16, 4, seed=0), data, Recipe(max_steps=2, precision="bf16"), 0, CPU)
    assert set(asked) == {("bf16", (data.frames, data.size, data.size))}


def test_a_conv3d_is_found_by_its_weights_whether_or_not_it_is_a_module() -> None:
    class Bare(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = torch.nn.Parameter(torch.zeros(2, 3, 1, 3, 3))

    assert has_conv3d(Bare()) and has_conv3d(build_student("video-vit", 3, 4, 16, 8, seed=0))
    assert not has_conv3d(build_student("cnn-lstm", 3, 4, 16, 8, seed=0))


def test_products_are_rounded_to_tf32_where_that_is_wanted_and_nowhere_else() -> None:
    before = as_set()
    with in_tf32(False):
        assert as_set() == before
    with in_tf32(True):
        assert as_set()["cuda.matmul"] == as_set()["cudnn.conv"] == "tf32"
    assert as_set() == before


def test_no_module_computes_in_bfloat16_of_its_own_accord() -> None:
    """Unchecked, cuDNN may give wrong numbers; a rehearsal keeps none."""
    root = Path(__file__).parents[2]
    files = [file for folder in ("vdbench", "methods") for file in (root / folder).rglob("*.py")]
    found = {file.name for file in files if "torch.autocast(" in (text := file.read_text()) and "bfloat16" in text}
    assert found == {"precision.py", "workload.py"}


def test_the_check_finds_the_same_where_there_are_no_gradients() -> None:
    wanted = bfloat16_error(CPU)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert bfloat16_error(CPU) == wanted
    with torch.inference_mode():
        assert bfloat16_error(CPU) == wanted


def test_who_asks_for_bfloat16_where_it_is_emulated_is_warned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("model name: x\nflags\t\t: fpu avx2\n")
    assert not processor_has_bfloat16(tmp_path)
    (tmp_path / "cpuinfo").write_text("model name: x\nflags\t\t: fpu avx2 avx512_bf16\n")
    assert processor_has_bfloat16(tmp_path)
    assert processor_has_bfloat16(tmp_path / "nowhere")
    monkeypatch.setattr(precision, "processor_has_bfloat16", lambda: False)
    with pytest.warns(UserWarning, match="this processor emulates bf16"):
        Recipe(precision="bf16").on("cpu")


SWITCHES = {
    "every": (torch.backends, "fp32_precision"),
    "cudnn": (torch.backends.cudnn, "fp32_precision"),
    "cudnn.conv": (torch.backends.cudnn.conv, "fp32_precision"),
    "cudnn.rnn": (torch.backends.cudnn.rnn, "fp32_precision"),
    "cuda.matmul": (torch.backends.cuda.matmul, "fp32_precision"),
    "mkldnn.matmul": (torch.backends.mkldnn.matmul, "fp32_precision"),
    "mkldnn.conv": (torch.backends.mkldnn.conv, "fp32_precision"),
    "mkldnn.rnn": (torch.backends.mkldnn.rnn, "fp32_precision"),
    "cudnn, older": (torch.backends.cudnn, "allow_tf32"),
    "matmul, older": (torch.backends.cuda.matmul, "allow_tf32"),
}


def as_set() -> dict[str, object]:
    def read(owner: object, name: str) -> object:
        try:
            return getattr(owner, name)
        except RuntimeError:  # of the older switches, where the newer ones say what they cannot
            return "unreadable"

    return {what: read(*where) for what, where in SWITCHES.items()}


@pytest.mark.parametrize(
    "by_hand",
    [
        {},
        {"every": "tf32"},
        {"cudnn": "tf32"},
        {"cudnn.conv": "ieee"},
        {"mkldnn.matmul": "bf16"},
        {"cudnn, older": False},
        {"matmul, older": True, "every": "tf32"},
        {"matmul, older": True, "cudnn.conv": "ieee", "every": "tf32"},
    ],
)
@pytest.mark.parametrize("tf32", [False, True])
def test_products_are_what_is_asked_for_whatever_was_set_before(by_hand: dict[str, object], tf32: bool) -> None:
    def put_out() -> None:
        for what in ("every", "cudnn", "cudnn.conv", "cudnn.rnn", "cuda.matmul", "mkldnn.matmul", "mkldnn.conv"):
            setattr(*SWITCHES[what], "none")
        torch.backends.cudnn.allow_tf32 = True
        torch.set_float32_matmul_precision("highest")

    put_out()
    try:
        for what, value in by_hand.items():
            setattr(*SWITCHES[what], value)
        before = as_set()
        with products(tf32=tf32):
            inside = as_set()
            with products(tf32=not tf32):
                pass
            assert as_set() == inside
        assert as_set() == before
        torch.backends.fp32_precision = "none"  # type: ignore[attr-defined]
        alone = as_set()
        assert alone["mkldnn.conv"] == "none"  # what was set for all is no switch's own afterwards
    finally:
        put_out()
    on_gpu = "tf32" if tf32 else "ieee"
    assert [inside[what] for what in ("cuda.matmul", "cudnn.conv", "cudnn.rnn")] == [on_gpu] * 3
    assert [inside[f"mkldnn.{what}"] for what in ("matmul", "conv", "rnn")] == ["ieee"] * 3
