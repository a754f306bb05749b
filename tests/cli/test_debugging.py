"""The log of a trial, and `vdbench run --debug TRIAL`: the trial again, with what ends it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, child, results, selector, tiny_run
from vdbench.cli.advice import command
from vdbench.experiment.home import Home

DOES = """
warnings.warn("it is about to happen", stacklevel=1)
if not Path({cure!r}).exists():
    raise ValueError("it happened")
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    return selector(tmp_path, "odd", DOES.format(cure=str(tmp_path / "cure")))


@pytest.mark.parametrize("how", ["--isolate", "--no-isolate", pytest.param("ray", marks=pytest.mark.slow)])
def test_every_trial_has_a_log_which_the_line_of_a_failure_names(cli: Cli, home: Path, plugin: Path, how: str) -> None:
    means = ["--scheduler", "ray", "--workers", "1"] if how == "ray" else [how]
    answer = cli(*tiny_run(home, "--plugin", plugin, *means, methods="odd")).ended(1)
    by_method = {result.method: result for result in results(home).values()}
    logs = {method: Home(home).log(result.id).read_text() for method, result in by_method.items()}
    assert set(logs) == {"odd", "random", "full"}
    for method in ("random", "full"):
        assert "evaluate done after" in logs[method] and "Traceback" not in logs[method]
    assert "UserWarning: it is about to happen" in logs["odd"]
    assert "distill broke off after" in logs["odd"]
    assert "in select" in logs["odd"] and "ValueError: it happened" in logs["odd"]
    failed = by_method["odd"]
    assert f"{command('results', 'show', failed.id)}; log {Home(home).log(failed.id)}" in answer.err


def test_debugging_shows_the_traceback_and_replaces_nothing_but_by_a_result_that_is_done(
    cli: Cli, home: Path, tmp_path: Path, plugin: Path
) -> None:
    assert cli(*tiny_run(home, "--plugin", plugin, "--no-isolate", methods="odd")).code == 1
    failed = next(result for result in results(home).values() if result.failure)
    path = Home(home).results.path(failed.id)
    before = path.read_bytes()
    again = ["run", "--home", home, "--plugin", plugin, "--debug", failed.id[:8]]
    cli(*again).ended(1, "Traceback", "in select", "failed: ValueError: it happened")
    assert path.read_bytes() == before
    (tmp_path / "cure").touch()
    others = {result.id: Home(home).results.path(result.id).read_bytes() for result in results(home).values()}
    assert cli(*again).code == 0
    assert results(home)[failed.id].status == "done"
    del others[failed.id]
    assert all(Home(home).results.path(other).read_bytes() == content for other, content in others.items())
    whole = cli(*tiny_run(home, "--plugin", plugin, "--no-isolate", "--json", methods="odd")).ended(0)
    assert {row["id"] for row in json.loads(whole.out)} == {failed.id, *others}
    assert "0 to run" in whole.err, "it is the trial of the run"


def test_debugging_without_its_plugin_or_with_other_options_is_a_sentence(cli: Cli, home: Path, plugin: Path) -> None:
    assert cli(*tiny_run(home, "--plugin", plugin, "--no-isolate", methods="odd")).code == 1
    failed = next(result for result in results(home).values() if result.failure)
    plugin.write_text(plugin.read_text() + "\n# edited\n")
    cli("run", "--home", home, "--plugin", plugin, "--debug", failed.id).ended(2, f"make another trial of {failed.id}")
    beside = ["run", "--home", home, "--debug", failed.id, "--methods", "random"]
    cli(*beside).ended(2, "--methods has no effect beside --debug")
    assert cli("run", "--home", home, "--debug", "ffff").code == 2


def test_debug_without_a_trial_starts_no_run(cli: Cli, home: Path) -> None:
    for words in (["run", "--debug"], [*tiny_run(home), "--debug"]):
        cli(*words).ended(2, "'--debug' requires an argument")
    assert not (home / "results").exists()


def test_debug_before_the_command_shows_tracebacks(cli: Cli, home: Path) -> None:
    assert "Traceback" in cli("--debug", *tiny_run(home, methods="hurding")).err


def test_a_crash_below_python_says_in_which_file(tmp_path: Path) -> None:
    """As a library ends that a plugin imports."""
    plugin = tmp_path / "crashing.py"
    plugin.write_text("import os\n\nos.abort()\n")
    process = child(["methods", "list", "--plugin", str(plugin)])
    _, told = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGABRT
    assert f'File "{plugin}", line 3' in told
