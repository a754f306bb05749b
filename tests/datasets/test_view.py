import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import worlds
from vdbench.clips.clipset import pixel_statistics
from vdbench.datasets.prepare import prepare
from vdbench.datasets.spec import load_dataset
from vdbench.datasets.store import ClipStore
from vdbench.datasets.view import open_view, verify_views
from vdbench.errors import DataError, LaterError, UsageError
from vdbench.storage import digests, files


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("view")
    world = worlds.ucf_world(folder / "data", classes=3, groups=6, clips=2)
    worlds.damage(world.files()[3])
    return prepare(world.spec, world.root, folder / "home", workers=2), folder / "home"


def test_the_parts_are_the_official_split(made):
    store, home = made
    view = open_view(store, home)
    assert view.train.classes == view.test.classes == ("Archery", "Biking", "Diving")
    assert view.test.counts().tolist() == [2, 2, 2] and view.train.counts().tolist() == [9, 10, 10]
    assert {clip.split("_g")[1][:2] for clip in view.test.ids} == {"01"}
    assert len(view.validation) == 0
    rows = {clip.id: clip.row for clip in store.manifest.clips}
    for part in (view.train, view.test):
        for i, clip in enumerate(part.ids):
            assert np.array_equal(part.clips[i], store.clips[rows[clip]])
            assert part.classes[part.labels[i]] == clip.split("/")[0]
            assert clip.split("/")[1].startswith(part.groups[i])


def test_another_split_gives_other_test_clips(made):
    store, home = made
    assert {clip.split("_g")[1][:2] for clip in open_view(store, home, split=2).test.ids} == {"02"}
    with pytest.raises(UsageError, match="no split 4; there are: 1, 2, 3"):
        open_view(store, home, split=4)


def test_validation_is_held_out_by_group_and_test_is_untouched(made):
    store, home = made
    whole, view = open_view(store, home), open_view(store, home, validation=0.3)
    assert sorted(view.train.ids + view.validation.ids) == sorted(whole.train.ids)
    assert view.test.ids == whole.test.ids
    assert not set(view.train.groups) & set(view.validation.groups)
    assert not set(view.test.groups) & set(view.train.groups + view.validation.groups)
    assert min(view.validation.counts()) > 0 and max(view.validation.counts()) <= 4
    assert view.facts.train_clips == len(view.train) < whole.facts.train_clips


def test_the_train_set_is_mapped_from_a_file_without_test_clips(made):
    store, home = made
    view = open_view(store, home, validation=0.3)
    files = {}
    for name in ("train", "validation", "test"):
        part = getattr(view, name)
        assert isinstance(part.clips, np.memmap) and not part.clips.flags.writeable
        files[name] = part.clips.filename
        assert Path(part.clips.filename).stat().st_size - part.clips.nbytes < 256
    assert len(set(files.values())) == 3
    train = {clip.tobytes() for clip in view.train.clips}
    assert not train & {clip.tobytes() for clip in view.test.clips}


def test_normalisation_comes_from_train_alone(made):
    store, home = made
    view = open_view(store, home, validation=0.3)
    assert view.train.normalisation == view.test.normalisation == pixel_statistics(np.array(view.train.clips))
    assert view.train.normalisation != open_view(store, home).train.normalisation


