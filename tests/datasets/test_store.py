"""Stores that were prepared: found again, verified, and what is said of damaged ones."""

import json
import os
import shutil

import pytest

import worlds
from tests.datasets.conftest import contents
from vdbench.datasets.prepare import prepare, verify
from vdbench.datasets.store import ClipStore, find_store
from vdbench.errors import DataError


@pytest.mark.parametrize("row", [-1, -(2**63), 10**6, 2**80])
def test_a_manifest_that_names_a_row_beyond_its_clips_is_refused(world, home, row):
    store = prepare(world.spec, world.root, home, workers=1)
    (store.folder / "digests.json").unlink()
    described = json.loads((store.folder / "manifest.json").read_text())
    described["clips"][2]["row"] = row
    (store.folder / "manifest.json").write_text(json.dumps(described))
    with pytest.raises(DataError, match="row|does not fit"):
        ClipStore.open(store.folder)


def test_verify_names_every_difference(tmp_path, home):
    world = worlds.ucf_world(tmp_path / "data", classes=2, groups=5, clips=1)
    hidden = world.files()[9].rename(tmp_path / "hidden.avi")
    store = prepare(world.spec, world.root, home, workers=1, partial=True)
    assert verify(store, world.root) == []
    changed, gone = world.files()[1:3]
    changed.write_bytes(changed.read_bytes() + b"x")
    gone.unlink()
    hidden.rename(world.videos / "Biking" / "v_Biking_g05_c01.avi")
    with (store.folder / "clips.npy").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(bytes([store.clips[-1, -1, -1, -1, -1] ^ 1]))
    faults = verify(ClipStore.read(store.folder), world.root)
    assert len(faults) == 4
    for name, words in (
        ("Archery_g02", "not the file"),
        ("Archery_g03", "is missing"),
        ("Biking_g04", "other pixels in row 8"),
        ("Biking_g05", "is there now"),
    ):
        assert any(name in fault and words in fault for fault in faults)


def test_a_store_is_found_by_its_shape_or_offered_by_its_command(world, home):
    with pytest.raises(
        DataError, match=r"not prepared in .*; type: vdbench datasets prepare ucf101 --data-root FOLDER$"
    ):
        find_store(home, world.spec)
    own = prepare(world.spec, world.root, home, workers=1)
    assert find_store(home, world.spec).folder == own.folder
    assert find_store(home, world.spec, frames=4, size=16).folder == own.folder
    with pytest.raises(DataError, match=r"prepare ucf101 --frames 16 --data-root FOLDER$"):
        find_store(home, world.spec, frames=16)
    small = prepare(world.spec, world.root, home, workers=1, geometry=worlds.SMALL.at(4, 16))
    assert find_store(home, world.spec, frames=4, size=16).folder == own.folder
    shutil.rmtree(own.folder)
    assert find_store(home, world.spec, frames=4, size=16).folder == small.folder
    own = prepare(world.spec, world.root, home, workers=1)
    (own.folder / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="prepare it again"):
        find_store(home, world.spec)
    assert prepare(world.spec, world.root, home, workers=1).manifest == own.manifest


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("clips.npy", lambda content: content[:-1], "clips.npy has .* bytes, not the"),
        ("clips.npy", lambda content: content[:-1] + bytes([content[-1] ^ 1]), "other pixels of Biking/v_Biking_g04"),
        ("clips.npy", None, "clips.npy is missing"),
        ("manifest.json", lambda content: content[:-9], "bytes of manifest.json, not"),
        ("manifest.json", lambda content: content.replace(b"g01_c01", b"g01_c02", 1), "other bytes in manifest.json"),
    ],
)
def test_a_damaged_store_is_one_sentence_with_its_cure_and_is_prepared_again(world, home, name, damage, words):
    store = prepare(world.spec, world.root, home, workers=1)
    path, before = store.folder / name, contents(store.folder)
    whole = path.read_bytes()
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage(whole))
    with pytest.raises(DataError, match=f"{words}.*; prepare it again$"):
        ClipStore.open(store.folder)
    prepare(world.spec, world.root, home, workers=1)
    assert contents(store.folder) == before


def test_a_store_of_an_earlier_version_opens_and_its_fingerprint_stands_in_for_a_digest(world, home):
    store = prepare(world.spec, world.root, home, workers=1)
    (store.folder / "digests.json").unlink()
    assert ClipStore.open(store.folder).manifest == store.manifest
    path = store.folder / "manifest.json"
    path.write_text(path.read_text().replace(store.manifest.clips[0].decode.pixels, "0" * 64))
    with pytest.raises(DataError, match="names other clips than its fingerprint; prepare it again"):
        ClipStore.open(store.folder)
