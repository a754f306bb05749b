"""Rows and pictures of the pages are what the program declares, and what their scripts write."""

import importlib.util
from typing import Any

import pytest

import vdbench
from tests.docs.pages import ROOT, text_of
from vdbench.api.tables import COLUMNS
from vdbench.datasets.spec import dataset_names, load_dataset
from vdbench.experiment.suite import load_suite, suite_names
from vdbench.students import student_names


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


def test_the_table_of_results_has_the_columns_that_the_page_explains() -> None:
    frame = vdbench.load_results(ROOT / "leaderboard" / "results")
    assert list(frame.columns) == list(COLUMNS) and len(frame) > 100
    assert frame.top1.between(0, 1).all()
