"""Videos and split files as they lie on people's disks: behind symlinks, in odd folders, under odd names."""

import json
import os
import re
import shutil
import unicodedata
import warnings
from pathlib import Path

import pytest

import worlds
from vdbench.datasets.completeness import check_complete
from vdbench.datasets.layouts import read_index
from vdbench.datasets.prepare import prepare
from vdbench.errors import DataError

MAKERS = {
    "ucf": worlds.ucf_world,
    "hmdb": worlds.hmdb_world,
    "kinetics": worlds.kinetics_world,
    "ssv2": worlds.ssv2_world,
}
SMALLEST = {
    "ucf": {"groups": 3, "clips": 1},
    "hmdb": {"sources": 3, "clips": 1},
    "kinetics": {"train": 2, "test": 1},
    "ssv2": {"train": 2, "test": 1},
}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    made = {}

    def make(layout):
        if layout not in made:
            made[layout] = MAKERS[layout](tmp_path_factory.mktemp(layout), classes=2, **SMALLEST[layout])
        return made[layout]

    return make


@pytest.fixture
def copy_of(pristine, tmp_path):
    """A copy of a miniature that the test may change."""

    def copy(layout):
        world = pristine(layout)
        shutil.copytree(world.root, tmp_path / "data")
        return worlds.World(tmp_path / "data", tmp_path / "data" / world.videos.relative_to(world.root), world.spec)

    return copy


@pytest.fixture(params=sorted(MAKERS))
def world(request, copy_of):
    return copy_of(request.param)


def told(world):
    """What the index says, apart from where a video lies: whether it is there."""
    index = read_index(world.spec, world.root)
    entries = [(e.id, e.class_name, e.group, dict(e.roles), e.path is not None) for e in index.entries]
    return index.classes, entries, index.unlisted


def lists(world):
    """Its split files."""
    return [path for path in world.root.rglob("*") if path.suffix in (".txt", ".csv", ".json")]


def within(path, outer):
    """Move a folder into one of another name, and that into its place."""
    path.rename(path.with_name("moved"))
    (path / outer).parent.mkdir(parents=True)
    path.with_name("moved").rename(path / outer)


def test_symlinked_folders_are_entered(world, tmp_path):
    before = told(world)
    for number, folder in enumerate([path for path in world.videos.iterdir() if path.is_dir()] or [world.videos]):
        folder.rename(tmp_path / f"disk{number}")
        folder.symlink_to(tmp_path / f"disk{number}")
    assert told(world) == before and all(there for *_, there in before[1])


def test_symlinked_videos_and_split_files_are_read(world, tmp_path):
    before = told(world)
    for number, path in enumerate([*world.files(), *lists(world)]):
        path.rename(tmp_path / f"file{number}")
        path.symlink_to(tmp_path / f"file{number}")
    assert told(world) == before


def test_symlinks_that_lead_back_do_not_go_round(world):
    before = told(world)
    one, two = world.videos / "one", world.videos / "two"
    one.mkdir()
    two.mkdir()
    (one / "up").symlink_to(world.videos)
    (one / "across").symlink_to(two)
    (two / "across").symlink_to(one)
    (two / "self").symlink_to(two / "self")
    assert told(world) == before


def test_a_symlink_to_nowhere_costs_its_own_clip(world):
    _, before, _ = told(world)
    lost, looped = world.files()[0], world.files()[-1]
    for path, target in ((lost, "/nowhere"), (looped, looped)):
        path.unlink()
        path.symlink_to(target)
    _, after, _ = told(world)
    gone = [name for name, *_, there in after if not there]
    listed = [name for name, *_ in before if name.rpartition("/")[2] in (lost.name, looped.name)]
    assert gone == listed and len(after) == len(before)


def test_prepare_goes_on_past_a_symlink_to_nowhere(copy_of, tmp_path):
    world = copy_of("ucf")
    lost = world.files()[2]
    lost.unlink()
    lost.symlink_to("/nowhere.avi")
    store = prepare(world.spec, world.root, tmp_path / "home", workers=1, partial=True)
    assert [clip.decode.status for clip in store.manifest.clips] == ["ok", "ok", "missing", "ok", "ok", "ok"]


@pytest.mark.skipif(os.name != "posix", reason="needs file names of any bytes")
def test_a_stray_file_of_an_odd_name_is_no_clip_and_its_id_is_text(world):
    classes, entries, unlisted = told(world)
    stray = os.fsencode(world.files()[0].parent) + b"/caf\xe9\n\x1b[31m." + os.fsencode(world.files()[0].suffix[1:])
    Path(os.fsdecode(stray)).write_bytes(b"stray")
    after = told(world)
    assert after[:2] == (classes, entries)
    (new,) = set(after[2]) - set(unlisted)
    assert r"caf\udce9\n\x1b[31m." in new and new.isprintable()
    assert json.dumps(new, ensure_ascii=False).encode()


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_composed_and_decomposed_names_are_the_same(copy_of, form):
    world = copy_of("hmdb")
    before = told(world)
    for path in world.files():
        path.rename(path.with_name(unicodedata.normalize(form, path.name)))
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    for path in lists(world):
        path.write_text(unicodedata.normalize(other, path.read_text(encoding="utf-8")), encoding="utf-8")
    assert told(world) == before and all(there for *_, there in before[1])


