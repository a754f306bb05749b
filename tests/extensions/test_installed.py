"""What installed packages offer is looked up once, and again when something was installed."""

from importlib import metadata
from pathlib import Path

import pytest

from vdbench.extensions.installed import entry_points


def install(place: Path, name: str) -> None:
    folder = place / f"{name}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(f"[things]\n{name} = {name}:Thing\n")


def test_a_second_look_reads_nothing_and_sees_what_was_installed_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    real = metadata.entry_points
    monkeypatch.setattr(metadata, "entry_points", lambda **group: looks.append(group) or real(**group))
    monkeypatch.syspath_prepend(tmp_path)
    install(tmp_path, "first")
    assert [point.name for point in entry_points("things")] == ["first"]
    assert [point.name for point in entry_points("things")] == ["first"]
    assert looks == [{"group": "things"}]
    install(tmp_path, "second")
    assert sorted(point.name for point in entry_points("things")) == ["first", "second"]
