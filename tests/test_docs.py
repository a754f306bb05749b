"""The pages: their examples run, and the commands, settings and names in them exist."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import typer
from typer.core import TyperGroup

import vdbench
from vdbench.api.tables import COLUMNS
from vdbench.cli import app
from vdbench.cli.methods import Kind
from vdbench.cli.options import parse_settings
from vdbench.datasets.spec import dataset_names, load_dataset
from vdbench.errors import VdbenchError
from vdbench.experiment.estimate import Estimate
from vdbench.experiment.suite import load_suite, suite_names
from vdbench.generator.settings import generator_settings
from vdbench.registry.methods import GROUP, Registry
from vdbench.students import student_names
from vdbench.testing import check_method, tiny_task

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")]
    + [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "leaderboard/CONTRIBUTING.md")]
)
FENCE = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")


def text_of(page: str) -> str:
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


def block(page: str, title: str) -> str:
    """The code block of a page that has a title."""
    (found,) = [code for _, name, code in FENCE.findall(text_of(page)) if name == title]
    return found


def typed(text: str) -> Iterator[list[str]]:
    """The words of every line of a code block and of every code span, without comments."""
    spoken = FENCE.sub("", text)
    lines = [line for _, _, code in FENCE.findall(text) for line in code.replace("\\\n", " ").splitlines()]
    for line in (*lines, *(" ".join(span.split()) for span in SPAN.findall(spoken))):
        if "vdbench " in line or "--set " in line:
            yield shlex.split(line, comments=True)


def commands(text: str) -> Iterator[list[str]]:
    """What stands after ``vdbench`` wherever a text types it as a command."""
    for words in typed(text):
        start = words.index("vdbench") + 1 if "vdbench" in words else len(words)
        if start < len(words) and re.match("[a-z]", words[start]):
            yield words[start:]


COMMANDS = [(page, words) for page in PAGES for words in commands(page.read_text(encoding="utf-8"))]


@cache
def command_line() -> Any:
    return typer.main.get_command(app)


def resolve(words: list[str]) -> tuple[list[str], Any]:
    """The words after a command, and the command; of ``list|show`` and the like it is the first, and all exist."""
    command = command_line()
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        first, *words = words
        known = [command.commands.get(name) for name in first.split("|")]
        assert None not in known, f"there is no command {first}"
        command = known[0]
    return words, command


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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()  # else each plan would render the clips anew
    monkeypatch.setenv("VDBENCH_HOME", str(tmp_path / "home"))
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


@pytest.mark.slow
@pytest.mark.parametrize("title", ["my_moderate.py", "group_means.py"])
def test_the_methods_of_the_page_keep_the_contract(title: str, tmp_path: Path):
    path = tmp_path / title
    path.write_text(block("adding-a-method.md", title), encoding="utf-8")
    registry = Registry([path])
    (entry,) = [entry for entry in registry.entries if entry.source == str(path)]
    assert entry.problem == ""
    assert check_method(registry.get(entry.name)) == []


def test_the_port_of_the_page_chooses_as_the_built_in_method_from_both_pools(tmp_path: Path):
    path = tmp_path / "my_moderate.py"
    path.write_text(block("adding-a-method.md", path.name), encoding="utf-8")
    registry = Registry([path])
    for pool in ("real", "generated"):
        own, built_in = (registry.configure(name, pool, {"encoder": "pixels"}) for name in ("my-moderate", "moderate"))
        assert check_method(own) == []
        sets = [method.distill(tiny_task(tmp_path / pool, ipc=2)) for method in (own, built_in)]
        assert sets[0].record.provenance.clip_ids == sets[1].record.provenance.clip_ids
    line = np.array([[0], [4], [5], [6], [30]], dtype=np.float32)  # distances 5 1 0 1 25 to the median, 9 5 4 3 21 else
    for centre, kept in (("median", {1, 3}), ("mean", {1, 2})):
        method: Any = registry.configure("my-moderate", "real", {"centre": centre})
        assert set(method.select(line, 2, np.random.default_rng(0), None)) == kept


def test_the_test_of_the_page_passes(tmp_path: Path):
    for name in ("my_moderate.py", "test_my_moderate.py"):
        (tmp_path / name).write_text(block("adding-a-method.md", name), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_kinds_of_the_page_are_those_that_can_be_written():
    rows = [line.split("`")[1] for line in text_of("adding-a-method.md").splitlines() if line.startswith("| `")]
    assert tuple(rows) == get_args(Kind)


def test_the_entry_point_of_the_page_is_of_the_group_that_is_read():
    declared = tomllib.loads(block("adding-a-method.md", "pyproject.toml"))
    assert list(declared["project"]["entry-points"]) == [GROUP]


def test_the_data_set_of_the_page_can_be_declared(tmp_path: Path):
    path = tmp_path / "lab.yaml"
    path.write_text(block("adding-a-dataset.md", path.name), encoding="utf-8")
    spec = load_dataset(str(path))
    assert spec.name == path.stem
    assert spec.source is not None
    assert spec.source.table == str(tmp_path / "clips.csv")


def script_of(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_commands_is_what_the_program_declares():
    """If it is not, ``python docs/cli_reference.py`` writes it anew."""
    assert text_of("cli.md") == script_of("cli_reference").reference()


def test_the_picture_of_two_errors_is_what_its_script_draws():
    """If it is not, ``python docs/two_errors.py`` draws it anew."""
    script = script_of("two_errors")
    assert script.PICTURE.read_text(encoding="utf-8") == script.picture()
    truth, same, other = script.world()
    assert same[0].tolist() == other[0].tolist()
    means = [won.mean(axis=(1, 2)) for won in (same, other)]
    assert other.mean() == pytest.approx(truth, abs=4 * means[1].std() / script.REPEATS**0.5)
    assert means[0].std() == pytest.approx(1, abs=0.3), "as measured: other seeds move a mean by about a point"
    assert means[1].std() == pytest.approx(3, abs=0.6), "and other videos by three"


@pytest.mark.parametrize("name", dataset_names())
def test_every_data_set_is_on_its_page_with_its_numbers(name: str):
    spec, page = load_dataset(name), text_of("datasets.md")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| [`{name}`]")]
    assert f"| {spec.classes} |" in row
    assert f"{spec.geometry.frames} frames of {spec.geometry.size}x{spec.geometry.size}" in row
    assert {"top1": "top-1", "top5": "top-5"}[spec.metric] in row
    if size := spec.expected.get(1):
        assert f"{size.train} / {size.test}" in row
    if spec.layout != "rendered":
        assert f"<{spec.homepage}>" in page


@pytest.mark.parametrize("name", suite_names())
def test_every_suite_is_on_its_page_with_its_numbers(name: str):
    suite = load_suite(name)
    (row,) = [line for line in text_of("protocols.md").splitlines() if line.startswith(f"| `{name}`")]
    assert f"| {suite.seeds} x {suite.protocol.evaluation_seeds} |" in row
    assert f"| {', '.join(map(str, suite.ipc))} |" in row
    clips = (suite.protocol.frames, suite.protocol.size)
    assert ("the data set's own" if clips == (None, None) else f"{clips[0]} frames of {clips[1]}x{clips[1]}") in row
    students = {1: "`minic3d`", 4: "four", 5: "five"}[len(suite.protocol.students)]
    assert students in row


def test_every_student_is_on_the_page_of_protocols():
    page = text_of("protocols.md")
    rows = " ".join(line for line in page.splitlines() if line.startswith("| `"))
    assert all(f"`{name}`" in rows for name in student_names())


@pytest.mark.slow
def test_the_python_of_the_pages_runs_as_one_script_without_a_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    for text in (text_of("python.md"), (ROOT / "README.md").read_text(encoding="utf-8")):
        blocks = [code for kind, _, code in FENCE.findall(text) if kind == "python" and "class MyMethod" not in code]
        script.write_text("\n".join(blocks))
        environment = os.environ | {"VDBENCH_HOME": str(tmp_path / "home")}
        done = subprocess.run(
            [sys.executable, str(script)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_table_of_results_has_the_columns_that_the_page_explains() -> None:
    frame = vdbench.load_results(ROOT / "leaderboard" / "results")
    assert list(frame.columns) == list(COLUMNS) and len(frame) > 100
    assert frame.top1.between(0, 1).all()
