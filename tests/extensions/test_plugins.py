"""Plugin files: what they may import from beside them, and what their hash covers."""

import subprocess
import sys
from pathlib import Path

import pytest

from vdbench.errors import UsageError
from vdbench.extensions.plugins import Plugin
from vdbench.method import Method
from vdbench.storage.files import file_sha256

METHOD = """
from typing import ClassVar
from vdbench.method import Card
from vdbench.selector import Selector

class Picks(Selector):
    name = "{name}"
    card: ClassVar[Card] = Card(title="some clips")
    def select(self, features, k, rng, task):
        return first(k)
"""
FIRST = "def first(k):\n    return list(range({start}, {start} + k))\n"


def written(folder: Path, **texts: str) -> Path:
    """Write modules, those of a package as ``package_of_module``; gives the first one's path."""
    for name, text in texts.items():
        path = folder / f"{name.replace('_of_', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / f"{next(iter(texts))}.py"


def importing(statement: str, name: str = "picks") -> str:
    return f"{statement}\n{METHOD.format(name=name)}"


def picks(path: Path) -> list[int]:
    """What the only method of a plugin chooses for two clips."""
    (method,) = Plugin(path).classes(Method)
    return list(method().select(None, 2, None, None))  # type: ignore[attr-defined]


def test_the_hash_of_a_lone_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, lone=importing("import json, numpy, no_such_library"), json="", numpy="", unused="")
    assert Plugin(path).code == file_sha256(path)[:16]


@pytest.mark.parametrize(
    ("statement", "beside"),
    [
        ("from beside import first", {"beside": "{}"}),
        ("import beside\nfirst = beside.first", {"beside": "{}"}),
        ("from .beside import first", {"beside": "{}"}),
        ("from pack.inner import first", {"pack_of___init__": "", "pack_of_inner": "{}"}),
        ("from pack import inner\nfirst = inner.first", {"pack_of_inner": "{}"}),
        ("import pack.inner\nfirst = pack.inner.first", {"pack_of___init__": "", "pack_of_inner": "{}"}),
        ("from pack import first", {"pack_of___init__": "from .inner import first", "pack_of_inner": "{}"}),
        ("from chain import first", {"chain": "from beside import first", "beside": "{}"}),
        ("def first(k):\n    from beside import first\n    return first(k)", {"beside": "{}"}),
    ],
)
def test_what_is_imported_from_beside_is_found_and_counts(
    tmp_path: Path, statement: str, beside: dict[str, str]
) -> None:
    codes = []
    for start in (0, 5, 0):
        texts = {name: text.replace("{}", FIRST.format(start=start)) for name, text in beside.items()}
        path = written(tmp_path, plugin=importing(statement), **texts)
        codes.append(Plugin(path).code)
        assert picks(path) == [start, start + 1]
    assert codes[0] != codes[1]
    assert codes[0] == codes[2]


def test_a_file_beside_that_is_not_imported_does_not_count(tmp_path: Path) -> None:
    path = written(tmp_path, plugin=importing("from beside import first"), beside=FIRST.format(start=0))
    before = Plugin(path).code
    written(tmp_path, other="x = 1")
    assert Plugin(path).code == before


def test_plugins_in_two_folders_each_have_their_own_helper(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    paths = [
        written(folder, plugin=importing("from helper import first"), helper=FIRST.format(start=start))
        for start, folder in enumerate(folders)
    ]
    assert [picks(path) for path in paths] == [[0, 1], [1, 2]]
    assert Plugin(paths[0]).code != Plugin(paths[1]).code


def test_files_called_like_other_modules_stand_in_nobody_s_way(tmp_path: Path) -> None:
    wrong = "raise SystemExit('not the library')"
    statement = "import statistics, sklearn, vdbench.seeding\nfirst = lambda k: [statistics.mean([k, k])] * k"
    path = written(tmp_path, torch=importing(statement), statistics=wrong, sklearn=wrong, vdbench_of___init__=wrong)
    assert picks(path) == [2, 2]
    assert str(tmp_path) not in sys.path


def test_importing_leaves_other_modules_alone(tmp_path: Path) -> None:
    path = written(tmp_path, plugin=importing("from quaint_name import first"), quaint_name=FIRST.format(start=0))
    assert picks(path) == [0, 1]
    with pytest.raises(ModuleNotFoundError):
        __import__("quaint_name")


def test_a_plugin_that_fails_leaves_nothing_behind_and_can_be_mended(tmp_path: Path) -> None:
    path = written(tmp_path, plugin=importing("from helper import first"), helper="x = 1")
    before = list(sys.meta_path)
    with pytest.raises(ImportError, match="cannot import name 'first'"):
        Plugin(path).classes(Method)
    assert sys.meta_path == before
    written(tmp_path, helper=FIRST.format(start=3))
    assert picks(path) == [3, 4]


def test_a_plugin_is_one_however_its_path_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, plugin=importing("from helper import first"), helper=FIRST.format(start=0))
    (tmp_path / "link.py").symlink_to(path)
    monkeypatch.chdir(tmp_path)
    ways = [path, Path("plugin.py"), tmp_path / ".." / tmp_path.name / "plugin.py", Path("link.py")]
    assert len({method for way in ways for method in Plugin(way).classes(Method)}) == 1


def test_a_file_may_define_several_methods_and_a_base_for_them(tmp_path: Path) -> None:
    base = importing("first = list")
    text = base.replace('    name = "picks"\n', "") + "\nclass One(Picks):\n    name = 'one'\n"
    path = written(tmp_path, plugin=text + "\nclass Two(Picks):\n    name = 'two'\n")
    assert [method.name for method in Plugin(path).classes(Method)] == ["one", "two"]


@pytest.mark.parametrize(("name", "sentence"), [("gone.py", "check the path"), ("notes.txt", "must end in .py")])
def test_what_is_no_plugin_file_is_refused(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "notes.txt").write_text("x = 1")
    with pytest.raises(UsageError, match=sentence):
        Plugin(tmp_path / name)


KILLS = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"


@pytest.mark.parametrize(
    ("code", "told"), [(KILLS, True), ("1 / 0", False), ("import os\nos.fork() or os._exit(0)", False)]
)
def test_what_kills_its_process_at_its_import_is_named(tmp_path: Path, code: str, told: bool) -> None:
    path = written(tmp_path, killer=code)
    script = "import sys, pathlib, vdbench.extensions.plugins as p; p.Plugin(pathlib.Path(sys.argv[1])).classes(object)"
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (f"error: plugin {path} ended the process that imported it" in done.stderr) is told, done.stderr
    assert (done.returncode < 0) is told
