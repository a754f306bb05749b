"""The examples in the docstrings of the front door."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import vdbench
from tests.conftest import Digits

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("load_dataset", "distill", "evaluate", "run", "load_results")


@pytest.mark.slow
def test_every_example_runs_and_answers_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: Digits
) -> None:
    monkeypatch.setenv("VDBENCH_HOME", str(digits(tmp_path)))
    monkeypatch.chdir(ROOT)
    names = {name: getattr(vdbench, name) for name in FUNCTIONS}
    for name, function in names.items():
        module = import_module(function.__module__)
        (found,) = doctest.DocTestFinder(recurse=False).find(function, name, module=module, extraglobs=names)
        assert found.examples, f"{name} has no example"
        assert doctest.DocTestRunner().run(found).failed == 0