def test_a_declared_normalisation_is_that_of_all_parts_and_of_a_view_of_its_own(made, tmp_path):
    """The pixels stay what they are; a declaration of now holds also for a store prepared under an earlier one."""
    scale = ((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    store, home = made
    spec = store.manifest.spec.model_copy(update={"name": "scaled", "normalisation": scale})
    scaled = open_view(replace(store, manifest=store.manifest.model_copy(update={"spec": spec})), home, validation=0.3)
    plain = open_view(store, home, validation=0.3)
    assert scaled.facts.fingerprint != plain.facts.fingerprint
    for part in ("train", "validation", "test"):
        one, other = getattr(scaled, part), getattr(plain, part)
        assert one.normalisation == scale != other.normalisation
        assert np.array_equal(one.clips, other.clips)
    earlier = store.manifest.spec.model_copy(update={"name": "hmdb51-as-published"})
    found = open_view(replace(store, manifest=store.manifest.model_copy(update={"spec": earlier})), home)
    assert found.train.normalisation == load_dataset("hmdb51-as-published").normalisation


def test_smaller_clips_are_picked_evenly_and_averaged(made):
    store, home = made
    view = open_view(store, home, frames=4, size=16)
    whole = open_view(store, home)
    assert view.train.clips.shape[1:] == (4, 16, 16, 3) and view.train.ids == whole.train.ids
    stored = np.array(whole.train.clips[:, [1, 3, 5, 7]], dtype=float)
    averaged = stored.reshape(len(stored), 4, 16, 2, 16, 2, 3).mean(axis=(3, 5))
    assert np.abs(view.train.clips - averaged).max() <= 1
    odd = open_view(store, home, frames=3, size=20).train
    frame = Image.fromarray(np.array(whole.train.clips[0, 4])).resize((20, 20), Image.Resampling.BOX)
    assert np.array_equal(odd.clips[0, 1], np.asarray(frame))


def test_larger_clips_need_another_store_and_the_sentence_says_which_command(made):
    store, home = made
    with pytest.raises(
        DataError, match=r"has 8 frames of 32 pixels, not 16 of 64; type: .*prepare ucf101 --frames 16 --size 64"
    ):
        open_view(store, home, frames=16, size=64)
    for wrong in ({"frames": 0}, {"size": -1}, {"validation": 1.0}, {"validation": -0.1}):
        with pytest.raises(UsageError):
            open_view(store, home, **wrong)


def test_views_are_built_once_and_addressed_by_what_they_are(made):
    store, home = made
    one = open_view(store, home, validation=0.3, seed=1)
    stamp = Path(one.train.clips.filename).stat().st_mtime_ns
    again = open_view(store, home, validation=0.3, seed=1)
    assert Path(again.train.clips.filename).stat().st_mtime_ns == stamp
    assert again.train.fingerprint == one.train.fingerprint
    prints = defaultdict(set)
    for arguments in (
        {},
        {"split": 2},
        {"frames": 4},
        {"size": 16},
        {"validation": 0.3},
        {"validation": 0.3, "seed": 1},
    ):
        view = open_view(store, home, **arguments)
        prints["view"].add(view.facts.fingerprint)
        prints["part"].update(part.fingerprint for part in (view.train, view.validation, view.test))
    assert len(prints["view"]) == 6 and len(prints["part"]) == 18


def test_manifest_and_labels_are_read_once_per_process(made):
    store, home = made
    assert ClipStore.open(store.folder).manifest is ClipStore.open(store.folder).manifest
    first, second = (open_view(store, home, frames=4, size=16) for _ in range(2))
    assert first.train.ids is second.train.ids
    assert first.train.clips is not second.train.clips


def test_the_facts_tell_what_is_missing(made, tmp_path):
    store, home = made
    facts = open_view(store, home).facts
    assert (facts.classes, facts.classes_total, facts.clips, facts.clips_total) == (3, 3, 35, 36)
    assert (facts.train_clips, facts.test_clips, facts.partial) == (29, 6, True)


def test_a_class_without_test_clips_is_left_out_and_labels_close_up(tmp_path):
    world = worlds.ucf_world(tmp_path / "data", classes=3, groups=3, clips=1)
    worlds.damage(world.files()[0])
    store = prepare(world.spec, world.root, tmp_path / "home", workers=1, partial=True)
    view = open_view(store, tmp_path / "home")
    assert view.train.classes == ("Biking", "Diving") and view.train.counts().tolist() == [2, 2]
    assert (view.facts.classes, view.facts.classes_total, view.facts.clips) == (2, 3, 6)
    assert view.facts.title == "ucf101, 2 of 3 classes"
    worlds.damage(world.files()[3])
    store = prepare(world.spec, world.root, tmp_path / "home", workers=1, partial=True)
    with pytest.raises(DataError, match="has 1 classes with train and test clips, but needs 2"):
        open_view(store, tmp_path / "home")


@pytest.fixture
def view(made):
    store, home = made
    opened = open_view(store, home, split=3, size=16)
    return store, home, home / "views" / opened.facts.fingerprint, opened


@pytest.mark.parametrize("name", ["train/clips.npy", "test/labels.json", "validation/clips.npy", "digests.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_view_is_set_aside_and_built_again_to_the_same_bytes(view, name, damage):
    store, home, folder, before = view
    path = folder / name
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(whole[:-3] if damage == "cut" else whole[:10] + bytes([whole[10] ^ 1]) + whole[11:])
    if (name, damage) == ("digests.json", "gone"):  # it then looks like one of an earlier version
        assert verify_views(home) == [
            f"{folder} carries no digests; delete it, and it is built again with them when it is used"
        ]
        path.write_bytes(whole)
    else:
        with pytest.warns(UserWarning, match=rf"{folder.name} .*; it was set aside as \.{folder.name}\.corrupt"):
            open_view(store, home, split=3, size=16)
    after = open_view(store, home, split=3, size=16)
    assert path.read_bytes() == whole and after.train.fingerprint == before.train.fingerprint


def test_a_view_without_digests_is_used_and_built_again_where_it_cannot_be_read(view):
    store, home, folder, before = view
    (folder / "digests.json").unlink()
    assert np.array_equal(open_view(store, home, split=3, size=16).train.clips, before.train.clips)
    with (folder / "train" / "clips.npy").open("r+b") as file:
        file.truncate(1000)
    with pytest.warns(UserWarning, match=r"cannot be read \(DataError\)"):
        again = open_view(store, home, split=3, size=16)
    assert np.array_equal(again.test.clips, before.test.clips) and len(again.train) == len(before.train)


def test_every_byte_of_a_view_is_verified_also_where_opening_does_not_look(view, monkeypatch):
    store, home, folder, _ = view
    monkeypatch.setattr(digests, "LOOK", 1)
    path = folder / "train" / "clips.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    open_view(store, home, split=3, size=16)
    with pytest.warns(UserWarning, match="other bytes in train/clips.npy"):
        verify_views(home)
    assert not folder.exists()
    assert whole.endswith(open_view(store, home, split=3, size=16).train.clips[-1].tobytes())


def raise_schema(file: Path) -> None:
    """What the next version might have written in a file's place, sealed as it would seal it."""
    value = json.loads(file.read_text())
    files.write_json(file, value | {"schema_version": value.get("schema_version", 1) + 1, "surprise": 1})


@pytest.mark.parametrize("file", ["manifest.json", "digests.json"])
def test_a_store_of_a_later_version_is_neither_used_nor_prepared_again(tmp_path, file):
    world = worlds.ucf_world(tmp_path / "data", classes=2, groups=3, clips=1)
    store = prepare(world.spec, world.root, tmp_path / "home", workers=1)
    (store.folder / "digests.json").unlink() if file == "manifest.json" else None
    raise_schema(store.folder / file)
    before = {path: path.read_bytes() for path in store.folder.iterdir()}
    for use in (
        lambda: ClipStore.open(store.folder),
        lambda: prepare(world.spec, world.root, tmp_path / "home", workers=1),
    ):
        with pytest.raises(LaterError, match=rf"{file} was written by a later version of vdbench: its schema is 2"):
            use()
    assert {path: path.read_bytes() for path in store.folder.iterdir()} == before


@pytest.mark.parametrize("file", ["train/labels.json", "digests.json"])
def test_a_view_of_a_later_version_is_not_built_again(tmp_path, file):
    world = worlds.ucf_world(tmp_path / "data", classes=2, groups=3, clips=1)
    store = prepare(world.spec, world.root, tmp_path / "home", workers=1)
    folder = tmp_path / "home" / "views" / open_view(store, tmp_path / "home").facts.fingerprint
    (folder / "digests.json").unlink() if file != "digests.json" else None
    raise_schema(folder / file)
    with pytest.raises(LaterError, match=rf"{file} was written by a later version of vdbench: its schema is 2"):
        open_view(store, tmp_path / "home")
    assert sorted(path.name for path in folder.parent.iterdir() if "corrupt" in path.name) == []
    assert "surprise" in (folder / file).read_text()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": [0, 0, 1, 2**62]}, "labels"),
        ({"labels": [0]}, "one entry per clip"),
        ({"labels": [0, 0, 1, 7]}, "labels must lie in 0..1"),
        ({"fingerprint": 3}, "fingerprint"),
        ({"classes": ["Archery", "B" * 300]}, "classes.1: String should have at most 255 characters"),
    ],
)
def test_a_view_that_does_not_fit_itself_is_a_sentence(tmp_path, change, said):
    world = worlds.ucf_world(tmp_path / "data", classes=2, groups=3, clips=1)
    store = prepare(world.spec, world.root, tmp_path / "home", workers=1)
    folder = tmp_path / "home" / "views" / open_view(store, tmp_path / "home").facts.fingerprint
    file = folder / "train" / "labels.json"
    files.write_json(file, json.loads(file.read_text()) | change)
    files.write_json(folder / "digests.json", digests.describe(folder))
    with pytest.raises(DataError, match=rf"labels\.json cannot be used \(.*{said}.*delete {folder}, and it is built"):
        open_view(store, tmp_path / "home")
