"""Which decoder runs by itself, and what is written down of it."""

import sys
from importlib import metadata
from types import ModuleType

import pytest

import worlds
from vdbench.datasets.prepare import prepare
from vdbench.datasets.readers import default_reader, reader_title, reader_version
from vdbench.errors import DependencyError


@pytest.fixture
def without_decord(monkeypatch):
    monkeypatch.setitem(sys.modules, "decord", None)  # its import raises an ImportError


def test_without_decord_pyav_decodes_and_one_sentence_says_so(without_decord, tmp_path):
    world = worlds.ucf_world(tmp_path / "data", classes=2, groups=4, clips=1)
    with pytest.warns(UserWarning, match=r"decord cannot be loaded here \(.*\), so PyAV decodes the videos$"):
        store = prepare(world.spec, world.root, tmp_path / "home", workers=1)
    assert (store.manifest.reader, store.manifest.reader_version) == ("pyav", metadata.version("av"))
    assert store.folder.name.endswith("-pyav") and not store.manifest.faults()


def test_whoever_asks_for_decord_where_it_is_not_hears_the_cure(without_decord, tmp_path):
    world = worlds.ucf_world(tmp_path / "data", classes=2, groups=4, clips=1)
    with pytest.raises(DependencyError, match="pip install decord, or decord2 .*--reader pyav"):
        prepare(world.spec, world.root, tmp_path / "home", workers=1, reader="decord")


def test_the_library_that_runs_is_the_one_that_is_written_down(monkeypatch, tmp_path):
    decord = ModuleType("decord")
    decord.__version__ = "3.4.0"
    monkeypatch.setitem(sys.modules, "decord", decord)
    for name, version in (("decord", "0.6.0"), ("decord2", "3.4.0")):  # both are installed: the module is decord2's
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert default_reader() == "decord"
    assert reader_version("decord") == reader_title("decord") == "decord2 3.4.0"
    decord.__version__ = "0.6.0"
    assert (reader_version("decord"), reader_title("decord")) == ("0.6.0", "decord 0.6.0")


def test_pyav_is_new_enough_for_colours_and_rotation():
    assert int(reader_version("pyav").split(".")[0]) >= 18
    assert reader_title("pyav") == f"PyAV {reader_version('pyav')}"
