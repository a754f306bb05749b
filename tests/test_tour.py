"""The notebook of the docs, executed as a reader would: every cell, in a kernel of its own."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import Digits

TOUR = Path(__file__).parents[1] / "docs" / "tour.ipynb"


@pytest.mark.slow
def test_the_tour_can_be_taken_and_shows_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: Digits
) -> None:
    monkeypatch.setenv("VDBENCH_HOME", str(digits(tmp_path)))
    book = nbformat.read(TOUR, as_version=4)
    assert not any(cell.get("outputs") for cell in book.cells), "the tour is committed without outputs"
    NotebookClient(book, timeout=600, kernel_name="python3").execute(cwd=str(tmp_path))
    shown = [output for cell in book.cells for output in cell.get("outputs", ())]
    pages = [output.data["text/html"] for output in shown if "text/html" in output.get("data", {})]
    assert sum("data:image/jpeg" in page for page in pages) == 2
    assert sum("<table>" in page for page in pages) == 2
    assert all(len(page) < 200_000 for page in pages)
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert "extremes" in pages[-1] and "10 trials done, 0 failed" in pages[-1]
    assert not [output for output in shown if output.output_type == "error"]
