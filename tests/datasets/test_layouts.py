import shutil

import numpy as np
import pytest

import worlds
from vdbench.datasets.layouts import read_index
from vdbench.datasets.layouts.hmdb import source_of
from vdbench.datasets.prepare import prepare, verify
from vdbench.datasets.spec import load_dataset
from vdbench.errors import DataError


@pytest.fixture
def ucf(tmp_path):
    return worlds.ucf_world(tmp_path / "data", classes=2, groups=4, clips=1)


def roles(index, split):
    return {entry.id: entry.roles[split] for entry in index.entries}


def test_ucf_takes_classes_roles_and_groups_from_its_files(ucf):
    index = read_index(ucf.spec, ucf.root)
    assert index.classes == ("Archery", "Biking")
    assert [entry.path for entry in index.entries] == ucf.files()
    assert roles(index, 1)["Archery/v_Archery_g01_c01.avi"] == "test"
    assert roles(index, 2)["Archery/v_Archery_g01_c01.avi"] == "train"
    assert {entry.group for entry in index.entries if entry.class_name == "Biking"} == {
        f"v_Biking_g{group:02}" for group in (1, 2, 3, 4)
    }
    assert index.named(1, "train") == 6 and index.named(1, "test") == 2


def test_ucf_file_names_may_spell_the_class_in_another_way(ucf):
    path = ucf.videos.parent / "ucfTrainTestlist" / "trainlist01.txt"
    path.write_text(path.read_text() + "Archery/v_ARCHery_g09_c01.avi 1\n")
    assert read_index(ucf.spec, ucf.root).missing[0].group == "v_ARCHery_g09"


def test_missing_and_unlisted_videos_are_told_apart(ucf):
    gone, new = ucf.files()[0], ucf.videos / "Biking" / "v_Biking_g77_c01.avi"
    new.write_bytes(gone.read_bytes())
    gone.unlink()
    index = read_index(ucf.spec, ucf.root)
    assert [entry.id for entry in index.missing] == ["Archery/v_Archery_g01_c01.avi"]
    assert index.unlisted == ("Biking/v_Biking_g77_c01.avi",)


def test_a_subset_leaves_the_other_classes_out(tmp_path):
    world = worlds.ucf_world(tmp_path, classes=3)
    spec = world.spec.model_copy(update={"subset": ("Biking", "Diving"), "classes": 2})
    index = read_index(spec, world.root)
    assert index.classes == ("Biking", "Diving")
    assert {entry.class_name for entry in index.entries} == {"Biking", "Diving"}
    assert index.unlisted == ()


@pytest.mark.parametrize("place", ["root", "own", "moved"])
def test_the_folders_are_found_in_their_usual_places(ucf, tmp_path, place):
    expected = [entry.id for entry in read_index(ucf.spec, ucf.root).entries]
    own = ucf.root / "ucf101"
    if place == "moved":
        for folder in list(own.iterdir()):
            shutil.move(folder, ucf.root / folder.name)
        own.rmdir()
    root = own if place == "own" else ucf.root
    assert [entry.id for entry in read_index(ucf.spec, root).entries] == expected


def test_a_missing_folder_is_asked_for_by_name(ucf):
    shutil.rmtree(ucf.videos)
    with pytest.raises(DataError, match=r"needs the folder UCF-101 .*ucf101/UCF-101.*--data-root"):
        read_index(ucf.spec, ucf.root)
    shutil.rmtree(ucf.videos.parent / "ucfTrainTestlist")
    with pytest.raises(DataError, match="needs the folder ucfTrainTestlist"):
        read_index(ucf.spec, ucf.root)
    with pytest.raises(DataError, match=r"no data root .*nowhere.*VDBENCH_DATA"):
        read_index(ucf.spec, ucf.root / "nowhere")


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("trainlist01.txt", "Archery v_Archery_g02_c01.avi 1"),
        ("testlist02.txt", "Archery/v_Archery_c01.avi"),
        ("classInd.txt", "Archery 1"),
        ("trainlist01.txt", "Fencing/v_Fencing_g02_c01.avi 1"),
        ("testlist01.txt", "Archery/v_Archery_g02_c01.avi"),
    ],
)
def test_a_malformed_line_is_named_with_its_file_and_number(ucf, file, line):
    path = ucf.videos.parent / "ucfTrainTestlist" / file
    number = len(path.read_text().splitlines()) + 1
    path.write_bytes(path.read_bytes() + line.encode() + b"\r\n")
    with pytest.raises(DataError, match=rf"{file}, line {number},"):
        read_index(ucf.spec, ucf.root)


