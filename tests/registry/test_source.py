"""What the code of a class is: its own source and what that names, and no more."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from vdbench.errors import DependencyError, UsageError
from vdbench.extensions.plugins import Plugin
from vdbench.method import Card
from vdbench.registry import Registry
from vdbench.registry.methods import hand_over
from vdbench.registry.source import code_of
from vdbench.selector import Selector

SCRIPT = """
import numpy as np
import beside
from vdbench.method import Card, identity
from vdbench.registry.source import code_of
from vdbench.selector import Selector, SelectorSettings

OFFSET = 1
UNUSED = 1

def shifted(k):
    return np.arange(k) + OFFSET

def unused():
    return 1

class BaseSettings(SelectorSettings):
    first: int = identity(1, "the first", gt=0)

class Base(Selector):
    Settings = BaseSettings
    card = Card(title="Some clips")

class Mine(Base):
    name = "mine"

    def select(self, features, k, rng, task):
        return beside.checked(shifted(k))

print(code_of(Mine))
"""


def code_in(folder: Path, script: str, beside: str = "def checked(rows):\n    return rows\n") -> str:
    """What a script finds the code of its class to be."""
    (folder / "script.py").write_text(script)
    (folder / "beside.py").write_text(beside)
    command = [sys.executable, str(folder / "script.py")]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def test_what_a_class_names_is_its_code_and_the_rest_of_the_script_is_not(tmp_path: Path) -> None:
    code = code_in(tmp_path, SCRIPT)
    assert len(code.strip()) == 16
    for old, new in (("UNUSED = 1", "UNUSED = 2"), ("return 1", "return 2"), ("print(", "print( "), ("Some ", "")):
        assert code_in(tmp_path, SCRIPT.replace(old, new)) == code
    changes = {"OFFSET = 1": "OFFSET = 2", "+ OFFSET": "- OFFSET", "gt=0": "gt=1", "shifted(k))": "k)"}
    others = [code_in(tmp_path, SCRIPT.replace(old, new)) for old, new in changes.items()]
    others.append(code_in(tmp_path, SCRIPT, "def checked(rows):\n    return rows[::-1]\n"))
    assert len({code, *others}) == 6


def test_a_class_of_a_module_is_the_plugin_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class_only = textwrap.dedent(SCRIPT).replace("print(code_of(Mine))\n", "").replace("beside.checked", "")
    path = tmp_path / "some_module_of_mine.py"
    path.write_text(class_only.replace("import beside\n", ""))
    monkeypatch.syspath_prepend(tmp_path)
    from some_module_of_mine import Mine  # type: ignore[import-not-found]

    assert code_of(Mine) == Plugin(path).code
    assert hand_over(Mine) == "mine"
    assert Registry().code("mine") == Registry([]).code("mine") == Plugin(path).code


def test_code_that_cannot_be_told_is_refused() -> None:
    class Local(Selector):  # type: ignore[type-arg]
        name = "local"
        card = Card(title="t")

        def select(self, features, k, rng, task):  # type: ignore[no-untyped-def]
            return [0]

    with pytest.raises(UsageError, match="class Local is defined inside a function"):
        code_of(Local)
    typed = "\n".join(
        [
            "from vdbench.registry.source import code_of",
            "class Typed:",
            "    def select(self):",
            "        return 1",
            "",
            "code_of(Typed)",
        ]
    )
    done = subprocess.run([sys.executable], input=typed, capture_output=True, text=True, check=False, timeout=120)
    assert "UsageError: the source of Typed cannot be read" in done.stderr


class Random(Selector):  # type: ignore[type-arg]
    """Called as one of ours is."""

    name = "random"
    card = Card(title="t")

    def select(self, features, k, rng, task):  # type: ignore[no-untyped-def]
        return [0]


def test_a_class_that_cannot_be_a_method_leaves_the_others_alone() -> None:
    with pytest.raises(DependencyError, match="class Random cannot be used: the name 'random' is taken by vdbench"):
        hand_over(Random)
    with pytest.raises(DependencyError, match="is not a subclass"):
        hand_over(dict)  # type: ignore[arg-type]
    assert Registry().get("random") is not Random
