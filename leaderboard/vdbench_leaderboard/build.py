"""Build, show and check the leaderboard: what the command line calls. Light to import."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdbench.errors import DataError, UsageError
from vdbench.experiment.result_store import ResultStore, read_result
from vdbench.storage import files
from vdbench.storage.text import in_a_cell

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.console import RenderableType

    from vdbench.experiment.result import Result
    from vdbench.outcomes import ClipList
    from vdbench_leaderboard.tables.boards import Board

MARK = "made by vdbench leaderboard build"
"""Stands at the top of every generated file but the CSV, so that nobody's own file is ever replaced or deleted."""
CSV_START = "suite,protocol,dataset,"
CARD = "plots/card.png"
"""What is shown of the page where somebody links to it."""
NAMES = ("README.md", "index.html", "leaderboard.csv", "leaderboard.json", "leaderboard.tex", CARD)
"""What is written in addition to ``plots/``."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredResults:
    """What a folder of results holds.

    Attributes:
        results: those that could be read.
        faults: names of the files that could not.
        superseded: ids of those results whose place a later one of the same seed has.
        tests: the test sets that results name, by fingerprint, as far as they could be read.
    """

    results: tuple[Result, ...]
    faults: tuple[str, ...]
    superseded: tuple[str, ...]
    tests: Mapping[str, ClipList]


def build(results: Path, out: Path, previews: Path | None = None, url: str = "") -> list[Path]:
    """Write the leaderboard of a folder of results.

    A file that is no valid result is skipped with a warning and listed on the page. Plots of an earlier build that no
    longer belong to a table are removed.

    Args:
        results: folder of result files.
        out: where :data:`NAMES` and ``plots/`` go.
        previews: folder with a folder per distilled set, by the name that results call it, each with ``preview.mp4`` or
            ``preview.png``; what lies there is shown on the page.
        url: where the page will be; most sites that show links to it find its picture only by a whole address.

    Returns:
        The files written.

    Raises:
        DataError: there is no result.
        UsageError: a file that this command did not make would be replaced.
    """
    contents = render(results, previews, url)
    for name in contents:
        path = out / name
        if path.exists() and not _made_here(path):
            raise UsageError(
                f"{path} was not made by `vdbench leaderboard build` and is left alone; choose another --out"
            )
    for name, content in contents.items():
        files.write_bytes(out / name, content)
    for name in _generated(out) - contents.keys():
        (out / name).unlink()
    return [out / name for name in contents]


def check(results: Path, out: Path, previews: Path | None = None, url: str = "") -> list[str]:
    """Compare a built leaderboard with what its results and previews give now; pictures by their pixels.

    Returns:
        Names, relative to ``out``, of generated files that differ, are missing or are left over; empty when all agree.

    Raises:
        DataError: there is no result.
    """
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        expected = {path.relative_to(fresh).as_posix() for path in build(results, fresh, previews, url)}
        return sorted(name for name in expected | _generated(out) if _content(fresh / name) != _content(out / name))


def show(results: Path) -> RenderableType:
    """The main tables for a terminal.

    Raises:
        DataError: there is no result.
    """
    from vdbench_leaderboard.tables.outcomes import Outcomes
    from vdbench_leaderboard.tables.terminal import tables

    stored = load(results)
    return tables(_boards(stored), Outcomes(stored.tests))


def variances(results: Path) -> list[dict[str, Any]]:
    """What the error of every cell is made of: a row per cell whose results keep outcomes per clip.

    Raises:
        DataError: there is no result, or no two seeds keep outcomes.
    """
    import pandas as pd

    from vdbench_leaderboard.tables.numbers import numbers
    from vdbench_leaderboard.tables.outcomes import Outcomes

    stored = load(results)
    boards = _boards(stored)
    frame = numbers(boards, Outcomes(stored.tests))
    by_draws = pd.Series([cell.error_of_draws for board in boards for cell in board.cells], frame.index, float)
    if "top1_error_seeds" not in frame or frame.top1_error_seeds.isna().all():
        where = f"{results} has no two seeds of one method"
        if stored.tests:
            raise DataError(f"{where}; run more seeds")
        raise DataError(
            f"{where} that keep what networks made of every test clip, which results of earlier versions lack; run "
            "their trials again in a new home"
        )
    frame = frame[frame.top1_error_seeds.notna()]
    seeds, clips = frame.top1_error_seeds, frame.top1_error_sources
    share = 100 * clips**2 / (seeds**2 + clips**2)  # of an error of zero there is none
    shown = frame[["suite", "dataset", "student", "method", "ipc", "top1"]].assign(
        top1=frame.top1.round(2),
        by_seeds=seeds.round(2),
        by_draws=by_draws.round(2),
        by_clips=clips.round(2),
        clips_percent=share.round(0),
    )
    rows: list[dict[str, Any]] = json.loads(shown.to_json(orient="records"))
    return rows


def load(results: Path) -> StoredResults:
    """Read every result of a folder; warn of those that cannot be read.

    Raises:
        DataError: there is none.
    """
    read, faults = [], []
    for path in ResultStore(results).paths():
        try:
            read.append(read_result(path))
        except (DataError, OSError) as error:
            log.warning("%s", error)
            faults.append(path.name)
    if not read:
        unreadable = f" that can be read among {len(faults)} files" if faults else ""
        raise DataError(f"no results in {results}{unreadable}; check the path, or first type:", ["run"])
    from vdbench_leaderboard.tables.cells import superseded

    old = sorted(result.id for result in superseded(read))
    if old:
        log.warning("%d results have later ones of the same seed and do not count: %s", len(old), ", ".join(old))
    kept = tuple(result for result in read if result.id not in set(old))
    return StoredResults(kept, tuple(faults), tuple(old), _tests(results, kept))


def _tests(folder: Path, results: Iterable[Result]) -> dict[str, ClipList]:
    """The test sets beside results; without one, its results are read as if they kept no outcomes per clip."""
    found = {}
    for fingerprint in sorted({result.test_set for result in results if result.test_set is not None}):
        try:
            found[fingerprint] = ResultStore(folder).clip_lists.read(fingerprint)
        except DataError as error:
            log.warning("%s", error)
    return found


def render(results: Path, previews: Path | None = None, url: str = "") -> dict[str, bytes]:
    """Every generated file, by its name relative to the output folder; arguments as those of :func:`build`.

    Raises:
        DataError: there is no result.
    """
    from vdbench_leaderboard.figures import plots
    from vdbench_leaderboard.figures.card import card
    from vdbench_leaderboard.page import documents
    from vdbench_leaderboard.page.content import Content
    from vdbench_leaderboard.page.html import html
    from vdbench_leaderboard.page.methods import summaries
    from vdbench_leaderboard.page.previews import Previews
    from vdbench_leaderboard.tables.numbers import numbers
    from vdbench_leaderboard.tables.outcomes import Outcomes
    from vdbench_leaderboard.tables.overview import overviews

    stored = load(results)
    boards, outcomes = _boards(stored), Outcomes(stored.tests)
    suites, rows = overviews(boards, outcomes), numbers(boards, outcomes)
    drawn = plots.draw(boards, suites)
    methods = summaries(boards, Previews(previews))
    content = Content(boards, rows, suites, methods, drawn, stored.faults, stored.superseded, MARK, outcomes)
    texts = {
        "README.md": documents.markdown(content),
        "index.html": html(content, url),
        "leaderboard.csv": _sheet(rows).to_csv(index=False, lineterminator="\n"),
        "leaderboard.json": _json(rows),
        "leaderboard.tex": documents.latex(content),
        **{f"plots/{name}.svg": f"<!-- {MARK} -->\n{svg}" for name, svg in drawn.items()},
    }
    picture = card(content.headline, next(iter(content.verdicts), None), MARK)
    return {name: text.encode() for name, text in texts.items()} | {CARD: picture}


def _sheet(numbers: DataFrame) -> DataFrame:
    """The rows with texts that no spreadsheet takes for formulas."""
    return numbers.map(lambda value: in_a_cell(value) if isinstance(value, str) else value)


def _json(numbers: DataFrame) -> str:
    """The rows of the CSV as objects, one a line."""
    rows = json.loads(numbers.to_json(orient="records"))
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f'{{"about": "{MARK}", "rows": [\n{lines}\n]}}\n'


def _boards(stored: StoredResults) -> list[Board]:
    from vdbench_leaderboard.tables.boards import boards
    from vdbench_leaderboard.tables.cells import gather

    return boards(gather(stored.results))


def _generated(out: Path) -> set[str]:
    """Names of the files in a folder that this command made."""
    candidates: Iterable[Path] = [
        *(out / name for name in NAMES),
        *(out / "plots").glob("*.svg"),
    ]
    return {path.relative_to(out).as_posix() for path in candidates if path.is_file() and _made_here(path)}


def _made_here(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(300)
    return start.startswith(CSV_START.encode()) if path.suffix == ".csv" else MARK.encode() in start


def _content(path: Path) -> bytes | None:
    """What is compared: of a picture its pixels, which versions of the compressor write as other bytes."""
    if not path.is_file():
        return None
    if path.suffix != ".png":
        return path.read_bytes()
    from PIL import Image

    with Image.open(path) as picture:
        return picture.convert("RGB").tobytes()