@pytest.mark.parametrize(("layout", "name"), [("ucf", "Biking"), ("hmdb", "clap")])
def test_names_of_classes_may_be_decomposed(copy_of, layout, name):
    world = copy_of(layout)
    composed, decomposed = "Caf\u00e9", "Cafe\u0301"
    shutil.rmtree(world.videos / next(c for c in read_index(world.spec, world.root).classes if c != name))
    (world.videos / name).rename(world.videos / decomposed)
    for path in lists(world):
        path.write_text(re.sub(rf"\b{name}\b", composed, path.read_text(encoding="utf-8")), encoding="utf-8")
        path.rename(path.with_name(path.name.replace(name, decomposed)))
    index = read_index(world.spec, world.root)
    there = [entry.id for entry in index.entries if entry.path is not None]
    assert len(there) == 3 and all(clip.startswith(f"{composed}/") for clip in there)
    assert composed in index.classes and not index.near_misses


def test_suffixes_may_be_in_capitals(world):
    before = told(world)
    for path in world.files():
        path.rename(path.with_suffix(path.suffix.upper()))
    assert told(world) == before


def test_what_systems_put_beside_files_is_left_alone(world):
    before = told(world)
    for path in [*world.files(), *lists(world)]:
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7 of macOS")
        path.with_name(".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    shutil.copytree(world.videos, world.videos / "__MACOSX" / "again")
    assert told(world) == before


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_a_split_file(world, encoding):
    before = told(world)
    for path in lists(world):
        path.write_text(path.read_text(encoding="utf-8"), encoding=encoding)
    assert told(world) == before


@pytest.mark.parametrize("layout", ["ucf", "hmdb", "ssv2"])
def test_archives_may_unpack_into_folders_of_their_own(copy_of, layout):
    world = copy_of(layout)
    before = told(world)
    (names,) = {path.parent for path in lists(world)}
    within(names, f"package/{names.name}")
    within(world.videos, world.videos.name)
    assert told(world) == before


@pytest.mark.parametrize("layout", ["ucf", "hmdb", "ssv2"])
def test_folders_of_the_data_set_may_be_in_another_case(copy_of, layout):
    world = copy_of(layout)
    before = told(world)
    (names,) = {path.parent for path in lists(world)}
    own = world.videos.parent
    names.rename(names.with_name("parts"))
    world.videos.rename(world.videos.with_name(world.videos.name.swapcase()))
    own.rename(own.with_name(own.name.upper() + "x")).rename(own.with_name(own.name.title()))
    assert told(world) == before


def test_split_files_of_another_data_set_are_not_taken(copy_of):
    world = copy_of("kinetics")
    (world.root / "kinetics400").rename(world.root / "kinetics700")
    with pytest.raises(DataError, match="^kinetics400 needs train.csv and val.csv"):
        read_index(world.spec, world.root)


@pytest.mark.parametrize(
    ("layout", "name", "other"), [("ucf", "Biking", "biking"), ("hmdb", "brush_hair", "Brush Hair")]
)
def test_a_class_folder_under_nearly_its_name_is_named(copy_of, tmp_path, layout, name, other):
    world = copy_of(layout)
    (world.videos / name).rename(world.videos / other)
    with pytest.raises(DataError, match=f"; there is the folder {other}, which has to be called {name}; add what"):
        check_complete(world.spec, read_index(world.spec, world.root))
    with pytest.warns(UserWarning, match=f"of {world.spec.name} 3 clips are missing; there is the folder {other}, "):
        prepare(world.spec, world.root, tmp_path / "home", workers=1, partial=True)
    for folder in world.videos.iterdir():
        folder.rename(folder.with_name(folder.name.upper()))
    index = read_index(world.spec, world.root)
    assert len(index.missing) == len(index.entries) and len(index.near_misses) == 2


def test_a_near_miss_of_a_whole_class_is_not_worth_a_word(copy_of):
    world = copy_of("ucf")
    shutil.copytree(world.videos / "Biking", world.videos / "BIKING")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_complete(world.spec, read_index(world.spec, world.root))


def test_class_folders_of_kinetics_may_be_called_anything(copy_of):
    world = copy_of("kinetics")
    before = told(world)
    for number, folder in enumerate(sorted(world.videos.iterdir())):
        folder.rename(folder.with_name(f"CLASS {number}"))
    assert told(world) == before


@pytest.mark.parametrize(
    "place", ["replacement", "videos/replacement/replacement_for_corrupted_k400", "Replacement_for_corrupted_k400"]
)
def test_replacements_stand_in_for_corrupt_files(copy_of, place):
    world = copy_of("kinetics")
    corrupt = world.files()[0]
    good = world.root / "kinetics400" / place / corrupt.name
    good.parent.mkdir(parents=True)
    good.write_bytes(corrupt.read_bytes())
    corrupt.write_bytes(b"\0" * 5000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a replacement is no puzzling second file
        index = read_index(world.spec, world.root)
    assert good in [entry.path for entry in index.entries] and not index.missing and not index.unlisted


@pytest.mark.parametrize("empty", [True, False])
def test_of_several_files_of_a_clip_the_last_with_content_is_used_and_told(world, empty):
    first = world.files()[0]
    again = first.parent / "zz" / first.name
    again.parent.mkdir()
    again.write_bytes(b"" if empty else first.read_bytes())
    used, passed = (first, again) if empty else (again, first)
    with pytest.warns(UserWarning) as caught:
        index = read_index(world.spec, world.root)
    paths = [entry.path for entry in index.entries]
    assert used in paths and passed not in paths
    assert [str(w.message) for w in caught] == [
        f"of some clips, 1 in all, there are several files; of {passed} and {used} the latter is used"
    ]


def test_a_folder_that_may_not_be_read_costs_its_own_clips(copy_of, monkeypatch):
    world = copy_of("ucf")

    def refuse(folder, scandir=os.scandir):
        if str(folder).endswith("Biking"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert {entry.class_name for entry in read_index(world.spec, world.root).missing} == {"Biking"}
