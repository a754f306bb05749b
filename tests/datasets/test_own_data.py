"""Data sets of one's own: the same clips, however they are listed, and a sentence for whatever is wrong with them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import worlds
from vdbench.datasets.layouts import read_index
from vdbench.datasets.new import Wish, new_dataset
from vdbench.datasets.prepare import prepare, prepared_store, verify
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
        tmp_path, "in/one/a/x/1.mkv", "in/one/a/2.WMV", "in/one/b/y/3.ts", "in/one/b/z/4.m4v", "in/one/notes.txt"
    )
    index = declare(tmp_path, videos=tmp_path).index
    assert [entry.id for entry in index.entries] == ["a/2.WMV", "a/x/1.mkv", "b/y/3.ts", "b/z/4.m4v"]
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


ROWS = ["0.mp4,a", "1.mp4,a", "2.mp4,b", "3.mp4,b"]


@pytest.mark.parametrize(
    ("head", "row", "complaint"),
    [
        ("path,label", "4.mp4,", "line 6, has no label; correct it"),
        ("path,label", ",b", "line 6, has no path"),
        ("path,label", "0.mp4,b", "line 6, names the same clip as .*line 2: 0.mp4; delete one"),
        ("path,label", "4.mp4,b", r"1 of 5 clips is missing \(4.mp4\) below /.*--partial"),
        ("path,label", "\x004.mp4,b", "1 of 5 clips is missing"),
        ("path,label", "3.mp4,b,c", "line 6, has more cells than the first line"),
        ("path,label", "3.mp4,c", "line 6, names the same clip"),
        ("path,label,split", "3.mp4,b,holdout", "has split 'holdout', which is none of train, test and val"),
        ("path,label,start", "3.mp4,b,soon", "has start 'soon', which is no number of seconds"),
        ("path,label,start,end", "3.mp4,b,4,2", "ends at 2 seconds, not after its start at 4"),
        ("path,label,split", "4.mp4,b,test", "line 2, is in no part of the split"),
    ],
)  # fmt: skip
def test_a_bad_row_is_one_sentence_and_nothing_is_written(tmp_path, head, row, complaint):
    touch(tmp_path, *(f"{n}.mp4" for n in range(4)))
    with pytest.raises(DataError, match=complaint) as caught:
        declare(tmp_path, csv=table(tmp_path, *ROWS, row, head=head))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "datasets").exists()


def test_many_bad_rows_are_counted(tmp_path):
    with pytest.raises(DataError, match="line 2, has no label; 2 more lines are wrong"):
        declare(tmp_path, csv=table(tmp_path, "0.mp4,", "1.mp4,", "2.mp4,"))


@pytest.mark.parametrize(
    ("names", "wish", "complaint"),
    [
        (
            ["a/1.mp4", "a/2.mp4", "b/1.mp4"],
            {},
            "class 'b' has one clip, so that it cannot be both learned and tested;",
        ),
        (
            ["a/p1.mp4", "a/q2.mp4", "b/p3.mp4", "b/p4.mp4"],
            {"group": "^."},
            "class 'b' has clips of one group only, 'p', so that",
        ),
        (["a/1.mp4", "a/2.mp4"], {}, "all videos in .* lie in one folder, .*a; put them into a folder per class"),
        (["1.mp4", "b/2.mp4"], {}, "1.mp4 lies in no class folder"),
        (["a/1.mp4", "a/2.mp4", "b/1.mp4", "b/2.mp4"], {"group": "x(.)"}, "'1', in which 'x\\(.\\)' finds no group"),
        (["train/a/1.mp4", "train/b/1.mp4", "test/a/2.mp4"], {}, "class 'b' has one clip"),
        (["readme.txt"], {}, "there is no video in"),
    ],
)
def test_clips_that_cannot_be_split_are_one_sentence(tmp_path, names, wish, complaint):
    root = touch(tmp_path / "v", *names)
    with pytest.raises(DataError, match=complaint):
        declare(tmp_path, videos=root, **wish)
    assert not (tmp_path / "datasets").exists()


def test_a_table_of_one_class_is_not_told_to_make_folders(tmp_path):
    touch(tmp_path, "0.mp4", "1.mp4")
    file = table(tmp_path, "0.mp4,a", "1.mp4,a")
    with pytest.raises(DataError) as caught:
        declare(tmp_path, csv=file)
    assert (
        str(caught.value)
        == f"{file} holds clips only of a; at least 2 classes are needed, each with a label of its own"
    )
    with pytest.raises(DataError, match="has no clips; .* its table has a row for each"):
        declare(tmp_path, csv=table(tmp_path))


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
    for name, complaint in (("lab", "--replace"), ("ucf101", "taken"), ("My Lab", "small letters")):
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


@pytest.mark.parametrize("make", [worlds.jester_world, worlds.diving48_world])
def test_jester_and_diving48_are_read_as_they_are_handed_out(tmp_path, make):
    world = make(tmp_path / "data")
    index = read_index(world.spec, world.root)
    assert (len(index.classes), index.named(1, "train"), index.named(1, "test")) == (3, 12, 6)
    assert not index.missing and not index.unlisted
    store = prepare(world.spec, world.root, tmp_path / "home", workers=1, geometry=SMALL, reader="pyav")
    picks = np.array(SMALL.picks(20))
    for clip in store.manifest.clips:
        assert (clip.decode.status, clip.decode.frames) == ("ok", 20), clip
        levels = np.median(store.clips[clip.row], axis=(1, 2, 3))  # the ground: 10 levels brighter with every frame
        assert np.abs(levels - (20 + 10 * picks)).max() <= 3, (clip.id, levels)
    assert verify(store, world.root) == []


def test_diving48_groups_by_competition_and_jester_keeps_the_order_of_its_labels(tmp_path):
    diving = worlds.diving48_world(tmp_path / "d")
    entries = read_index(diving.spec, diving.root).entries
    assert {entry.group for entry in entries if entry.id.endswith("00000")} == {"c-0_x0", "c-0_x1", "c-0_x2"}
    assert entries[0].class_name == "Back-15som-05Twis-FREE"
    jester = worlds.jester_world(tmp_path / "j")
    assert read_index(jester.spec, jester.root).classes == ("Swiping Left", "Swiping Right", "No gesture")