def test_a_missing_split_file_is_named(ucf):
    (ucf.videos.parent / "ucfTrainTestlist" / "testlist03.txt").unlink()
    with pytest.raises(DataError, match=r"testlist03.txt is missing"):
        read_index(ucf.spec, ucf.root)


def test_a_split_file_that_holds_nothing_or_cannot_be_read_is_named(ucf):
    path = ucf.videos.parent / "ucfTrainTestlist" / "testlist03.txt"
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match=r"testlist03.txt cannot be read \(.*\); make it readable"):
        read_index(ucf.spec, ucf.root)
    path.with_name("classInd.txt").write_bytes(b"")
    with pytest.raises(DataError, match=r"classInd.txt names no class"):
        read_index(ucf.spec, ucf.root)


def test_hmdb_takes_train_test_and_unused_from_its_codes(tmp_path):
    world = worlds.hmdb_world(tmp_path, classes=2)
    index = read_index(world.spec, world.root)
    assert index.classes == ("brush_hair", "clap")
    assert index.named(1, "train") == 12 and index.named(1, "test") == 4
    assert not index.missing
    assert [clip.split("/")[1] for clip in index.unlisted] == [
        "new_brush_hair_f_nm_np1_ba_goo_0.avi",
        "shared_brush_hair_f_nm_np1_ba_goo_0.avi",
        "new_clap_f_nm_np1_ba_goo_0.avi",
        "shared_clap_f_nm_np1_ba_goo_0.avi",
    ]
    first = index.entries[0]
    assert first.group == "#1_Ünïcode!_(film)_-_brush_hair_it_" and first.path is not None


def test_hmdb_trains_on_all_that_it_does_not_test_on_where_it_is_declared_so(tmp_path):
    world = worlds.hmdb_world(tmp_path, classes=2)
    official, rest = (
        read_index(world.spec.model_copy(update={"train_on": on}), world.root) for on in ("official", "rest")
    )
    assert rest.named(1, "test") == official.named(1, "test") == 4
    assert rest.named(1, "train") == official.named(1, "train") + 2
    added = {entry.id for entry in rest.entries} - {entry.id for entry in official.entries}
    assert added == {f"{name}/shared_{name}_f_nm_np1_ba_goo_0.avi" for name in ("brush_hair", "clap")}
    assert not any(entry.id in added and "test" in entry.roles.values() for entry in rest.entries)


def test_hmdb_sources_end_at_the_last_occurrence_of_the_class():
    assert source_of("boom_snap_clap_(challenge)_clap_u_nm_np1_fr_med_0.avi", "clap") == "boom_snap_clap_(challenge)"
    assert source_of("April_09_brush_hair_u_nm_np1_ba_goo_0.avi", "brush_hair") == "April_09"
    assert source_of("A_sword_exercise_f_cm_np1_fr_med_4.avi", "sword_exercise") == "A"


def test_hmdb_archives_that_unpacked_into_folders_of_their_own_are_found(tmp_path):
    world = worlds.hmdb_world(tmp_path, classes=2)
    before = [entry.id for entry in read_index(world.spec, world.root).entries]
    for folder in list(world.videos.iterdir()):
        inner = folder / folder.name
        inner.mkdir()
        for path in list(folder.glob("*.avi")):
            path.rename(inner / path.name)
    index = read_index(world.spec, world.root)
    assert [entry.id for entry in index.entries] == before and not index.missing


def test_hmdb_codes_outside_0_1_2_are_malformed(tmp_path):
    world = worlds.hmdb_world(tmp_path, classes=2)
    path = world.videos.parent / "testTrainMulti_7030_splits" / "clap_test_split2.txt"
    path.write_text(path.read_text(encoding="utf-8") + "x_clap_u_cm_np1_fr_med_0.avi 3\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"clap_test_split2.txt, line 10, is 'x_clap_u_cm_np1_fr_med_0.avi 3'"):
        read_index(world.spec, world.root)


def test_kinetics_clips_have_the_same_names_in_folders_and_flat(tmp_path):
    sorted_world = worlds.kinetics_world(tmp_path / "sorted", classes=2)
    flat_world = worlds.kinetics_world(tmp_path / "flat", classes=2, flat=True)
    one, two = (read_index(world.spec, world.root) for world in (sorted_world, flat_world))
    assert [(e.id, e.class_name, e.group, e.roles) for e in one.entries] == [
        (e.id, e.class_name, e.group, e.roles) for e in two.entries
    ]
    assert not one.missing and not two.missing and len(one.entries) == 14
    assert one.classes == ("abseiling", "air drumming")
    assert one.named(1, "test") == 4 and one.entries[0].id == "abseiling/-_0bX000_000000_000010.mp4"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("label,youtube_id\nyoga,abc\n", r"train.csv, line 1,"),
        (
            "label,youtube_id,time_start,time_end,split\nyoga,abc,1,11,train\nyoga,abd,one,11,train\n",
            r"train.csv, line 3,",
        ),
        ("label,youtube_id,time_start,time_end,split\nyoga,abc\n", r"train.csv, line 2,"),
        ("label,youtube_id,time_start,time_end,split\nyoga,,1,11,train\n", r"train.csv, line 2,"),
        ("label,youtube_id,time_start,time_end,split\nyoga,abc,1.5,11,train\n", r"train.csv, line 2, has no whole"),
        (f'label,youtube_id,time_start,time_end,split\nyoga,"{"x" * 200_000}', r"train.csv, line 2, is no csv"),
    ],
)
def test_a_malformed_kinetics_csv_is_named_with_its_line(tmp_path, text, complaint):
    world = worlds.kinetics_world(tmp_path, classes=2, train=1, test=1)
    (world.videos.parent / "train.csv").write_text(text)
    with pytest.raises(DataError, match=complaint):
        read_index(world.spec, world.root)


