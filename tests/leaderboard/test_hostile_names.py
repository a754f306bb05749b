"""Names in results of others: no document takes them for more than text, and no file is written elsewhere."""

import csv
import io
import json
from pathlib import Path

import pytest

from vdbench_leaderboard.build import build

HOSTILE = "=cmd|' /C x'!A1\x1b[31m\n# heading\n\n<img src=x onerror=alert(1)> [a](http://b) `c` \\input{x} $y$"


@pytest.fixture(scope="module")
def out(tmp_path_factory, make, save) -> Path:
    """A leaderboard of results whose every name is hostile, as far as results may have it."""
    folder = tmp_path_factory.mktemp("hostile")
    names = {"suite": f"../../../elsewhere/{HOSTILE}", "students": (HOSTILE,)}
    results = [
        make(method, seed=seed, ipc=ipc, **names)
        for method in (HOSTILE, "@random")
        for seed in range(3)
        for ipc in (1, 5)
    ]
    build(save(folder / "results", results), folder / "a" / "b" / "out")
    return folder / "a" / "b" / "out"


def test_no_file_is_written_elsewhere(out: Path) -> None:
    base = out.parents[2]
    written = {path for path in base.rglob("*") if path.is_file() and path.parent.name != "results"}
    assert written
    assert all(path.parent in (out, out / "plots") for path in written)
    assert all(path.name.isascii() and path.name.isprintable() for path in written)


def test_markdown_has_no_heading_or_tag_of_theirs(out: Path) -> None:
    lines = (out / "README.md").read_text(encoding="utf-8").splitlines()
    assert any("heading" in line for line in lines)
    assert not [line for line in lines if line.lstrip().startswith("# heading")]
    assert not [line for line in lines if "<img" in line.replace("\\<", "")]
    assert not [line for line in lines if "](http://b)" in line.replace("\\]", "")]
    assert "\x1b" not in "".join(lines)


def test_cells_of_the_csv_are_no_formulas(out: Path) -> None:
    text = (out / "leaderboard.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["method"] for row in rows} == {f"'{HOSTILE}", "'@random"}
    texts = [cell for row in rows for name, cell in row.items() if name in ("suite", "student", "method", "origin")]
    assert not [cell for cell in texts if cell.startswith(("=", "+", "-", "@"))]
    stored = json.loads((out / "leaderboard.json").read_text(encoding="utf-8"))["rows"]
    assert {row["method"] for row in stored} == {HOSTILE, "@random"}


@pytest.mark.slow
def test_cells_of_a_downloaded_view_are_no_formulas(out: Path, browser) -> None:
    page = browser.new_page()
    page.goto((out / "index.html").as_uri())
    with page.expect_download() as waiting:
        page.locator("#csv").click()
    with waiting.value.path().open(encoding="utf-8", newline="") as file:
        assert {row["method"] for row in csv.DictReader(file)} == {f"'{HOSTILE}", "'@random"}
    page.close()


def test_tex_and_html_escape_them(out: Path) -> None:
    tex = (out / "leaderboard.tex").read_text(encoding="utf-8")
    assert r"\input" not in tex and "$y$" not in tex and "\x1b" not in tex
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
