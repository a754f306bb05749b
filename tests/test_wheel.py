"""What would be published: the wheel's names, its data files and its entry points."""

import configparser
import subprocess
import sys
import zipfile
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"vdbench", "vdbench_methods", "vdbench_benchmarks", "vdbench_leaderboard"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built from a copy, so that no build folder is left in the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    home = source / "vdbench-home" / "plugins"  # as a run leaves one in a checkout
    home.mkdir(parents=True)
    (home / "own.py").touch()
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


@pytest.mark.slow
def test_the_top_level_names_are_exactly_the_four_packages(wheel: zipfile.ZipFile) -> None:
    names = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == PACKAGES


@pytest.mark.slow
def test_every_yaml_template_and_type_marker_is_in_it(wheel: zipfile.ZipFile) -> None:
    packed = set(wheel.namelist())
    for base in (".", "methods", "benchmarks", "leaderboard"):
        for package in PACKAGES:
            folder = ROOT / base / package
            for path in folder.rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts:
                    assert path.relative_to(ROOT / base).as_posix() in packed
    for package in PACKAGES:
        assert f"{package}/py.typed" in packed


@pytest.mark.slow
def test_the_extra_all_is_every_other_extra(wheel: zipfile.ZipFile) -> None:
    text = next(wheel.read(name) for name in wheel.namelist() if name.endswith("METADATA")).decode()
    extras = {line.removeprefix("Provides-Extra: ") for line in text.splitlines() if line.startswith("Provides-Extra")}
    (names,) = [line for line in text.splitlines() if line.startswith("Requires-Dist: vdbench[")]
    assert set(names.split("[")[1].split("]")[0].split(",")) == extras - {"all"}


@pytest.mark.slow
def test_the_entry_points_load(wheel: zipfile.ZipFile) -> None:
    text = next(wheel.read(name) for name in wheel.namelist() if name.endswith("entry_points.txt")).decode()
    points = configparser.ConfigParser()
    points.optionxform = str  # type: ignore[assignment,method-assign]
    points.read_string(text)
    assert set(points["vdbench.methods"]) >= {"random", "herding", "k-center", "k-means", "full"}
    for section in points.sections():
        for name, target in points[section].items():
            module, attribute = target.split(":")
            found = getattr(import_module(module), attribute)
            assert section != "vdbench.methods" or found.name == name
