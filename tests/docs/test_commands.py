"""What the pages type: commands with their options exist, settings can be set, and runs can be planned."""

import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import Digits
from tests.docs.pages import COMMANDS, FENCE, PAGES, ROOT, command_line, commands, resolve, typed
from vdbench.cli.options import parse_settings
from vdbench.errors import VdbenchError
from vdbench.experiment.estimate import Estimate
from vdbench.experiment.suite import load_suite
from vdbench.generator.settings import generator_settings
from vdbench.registry.methods import Registry


def test_commands_are_found_in_blocks_in_spans_and_over_line_ends():
    text = "Type `vdbench\nrun` or:\n\n```\nX=1 vdbench datasets list --json  # all\nvdbench run \\\n  --seeds 3\n```\n"
    assert list(commands(text)) == [["datasets", "list", "--json"], ["run", "--seeds", "3"], ["run"]]
    assert len(COMMANDS) > 50
    assert resolve(["results", "list|show", "--json"])[0] == ["--json"]
    with pytest.raises(AssertionError, match="no command dance"):
        resolve(["results", "dance"])


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=lambda value: getattr(value, "name", ""))
def test_a_command_of_the_pages_exists_with_its_options(page: Path, words: list[str]):
    rest, command = resolve(words)
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    options = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert options <= known, f"in {page.name}: {' '.join(words)}"


ELSEWHERE = ("--home", "--ray-address", "--device", "--gpus-per-trial")
"""Options of where and on what a run runs, which another machine need not have."""


def embedded_runs() -> Iterator[list[str]]:
    """What follows ``run`` in every command of the pages, once, that runs on the data set that is rendered.

    What names a place or a machine is left out: no plan hangs on it.
    """
    seen: set[tuple[str, ...]] = set()
    for _, (name, *words) in COMMANDS:
        values = dict(pairwise(words))
        if {"--from", "--debug"} & set(values):  # a trial of the reader's own
            continue
        suite = values.get("--suite", "quick" if "--datasets" not in values else "")
        data = values.get("--datasets") or ",".join(load_suite(suite).datasets)
        places = {place for place, word in enumerate(words) if word in ELSEWHERE}
        kept = [word for place, word in enumerate(words) if not {place, place - 1} & places]
        if name == "run" and data == "motion-digits" and "..." not in words and tuple(kept) not in seen:
            seen.add(tuple(kept))
            yield kept


@pytest.mark.slow
def test_every_run_of_the_pages_on_the_embedded_data_set_can_be_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: Digits
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VDBENCH_HOME", str(digits(tmp_path / "home")))
    monkeypatch.setattr("vdbench.experiment.estimate.estimate", lambda *_: Estimate(1.0, 1, "not measured"))
    monkeypatch.setattr("vdbench.extensions.kinds.in_use", {})  # the student of the page is known here alone
    planned = [
        *(["methods", "new", name] for name in ("my-method", "my-moderate")),
        *(["run", *words, "--dry-run"] for words in embedded_runs()),
    ]
    assert len(planned) > 10
    page = (ROOT / "docs" / "adding-a-method.md").read_text(encoding="utf-8")
    (tmp_path / "mean_colour.py").write_text({name: text for _, name, text in FENCE.findall(page)}["mean_colour.py"])
    for words in planned:
        try:
            command_line()(words, standalone_mode=False)
        except VdbenchError as error:
            pytest.fail(f"vdbench {shlex.join(words)}: {error}")


SETTINGS = [
    (page, values)
    for page in PAGES
    for words in typed(page.read_text(encoding="utf-8"))
    if (values := [value for option, value in pairwise(words) if option == "--set" and "." in value])
]
"""What the pages set together."""
PLACEHOLDERS = ("my-method", "my-moderate", "NAME")


@pytest.mark.parametrize(("page", "values"), SETTINGS, ids=lambda value: getattr(value, "name", ""))
def test_a_setting_of_the_pages_can_be_set(page: Path, values: list[str]):
    for name, changes in parse_settings([value for value in values if not value.endswith("=")]).items():
        if name == "protocol":
            load_suite("quick", changes)
        elif name == "generator":
            generator_settings(changes)
        elif name not in PLACEHOLDERS:
            Registry().configure(name, None, changes)
