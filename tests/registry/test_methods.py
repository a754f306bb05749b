"""Finding methods: installed ones, plugin files, and what is wrong with the others."""

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from vdbench.errors import DependencyError, UsageError
from vdbench.registry.methods import Registry, offered

GOOD = """
from typing import ClassVar
from vdbench.method import Card
from vdbench.selector import Selector

class {cls}(Selector):
    name = "{name}"
    card: ClassVar[Card] = Card(title="first clips")
    def select(self, features, k, rng, task):
        return list(range(k))
"""


def plugin(folder: Path, text: str, name: str = "plugin.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_ours_come_through_the_entry_points() -> None:
    registry = Registry()
    assert {"random", "herding", "k-center", "k-means", "full"} <= set(registry.names())
    assert registry.get("herding").name == "herding"


def test_a_plugin_file_offers_its_methods(tmp_path: Path) -> None:
    registry = Registry([plugin(tmp_path, GOOD.format(cls="First", name="first-clips"))])
    assert registry.get("first-clips")().name == "first-clips"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import no_such_library", "ModuleNotFoundError"),
        ("def f(:", "SyntaxError"),
        ("x = 1", "no method, student or encoder"),
        (GOOD.format(cls="Bad", name="Bad Name"), "lower-case"),
        (GOOD.format(cls="Bad", name="random"), "the name 'random' is taken by vdbench"),
        ("raise SystemExit('no')", "SystemExit: no"),
        (GOOD.format(cls="Fine", name="fine") + GOOD.format(cls="Again", name="fine"), "the name 'fine' is taken by /"),
        (
            GOOD.format(cls="Bad", name="bad").replace('    card: ClassVar[Card] = Card(title="first clips")\n', ""),
            "card",
        ),
    ],
)
def test_a_broken_plugin_is_listed_and_an_error_whatever_is_asked_for(tmp_path: Path, text: str, problem: str) -> None:
    path = plugin(tmp_path, text)
    entries = offered([path])
    (broken,) = [entry for entry in entries if entry.is_file and entry.problem]
    assert problem in broken.problem
    assert "herding" in {entry.name for entry in entries if entry.method is not None}
    with pytest.raises(DependencyError, match="cannot be used") as error:
        Registry([path])
    assert str(path) in str(error.value)
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("name = 3", "Bad has no name that is a text"),
        ("name = ['bad']", "Bad has no name that is a text"),
        ("name = property(lambda self: 'bad')", "Bad has no name that is a text"),
        ("del name", "Bad has no name that is a text; add name ="),
        ("card = 'a title'", "Bad.card is 'a title', not of type Card"),
        ("card = Card(title=None)", "the card of Bad has no title"),
        ("version = '1.0'", "Bad.version is '1.0', not of type int"),
        ("resources = {'cpus': 2}", "not of type Resources"),
        ("seeded = 'no'", "Bad.seeded is 'no', not of type bool"),
        ("pools = 'real'", r"Bad.pools is 'real', not a tuple of names; one alone ends with a comma: \(NAME,\)"),
        ("reads = 'student'", "Bad.reads is 'student', not a tuple of names"),
        ("reads = ('moon',)", "Bad reads 'moon'; choose from student"),
        ("Settings = None", "Bad.Settings does not extend vdbench.method.Settings"),
        ("Settings = dict", "Bad.Settings does not extend vdbench.method.Settings"),
        ("class Settings(NoSettings): pass", "Bad names pools, but its Settings have no field 'pool'"),
        ("select = Selector.select", "it defines no method, student or encoder, and Bad does not define select"),
    ],
)
def test_what_a_class_says_of_itself_is_checked_before_anybody_relies_on_it(
    tmp_path: Path, said: str, problem: str
) -> None:
    good = GOOD.format(cls="Bad", name="bad").replace("import Card", "import Card, NoSettings")
    path = plugin(tmp_path, f"{good}    {said}\n")
    assert [entry.method for entry in offered([path]) if entry.is_file] == [None]
    with pytest.raises(DependencyError, match=problem):
        Registry([path])


def test_a_plugin_that_is_named_twice_is_one(tmp_path: Path) -> None:
    path = plugin(tmp_path, GOOD.format(cls="First", name="first-clips"))
    registry = Registry([path, tmp_path / ".." / tmp_path.name / path.name])
    assert [entry.name for entry in registry.entries if entry.is_file] == ["first-clips"]
    assert registry.plugins("first-clips") == (path,)
    assert registry.plugins("herding") == ()


def test_an_installed_method_that_is_broken_is_an_error_for_who_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("broken", "no_such_library:Method", "vdbench.methods")
    monkeypatch.setattr("vdbench.registry.methods.entry_points", lambda group: [point, *entry_points(group=group)])
    registry = Registry()
    assert "herding" in registry.names()
    assert "broken" not in registry.names()
    with pytest.raises(DependencyError, match="no_such_library"):
        registry.get("broken")


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("generator", "the generator of a run's pool in --set"),
        ("protocol", "the suite's protocol in --set"),
        ("all", "all methods in --methods"),
    ],
)
def test_a_name_that_stands_for_something_else_is_refused(tmp_path: Path, name: str, meaning: str) -> None:
    with pytest.raises(DependencyError, match=f"the name '{name}' stands for {meaning}; choose another name"):
        Registry([plugin(tmp_path, GOOD.format(cls="Taken", name=name))])
    near = Registry([plugin(tmp_path, GOOD.format(cls="Near", name=f"{name}-free"), "near.py")])
    assert f"{name}-free" in near.names()


def test_an_unknown_name_gets_the_nearest_ones() -> None:
    with pytest.raises(UsageError, match="did you mean 'herding'"):
        Registry().get("hurding")


def test_names_globs_all_and_pools() -> None:
    registry = Registry()
    assert registry.resolve(["k-*", "random@real", "k-means"]) == [
        ("k-center", None),
        ("k-means", None),
        ("random", "real"),
    ]
    both = registry.resolve(["all@generated"])
    assert ("random", "generated") in both
    assert "dm" not in {name for name, _ in both}  # which takes no pool
    assert registry.resolve(["k-*@real"]) == [("k-center", "real"), ("k-means", "real")]
    with pytest.raises(UsageError, match="method 'dm' has no pool 'real'"):
        registry.resolve(["dm*@real"])
    assert {name for name, _ in registry.resolve(["all"])} == set(registry.names())
    with pytest.raises(UsageError, match="no pool 'moon'"):
        registry.resolve(["random@moon"])
    with pytest.raises(UsageError, match="unknown method 'zzz'"):
        registry.resolve(["zzz"])


def test_settings_are_checked_by_name_and_value() -> None:
    registry = Registry()
    assert registry.configure("herding", None, {"encoder": "pixels"}).settings.encoder.name == "pixels"
    with pytest.raises(UsageError, match=r"unknown setting 'herding\.encodr'; did you mean 'herding\.encoder'"):
        registry.configure("herding", None, {"encodr": "pixels"})
    with pytest.raises(UsageError, match=r"herding\.encoder\.name='moon' is not valid"):
        registry.configure("herding", None, {"encoder": "moon"})


def test_a_folder_is_no_plugin_file(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(UsageError, match=r"folder\.py is a folder; name a Python file in it"):
        Registry([tmp_path / "folder.py"])


def test_a_missing_plugin_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no plugin file"):
        Registry([tmp_path / "nothing.py"])
