"""What is held of each clip of a store: in how much memory, in which bytes on disk, and what of it is refused."""

import json
import tracemalloc
from hashlib import sha256

import pytest

from vdbench.datasets.geometry import Geometry
from vdbench.datasets.manifest import Decode, Manifest, StoredClip, seal
from vdbench.datasets.spec import load_dataset
from vdbench.datasets.store import ClipStore
from vdbench.errors import DataError
from vdbench.storage import documents, files


def manifest_of(count: int) -> Manifest:
    """Of clips with texts of their own, as a real one has; every fourth is for testing, and the last one is missing."""
    clips = []
    for row in range(count):
        texts = [sha256(f"{what} {row}".encode()).hexdigest() for what in ("file", "pixels")]
        facts = {"frames": 300, "header_frames": 300, "fps": 29.97, "width": 340, "height": 256}
        clips.append(
            StoredClip(
                id=f"class {row % 20}/clip {row:07}",
                class_name=f"class {row % 20}",
                group=f"group {row // 4}",
                roles={1: "train" if row % 4 else "test"},
                row=row,
                decode=Decode(status="ok", sha256=texts[0], pixels=texts[1], looks=3 * texts[0], **facts),
            )
        )
    missing = Decode(status="missing", message="is not there")
    lost = StoredClip(id="lost", class_name="class 1", group="group", roles={1: "train"}, row=None, decode=missing)
    return seal(
        Manifest(
            spec=load_dataset("kinetics400"), geometry=Geometry(frames=1, sampling="even", resize=(8, 8), size=8),
            reader="decord", reader_version="1", request="", fingerprint="", clips=(*clips, lost),
            classes=tuple(f"class {label}" for label in range(20)), unlisted=(), partial=True,
        )
    )  # fmt: skip


def test_a_manifest_takes_little_more_memory_than_its_texts(tmp_path):
    count = 3000
    files.write_json(tmp_path / "manifest.json", manifest_of(count).model_dump(mode="json"))
    documents.load(Manifest, tmp_path / "manifest.json")
    tracemalloc.start()
    try:
        manifest = documents.load(Manifest, tmp_path / "manifest.json")
        held = tracemalloc.get_traced_memory()[0] / count
    finally:
        tracemalloc.stop()
    texts = sum(len(clip.id) + len(clip.decode.sha256 + clip.decode.pixels + clip.decode.looks)
                for clip in manifest.clips[:-1]) / count  # fmt: skip
    assert texts < held < texts + 700  # with models it is 2,700 more


def test_a_manifest_that_is_read_is_the_one_that_was_written(tmp_path):
    written = manifest_of(30)
    files.write_json(tmp_path / "first.json", written.model_dump(mode="json"))
    read = documents.load(Manifest, tmp_path / "first.json")
    assert read == written
    files.write_json(tmp_path / "second.json", read.model_dump(mode="json"))
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()
    clip = json.loads((tmp_path / "first.json").read_bytes())["clips"][1]
    assert clip["roles"] == {"1": "train"} and clip["segment"] is None and clip["decode"]["message"] == ""
    assert list(clip) == ["class_name", "decode", "group", "id", "roles", "row", "segment"]
    assert seal(read).fingerprint == read.fingerprint == "5856a47ef6ce8988"


NAMED = "it takes names with values, as in '{name: value}'"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda clip: clip.update(colour="red"), "clips.2.colour: Extra inputs are not permitted"),
        (lambda clip: clip["decode"].update(codec="h264"), "clips.2.decode.codec: Extra inputs are not permitted"),
        (lambda clip: clip.pop("group"), "clips.2.group: Field required"),
        (lambda clip: clip["decode"].clear(), "clips.2.decode.status: Field required"),
        (lambda clip: clip.update(decode=[1]), f"clips.2.decode: {NAMED}"),
        (lambda clip: clip.update(roles=["train"]), f"clips.2.roles: {NAMED}"),
        (lambda clip: clip.update(roles={"1": "trial"}), "clips.2.roles.1: Input should be 'train' or 'test'"),
        (lambda clip: clip.update(row=-1), "clips.2.row: Input should be greater than or equal to 0"),
        (lambda clip: clip["decode"].update(fps=float("nan")), "clips.2.decode.fps: Input should be a finite number"),
    ],
)
def test_a_clip_that_is_none_is_named_in_a_sentence(tmp_path, damage, sentence):
    path = tmp_path / "manifest.json"
    content = manifest_of(4).model_dump(mode="json")
    damage(content["clips"][2])
    path.write_text(json.dumps(content))
    with pytest.raises(DataError) as raised:
        ClipStore.read(tmp_path)
    assert str(raised.value) == f"{path} cannot be read ({sentence}); prepare it again"


def test_a_clip_is_refused_when_it_is_made_and_never_changes():
    with pytest.raises(ValueError, match="status"):
        Decode(status="fine")
    with pytest.raises(ValueError, match="colour"):
        Decode(status="ok", colour="red")
    with pytest.raises(AttributeError):
        Decode(status="ok").status = "broken"