def test_kinetics_rows_are_read_as_csv_is_written(tmp_path):
    base = tmp_path / "kinetics400"
    (base / "train").mkdir(parents=True)
    labels = ["eating, slowly", "massaging person's head", "and/or", 'the "splits"']
    head = "label,youtube_id,time_start,time_end,split,is_cc\n"
    rows = "".join(
        '"{}",-_{}---------,{}.0,1{},train,0\n'.format(x.replace('"', '""'), i, i, i) for i, x in enumerate(labels)
    )
    (base / "train.csv").write_text(head + rows, newline="\r")
    (base / "val.csv").write_text(head + "and/or,-v_________-,7,17.0,val,1\n", newline="\r\n")
    for name in [*(f"-_{i}---------_00000{i}_00001{i}.mp4" for i in range(4)), "-v_________-_000007_000017.webm"]:
        (base / "train" / name).write_bytes(b"video")
    index = read_index(load_dataset("kinetics400"), tmp_path)
    assert index.classes == tuple(sorted(labels)) and not index.missing and not index.unlisted
    assert [entry.id for entry in index.entries if entry.class_name == "and/or"] == [
        "and/or/-_2---------_000002_000012.mp4",
        "and/or/-v_________-_000007_000017.mp4",
    ]


@pytest.mark.parametrize("official", [True, False])
def test_ssv2_classes_follow_their_numbers_and_templates_lose_their_brackets(tmp_path, official):
    world = worlds.ssv2_world(tmp_path, official=official)
    index = read_index(world.spec, world.root)
    assert index.classes[0] == "Holding something next to something"
    assert index.classes[2] == "Approaching something with your camera"
    assert index.named(1, "train") == 15 and index.named(1, "test") == 6 and not index.missing
    by_id = {entry.id: entry for entry in index.entries}
    assert by_id["2050.webm"].class_name.startswith("Pushing") and by_id["2050.webm"].roles == {1: "test"}


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("train", "[{", "no JSON that can be read"),
        ("train", "{}", "no JSON list"),
        ("train", '[{"id": "1", "template": "Closing [something] twice"}]', "entry 1, has template"),
        ("train", '[{"id": "1"}]', "entry 1, has no id or no template"),
        ("labels", '{"Closing something": "first"}', "no number"),
    ],
)
def test_malformed_ssv2_jsons_are_named(tmp_path, name, text, complaint):
    world = worlds.ssv2_world(tmp_path, classes=2, train=1, test=1)
    path = world.root / "ssv2" / "labels" / f"something-something-v2-{name}.json"
    path.write_text(text)
    with pytest.raises(DataError, match=complaint) as caught:
        read_index(world.spec, world.root)
    assert path.name in str(caught.value)


def test_the_whole_declared_data_sets_ask_for_their_folders(tmp_path):
    for name in ("ucf101", "miniucf", "hmdb51", "kinetics400", "ssv2"):
        with pytest.raises(DataError, match=f"^{name} needs "):
            read_index(load_dataset(name), tmp_path)


@pytest.mark.parametrize("make", [worlds.jester_world, worlds.diving48_world])
def test_jester_and_diving48_are_read_as_they_are_handed_out(tmp_path, make):
    world = make(tmp_path / "data")
    index = read_index(world.spec, world.root)
    assert (len(index.classes), index.named(1, "train"), index.named(1, "test")) == (3, 12, 6)
    assert not index.missing and not index.unlisted
    store = prepare(world.spec, world.root, tmp_path / "home", workers=1, geometry=worlds.SMALL, reader="pyav")
    picks = np.array(worlds.SMALL.picks(20))
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
