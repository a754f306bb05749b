"""Data sets of one's own: the same clips, however they are listed, and a sentence for whatever is wrong with them."""

import json
import shutil
from pathlib import Path

import pytest

import worlds
from vdbench.datasets.layouts import read_index
from vdbench.datasets.new import Wish, new_dataset
from vdbench.datasets.prepare import prepared_store, verify
from vdbench.datasets.spec import dataset_names, load_dataset
from vdbench.datasets.view import open_view
from vdbench.errors import DataError, UsageError
from vdbench.experiment.home import Home

SMALL = worlds.SMALL


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return worlds.lab_folder(tmp_path_factory.mktemp("lab"))


@pytest.fixture
def copied(folder, tmp_path):
    return Path(shutil.copytree(folder, tmp_path / "videos"))


def declare(home, name="lab", file=None, replace=False, **wish):
    return new_dataset(name, Wish(**{"geometry": SMALL, **wish}), home, file, replace=replace)


def touch(root, *names):
    """Empty files, for what is decided before anything is decoded."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def table(root, *rows, head="path,label"):
    path = root / "clips.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def roles(index, split=1):
    return {entry.id: entry.roles[split] for entry in index.entries}


def test_a_folder_and_a_table_of_it_are_the_same_clips_to_the_bit(folder, tmp_path):
    views = []
    for number, wish in enumerate([{"videos": folder}, {"csv": worlds.lab_table(folder, tmp_path / "clips.csv")}]):
        home = tmp_path / f"home{number}"
        declare(home, **wish)
        store = prepared_store("lab", home)
        views.append((store.manifest.fingerprint, open_view(store, home).facts))
    assert views[0] == views[1]
    assert views[0][1].classes == 3 and not views[0][1].partial


def test_clips_of_one_name_with_another_split_or_other_pixels_are_other_data(folder, copied, tmp_path):
    prints = []
    (copied / "wave" / "s01_2.mp4").write_bytes((copied / "wave" / "s02_2.mp4").read_bytes())
    for number, wish in enumerate([{"videos": folder}, {"videos": folder, "seed": 1}, {"videos": copied}]):
        home = tmp_path / f"home{number}"
        declare(home, **wish)
        prints.append(prepared_store("lab", home).manifest.fingerprint)
    assert len(set(prints)) == 3


def test_the_file_that_is_written_says_where_the_clips_are_and_how_they_are_split(folder, tmp_path):
    made = declare(tmp_path, videos=folder, group=r"^(s\d+)", test=0.5, seed=7)
    assert made.file == tmp_path / "datasets" / "lab.yaml"
    assert dataset_names(tmp_path) == sorted([*dataset_names(), "lab"])
    spec = load_dataset("lab", tmp_path)
    assert spec == made.spec
    assert (spec.source.split.test, spec.source.split.seed, spec.source.group, spec.source.clips) == (
        0.5,
        7,
        r"^(s\d+)",
        24,
    )
    assert spec.homepage == spec.citation == ""
    index = read_index(spec, folder)
    sides = {role: {e.group for e in index.entries if e.roles[1] == role} for role in ("train", "test")}
    assert {len(groups) for groups in sides.values()} == {2}
    assert sides["train"].isdisjoint(sides["test"])
    assert index.named(1, "test") == 12


def test_every_class_has_its_share_of_test_clips_and_the_seed_decides_which(tmp_path):
    names = [f"{label}/{n:02}.mp4" for label, count in (("a", 40), ("b", 8), ("c", 2)) for n in range(count)]
    root = touch(tmp_path / "v", *names)
    found = [declare(tmp_path, videos=root, seed=seed, replace=True).index for seed in (0, 0, 1)]
    for index in found:
        tested = [entry.class_name for entry in index.entries if entry.roles[1] == "test"]
        assert [tested.count(label) for label in "abc"] == [10, 2, 1]
    assert roles(found[0]) == roles(found[1]) != roles(found[2])


def test_several_splits_take_a_seed_each(tmp_path):
    root = touch(tmp_path / "v", *(f"{label}/{n}.mp4" for label in "ab" for n in range(8)))
    three = declare(tmp_path, videos=root, splits=3)
    second = declare(tmp_path, "second", videos=root, seed=1)
    assert three.spec.splits == (1, 2, 3)
    assert roles(three.index, 2) == roles(second.index) != roles(three.index, 1)


def test_class_folders_may_lie_at_any_depth_and_hold_any_container(tmp_path):
    root = touch(
        tmp_path,
        *("in/one/a/x/1.mkv", "in/one/a/2.WMV", "in/one/b/y/3.ts", "in/one/b/z/4.m4v", "in/one/notes.txt"),
        *("in/one/b/y/5.ts", "in/one/b/z/6.m4v"),
    )
    index = declare(tmp_path, videos=tmp_path).index
    ids = " ".join(entry.id for entry in index.entries)
    assert ids == "a/2.WMV a/x/1.mkv b/y/3.ts b/y/5.ts b/z/4.m4v b/z/6.m4v"
    assert index.classes == ("a", "b")
    inner = declare(tmp_path, "inner", videos=root, class_level=-1, partial=True).index
    assert inner.classes == ("a", "x", "y", "z")


def test_folders_called_train_and_test_are_the_split(tmp_path):
    root = touch(
        tmp_path / "v", *(f"{p}/{c}/{n}.mp4" for p in ("Train", "val", "test") for c in "ab" for n in range(2))
    )
    made = declare(tmp_path, videos=root)
    assert made.spec.source.split == "given"
    assert roles(made.index) == {
        f"{p}/{c}/{n}.mp4": p.lower() for p in ("Train", "test") for c in "ab" for n in range(2)
    }
    assert made.index.unlisted == ("val/a/0.mp4", "val/a/1.mp4", "val/b/0.mp4", "val/b/1.mp4")
    shutil.rmtree(root / "test")
    assert roles(declare(tmp_path, "two", videos=root).index)["val/a/0.mp4"] == "test"


def test_a_table_may_call_its_columns_otherwise_and_give_split_and_group(tmp_path):
    touch(tmp_path, *(f"{n}.mp4" for n in range(4)))
    rows = ["0.mp4;x;train;p", "1.mp4;x;TEST;q", "2.mp4;y;training;p", "3.mp4;y;test;q"]
    path = table(tmp_path, *rows, head="file;verb;split;person")
    with pytest.raises(DataError, match=r"no column 'path', but file, verb.*--column path=NAME"):
        declare(tmp_path, csv=path)
    index = declare(tmp_path, csv=path, columns={"path": "file", "label": "verb", "group": "person"}).index
    assert roles(index) == {"0.mp4": "train", "1.mp4": "test", "2.mp4": "train", "3.mp4": "test"}
    assert [entry.group for entry in index.entries] == ["p", "q", "p", "q"]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_videofolder_is_read_by_its_metadata(tmp_path, ending):
    root = tmp_path / "hub"
    for part, count in (("train", 3), ("test", 1)):
        rows = [{"file_name": f"{c}{n}.mp4", "label": c} for c in "ab" for n in range(count)]
        touch(root / "data" / part, *(row["file_name"] for row in rows))
        lines = [json.dumps(row) for row in rows] if ending == "jsonl" else []
        lines = lines or ["file_name,label", *(",".join(row.values()) for row in rows)]
        (root / "data" / part / f"metadata.{ending}").write_text("\n".join(lines) + "\n")
    index = declare(tmp_path, hf=root).index
    assert (index.classes, index.named(1, "train"), index.named(1, "test")) == (("a", "b"), 6, 2)
    assert roles(index)["test/a0.mp4"] == "test"


def test_a_videofolder_without_metadata_has_its_classes_in_the_innermost_folders(tmp_path):
    root = touch(tmp_path / "hub", *(f"{p}/more/{c}/1.mp4" for p in ("train", "test") for c in "ab"))
    assert declare(tmp_path, hf=root).index.classes == ("a", "b")


def test_a_layout_of_a_published_data_set_does_for_others(tmp_path):
    world = worlds.ucf_world(tmp_path / "data", classes=3)
    made = declare(tmp_path, videos=world.root / "ucf101", like="ucf", classes=["Biking", "Archery"])
    assert (made.spec.layout, made.spec.classes, made.spec.splits) == ("ucf", 2, (1, 2, 3))
    assert made.index.classes == ("Archery", "Biking")
    store = prepared_store("lab", tmp_path)
    assert len(store.manifest.clips) == 16
    with pytest.raises(UsageError, match="did you mean 'ucf'"):
        declare(tmp_path, "other", videos=world.root, like="ufc")


def test_with_partial_a_class_of_one_clip_is_left_out_and_told(copied, tmp_path):
    for path in sorted((copied / "nod").iterdir())[1:]:
        path.unlink()
    made = declare(tmp_path, videos=copied, partial=True)
    assert "class 'nod'" in made.lacking
    manifest = prepared_store("lab", tmp_path).manifest
    assert manifest.partial
    assert manifest.classes_of(1) == ("point", "wave")


def test_names_that_are_taken_or_impossible_are_refused(folder, tmp_path):
    declare(tmp_path, videos=folder)
    before = (tmp_path / "datasets" / "lab.yaml").read_bytes()
    refused = {"lab": "--replace", "ucf101": "taken", "My Lab": "small letters", "all": "stands for every data set"}
    for name, complaint in refused.items():
        with pytest.raises(UsageError, match=complaint):
            declare(tmp_path, name, videos=folder, test=0.5)
    for wish in ({}, {"csv": folder, "hf": folder}, {"hf": folder, "like": "ucf"}):
        with pytest.raises(UsageError, match="say where the clips are"):
            declare(tmp_path, "other", **wish)
    assert (tmp_path / "datasets" / "lab.yaml").read_bytes() == before
    stolen = tmp_path / "stolen.yaml"
    stolen.write_text(before.decode().replace("name: lab", "name: ucf101"))
    with pytest.raises(DataError, match="as the published ucf101 is"):
        load_dataset(str(stolen))


def test_other_clips_than_were_declared_are_refused_until_they_are_declared_anew(copied, tmp_path):
    declare(tmp_path, videos=copied)
    first = prepared_store("lab", tmp_path).manifest.fingerprint
    extra = copied / "wave" / "s09_2.mp4"
    shutil.copy(copied / "wave" / "s01_2.mp4", extra)
    with pytest.raises(DataError, match=r"not those that it was declared with \(25 now, 24 then\).*--replace"):
        prepared_store("lab", tmp_path)
    extra.unlink()
    assert prepared_store("lab", tmp_path).manifest.fingerprint == first
    shutil.move(copied, tmp_path / "moved")
    assert prepared_store("lab", tmp_path).manifest.fingerprint == first


def test_a_file_may_move_with_its_clips(copied, tmp_path):
    place = tmp_path / "project"
    shutil.move(copied, place / "videos")
    file = place / "lab.yaml"
    made = declare(tmp_path / "a", videos=place / "videos", file=file)
    file.write_text(file.read_text().replace(str(place / "videos"), "videos"))
    assert load_dataset(str(file)) == made.spec
    shutil.move(place, tmp_path / "elsewhere")
    store = prepared_store(str(tmp_path / "elsewhere" / "lab.yaml"), Home.at(tmp_path / "b").root)
    assert len(store.manifest.clips) == 24


def test_an_edited_split_is_taken_up(folder, tmp_path):
    file = declare(tmp_path, videos=folder).file
    before = open_view(prepared_store("lab", tmp_path), tmp_path)
    file.write_text(file.read_text().replace("test: 0.25", "test: 0.5"))
    after = open_view(prepared_store("lab", tmp_path), tmp_path)
    assert (len(before.test), len(after.test)) == (6, 12)
    assert before.facts.fingerprint != after.facts.fingerprint


def test_verify_names_the_clip_that_is_another(copied, tmp_path):
    declare(tmp_path, videos=copied)
    store = prepared_store("lab", tmp_path)
    assert verify(store, None) == []
    (copied / "wave" / "s01_2.mp4").write_bytes(b"another")
    assert verify(store, None) == ["wave/s01_2.mp4 is not the file that the store was made from"]
