"""Distilled sets: what they cost, how they are stored, and what a broken artefact says."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.conftest import Watch
from tests.sets import distilled_record
from tests.worlds import flip
from vdbench.clips.codecs import Codec, parse_codec
from vdbench.distilled import parameterisations
from vdbench.distilled.distilled_set import RECORD, TENSORS, DistilledRecord, DistilledSet
from vdbench.distilled.recoding import stored_as
from vdbench.errors import DataError, UsageError
from vdbench.records import Provenance
from vdbench.storage import files

SHAPE = (4, 2, 6, 6, 3)


def record(labels: str = "hard") -> DistilledRecord:
    settings, provenance = {"z": [1, 2], "a": {"nested": 0.1}}, Provenance(clip_ids=("w", "x", "y", "ä"))
    return distilled_record(ipc=2, labels=labels, settings=settings, seed=3, provenance=provenance)


def pixels() -> torch.Tensor:
    return torch.randint(0, 256, SHAPE, generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def hard(clips: torch.Tensor | None = None) -> DistilledSet:
    clips = pixels() if clips is None else clips
    return DistilledSet({"clips": clips, "targets": torch.tensor([0, 0, 1, 1])}, record())


def soft() -> DistilledSet:
    targets = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]])
    return DistilledSet({"clips": hard().render()[0], "targets": targets}, record("soft"))


def test_stored_bytes_count_pixels_as_stored_and_labels_only_if_soft() -> None:
    assert hard().stored_bytes == 4 * 2 * 6 * 6 * 3
    assert hard(hard().render()[0]).stored_bytes == 4 * (4 * 2 * 6 * 6 * 3)
    assert soft().stored_bytes == 4 * (4 * 2 * 6 * 6 * 3) + 4 * 4 * 2


def test_render_normalises_pixels_and_passes_learned_clips_through() -> None:
    rendered, targets = hard().render(torch.tensor([2, 0]))
    expected = (pixels()[[2, 0], :, :, :, 1].float() / 255 - 0.5) / 0.3
    torch.testing.assert_close(rendered[:, 1], expected)
    assert targets.tolist() == [1, 0]
    assert torch.equal(soft().render()[0], soft().tensors["clips"])


def test_learned_clips_turn_back_into_the_pixels_they_came_from() -> None:
    assert torch.equal(hard(hard().render()[0]).pixels(), pixels())
    assert torch.equal(hard().pixels(), pixels())
    bright = hard(hard().render()[0] + 100).pixels()
    assert bool((bright == 255).all())


def test_labels_are_the_most_likely_classes() -> None:
    assert soft().labels().tolist() == [0, 0, 1, 0]
    assert hard().labels().tolist() == [0, 0, 1, 1]
    assert hard().classes == ("a", "b")


@pytest.mark.parametrize("build", [hard, soft])
def test_an_artefact_comes_back_as_it_was(tmp_path: Path, build: Any) -> None:
    before = build()
    before.save(tmp_path / "set")
    after = DistilledSet.load(tmp_path / "set")
    assert after.record == before.record
    assert after.tensors.keys() == before.tensors.keys()
    assert all(torch.equal(after.tensors[name], tensor) for name, tensor in before.tensors.items())
    assert all(torch.equal(a, b) for a, b in zip(after.render(), before.render(), strict=True))
    assert after.stored_bytes == before.stored_bytes


def test_equal_sets_have_equal_files(tmp_path: Path) -> None:
    hard().save(tmp_path / "a")
    replace(hard(), tensors={name: hard().tensors[name] for name in ("targets", "clips")}).save(tmp_path / "b")
    for name in (TENSORS, RECORD):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_saving_again_replaces_and_a_failure_leaves_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hard().save(tmp_path / "set")
    soft().save(tmp_path / "set")
    assert DistilledSet.load(tmp_path / "set").record.labels == "soft"

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_json", fail)
    with pytest.raises(OSError, match="No space"):
        hard().save(tmp_path / "set")
    assert DistilledSet.load(tmp_path / "set").record.labels == "soft"
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"clips": pixels().double()}, "5-dimensional uint8, float16 or float32"),
        ({"clips": pixels()[0]}, "5-dimensional"),
        ({"clips": pixels()[..., :2]}, r"of torch.uint8 are \(N, T, H, W, 3\), pixels"),
        ({"clips": pixels().float()}, r"of torch.float32 are \(N, 3, T, H, W\), normalised"),
        ({"targets": torch.tensor([0, 1, 1])}, "do not fit 4 clips"),
        ({"targets": torch.zeros(4, 2)}, "do not fit 4 clips"),
        ({"targets": torch.zeros(4, dtype=torch.int32)}, "cannot be torch.int32"),
        ({"targets": torch.tensor([0, 0, 1, 2])}, r"must lie in 0\.\.1"),
        ({"targets": torch.tensor([0, 0, 1, -1])}, r"must lie in 0\.\.1"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(change: dict[str, torch.Tensor], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        DistilledSet({**hard().tensors, **change}, record())


def test_soft_targets_must_have_a_column_per_class() -> None:
    with pytest.raises(ValueError, match="do not fit 2 classes"):
        DistilledSet({"clips": pixels(), "targets": torch.zeros(4, 3)}, record("soft"))


def not_safetensors(folder: Path) -> None:
    (folder / TENSORS).write_bytes(b"no tensors here")
    restamp(folder)


def restamp(folder: Path, **change: object) -> None:
    value = json.loads((folder / RECORD).read_text()) | change
    files.write_json(folder / RECORD, value | {"tensors_sha256": files.file_sha256(folder / TENSORS)})


def other_tensors(folder: Path) -> None:
    save_file({"pixels": torch.zeros(3)}, folder / TENSORS)
    restamp(folder)


BREAKAGES: list[tuple[Any, str]] = [
    (shutil.rmtree, "is no distilled set: distilled.json is missing"),
    (lambda folder: (folder / TENSORS).unlink(), "is no distilled set: tensors.safetensors is missing"),
    (lambda folder: flip(folder / TENSORS, -1), "its SHA-256 differs"),
    (not_safetensors, "no distilled set that can be read"),
    (other_tensors, "no distilled set that can be read"),
    (lambda folder: (folder / RECORD).write_text("{"), "no distilled set that can be read"),
    (lambda folder: (folder / RECORD).write_text("[]"), "no distilled set that can be read"),
    (lambda folder: (folder / RECORD).write_text("{}"), "no distilled set that can be read"),
    (lambda folder: restamp(folder, surprise=1), "no distilled set that can be read"),
    (lambda folder: restamp(folder, schema_version=2), "was written by a later version of vdbench"),
    (lambda folder: restamp(folder, dataset="mine.yaml"), "can be read: dataset: String should match pattern"),
    (lambda folder: restamp(folder, ipc=0), "can be read: ipc: "),
    (lambda folder: (folder / RECORD).write_text('{"ipc": 1, "ipc": 2}'), "it says 'ipc' twice"),
    (lambda folder: (folder / RECORD).write_text("[" * 100_000), "too deep within each other"),
    (lambda folder: restamp(folder, classes=["a"]), "no distilled set that can be read"),
    (lambda folder: restamp(folder, codec="gif"), "can be read: distilled.json: .*unknown codec 'gif'"),
    (lambda folder: restamp(folder, codec="h264"), "a video codec and a clip_shape go together"),
    (lambda folder: restamp(folder, clip_shape=[2, 6, 6]), "a video codec and a clip_shape go together"),
]


@pytest.mark.parametrize(("breakage", "sentence"), BREAKAGES)
def test_a_broken_artefact_is_one_sentence(tmp_path: Path, breakage: Any, sentence: str) -> None:
    hard().save(tmp_path / "set")
    breakage(tmp_path / "set")
    with pytest.raises(DataError, match=sentence) as caught:
        DistilledSet.load(tmp_path / "set")
    assert "\n" not in str(caught.value)


CODECS = ("uint8", "float16", "float32", "h264:20", "h265:20")


def natural() -> torch.Tensor:
    """Four clips of smooth colours that move, uint8 ``(4, 5, 21, 18, 3)``."""
    t, y, x = torch.meshgrid(torch.arange(5), torch.arange(21), torch.arange(18), indexing="ij")
    phases = torch.arange(12.0).view(4, 1, 1, 1, 3)
    return (128 + 100 * torch.sin((x / 5 + y / 7 + t / 3).unsqueeze(-1) + phases)).to(torch.uint8)


def bytes_as(text: str, made: DistilledSet) -> int:
    return stored_as(made, parse_codec(text)).stored_bytes


@pytest.mark.parametrize("text", CODECS)
@pytest.mark.parametrize("labels", ["hard", "soft"])
def test_a_stored_set_is_the_same_set_beside_its_clips(tmp_path: Path, labels: str, text: str) -> None:
    targets = torch.tensor([0, 0, 1, 1]) if labels == "hard" else soft().tensors["targets"]
    made = stored_as(DistilledSet({"clips": natural(), "targets": targets}, record(labels)), parse_codec(text))
    made.save(tmp_path / "set")
    for stored in (made, DistilledSet.load(tmp_path / "set")):
        assert stored.record.codec == text
        assert stored.record.model_copy(update={"codec": None, "form": "clips", "clip_shape": None}) == record(labels)
        assert len(stored) == 4 and torch.equal(stored.labels(), targets if labels == "hard" else targets.argmax(1))
        clips, shown = stored.render(torch.tensor([2, 0]))
        assert clips.shape == (2, 3, 5, 21, 18) and clips.dtype == torch.float32
        assert torch.equal(shown, targets[[2, 0]])
        assert torch.equal(clips, stored.render()[0][[2, 0]])
        assert stored.of_epoch(3, torch.device("cpu")) is stored
        hardened = stored.with_hard_labels()
        assert hardened.record.labels == "hard" and torch.equal(hardened.render()[0], stored.render()[0])
        far = (stored.pixels().int() - natural().int()).abs()
        assert int(far.max()) == 0 if "26" not in text else float(far.float().mean()) <= 4
    names = [name for name in made.tensors if name != "targets"]
    assert made.stored_bytes == made.tensors[names[0]].nbytes + (4 * 4 * 2 if labels == "soft" else 0)
    assert len(names) == 1


def test_pixels_stored_as_pixels_are_the_same_to_the_bit() -> None:
    stored = stored_as(hard(), Codec(name="uint8"))
    assert torch.equal(stored.tensors["clips"], pixels())
    assert torch.equal(stored.render()[0], hard().render()[0])


def test_pixels_are_normalised_before_they_become_floats() -> None:
    expected = hard().render()[0]
    assert torch.equal(stored_as(hard(), Codec(name="float32")).tensors["clips"], expected)
    assert torch.equal(stored_as(hard(), Codec(name="float16")).tensors["clips"], expected.half())
    assert torch.equal(stored_as(hard(), Codec(name="float16")).render()[0], expected.half().float())


def test_learned_floats_become_pixels_where_pictures_are_asked_for() -> None:
    learned = hard(hard().render()[0] + 0.001)
    assert torch.equal(stored_as(learned, Codec(name="uint8")).tensors["clips"], pixels())
    exact = stored_as(learned, Codec(name="h264", quality=0)).pixels().int()
    assert int((exact - pixels().int()).abs().max()) <= 2


@pytest.mark.parametrize("text", CODECS)
@pytest.mark.parametrize("first", ["float16", "h264:20"])
def test_a_stored_set_can_be_stored_again(first: str, text: str) -> None:
    once = stored_as(hard(natural()), parse_codec(first))
    again = stored_as(once, parse_codec(text))
    assert again.record.codec == text
    if "26" not in text:
        torch.testing.assert_close(again.render()[0], once.render()[0], atol=2e-2, rtol=0)
        assert torch.equal(again.pixels(), once.pixels())


def test_a_video_is_decoded_once(watched: Watch) -> None:
    stored = stored_as(hard(natural()), parse_codec("h264"))
    decode = watched(parameterisations, "decode")
    for rows in (None, torch.tensor([1]), torch.tensor([2, 3])):
        stored.render(rows)
    stored.pixels(), stored.with_hard_labels().render()
    assert [standard for (_, standard, _), _ in decode.call_args_list] == ["h264"]


@pytest.mark.parametrize("name", ["h264", "h265"])
def test_a_video_is_made_no_coarser_than_it_must_be_to_fit(name: str) -> None:
    made = hard(natural())
    sizes = {quality: bytes_as(f"{name}:{quality}", made) for quality in range(20, 52)}
    for allowed in {sizes[20], sizes[20] - 1, sizes[27], sizes[34] + 1, sizes[51], (sizes[20] + sizes[51]) // 2}:
        stored = stored_as(made, Codec(name=name, quality=20), allowed)  # type: ignore[arg-type]
        used = parse_codec(stored.record.codec or "").quality
        assert used is not None and stored.stored_bytes == sizes[used] <= allowed
        assert used == 20 or sizes[used - 1] > allowed


@pytest.mark.parametrize("quality", [20, 50, 51])
def test_a_video_that_does_not_fit_at_its_coarsest_is_refused(quality: int) -> None:
    made = hard(natural())
    coarsest = bytes_as("h264:51", made)
    least = min(bytes_as(f"h264:{coarser}", made) for coarser in range(quality, 52))  # a byte or two below the coarsest
    sentence = f"these 4 clips take {coarsest} bytes as h264:51 and {least - 1} are allowed; keep fewer clips"
    with pytest.raises(UsageError, match=sentence):
        stored_as(made, Codec(name="h264", quality=quality), least - 1)
    assert stored_as(made, Codec(name="h264", quality=quality), coarsest).stored_bytes <= coarsest


def test_soft_labels_count_towards_what_is_allowed() -> None:
    made = DistilledSet({"clips": pixels(), "targets": soft().tensors["targets"]}, record("soft"))
    needed = 4 * 2 * 6 * 6 * 3 + 4 * 4 * 2
    assert stored_as(made, Codec(name="uint8"), needed).stored_bytes == needed
    with pytest.raises(UsageError, match=f"take {needed} bytes as uint8 and {needed - 1} are allowed"):
        stored_as(made, Codec(name="uint8"), needed - 1)


def test_a_stream_that_cannot_be_decoded_is_a_data_error_when_it_is_rendered(tmp_path: Path) -> None:
    stored = stored_as(hard(natural()), parse_codec("h265"))
    half = stored.tensors["stream"][: stored.stored_bytes // 2]
    replace(stored, tensors={**stored.tensors, "stream": half}).save(tmp_path / "set")
    with pytest.raises(DataError, match="the h265 stream of 4 clips is broken"):
        DistilledSet.load(tmp_path / "set").render()


@pytest.mark.parametrize("stream", [torch.zeros(3), torch.zeros(3, 1, dtype=torch.uint8)])
def test_a_stream_is_a_row_of_bytes(stream: torch.Tensor) -> None:
    stored = stored_as(hard(natural()), parse_codec("h264"))
    with pytest.raises(ValueError, match="a stream must be 1-dimensional uint8"):
        replace(stored, tensors={**stored.tensors, "stream": stream})
