"""The leaderboard as documents: one self-contained HTML page, a Markdown page and LaTeX tables, from templates."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files as package_files
from itertools import groupby
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from vdbench_leaderboard import figures, formats, pools, tables

if TYPE_CHECKING:
    import pandas as pd

    from vdbench.experiment.result import Environment as Machine
    from vdbench.records import DatasetRecord
    from vdbench_leaderboard.standings import Board
    from vdbench_leaderboard.statistics import Estimate


@dataclass(frozen=True)
class Section:
    """All boards of one group.

    Attributes:
        heading: the group's name.
        boards: one per student.
    """

    heading: str
    boards: tuple[Board, ...]

    @property
    def dataset(self) -> DatasetRecord:
        """The data that all of them used."""
        return self.boards[0].cells[0].dataset

    @property
    def protocol(self) -> str:
        """The resolved protocol, as JSON for people."""
        return json.dumps(self.boards[0].cells[0].any_result.protocol, indent=2, sort_keys=True, ensure_ascii=False)

    @property
    def machines(self) -> list[str]:
        """Versions and machines that its trials ran on."""
        machines = {machine for board in self.boards for cell in board.cells for machine in cell.environments}
        return sorted(_machine(machine) for machine in machines)


@dataclass(frozen=True)
class Content:
    """What every document shows.

    Attributes:
        boards: the tables, in order.
        plots: SVG documents by the slug of their board.
        faults: names of files that are no valid results.
        mark: goes to the top of every document.
    """

    boards: Sequence[Board]
    plots: Mapping[str, str]
    faults: Sequence[str]
    mark: str

    @cached_property
    def sections(self) -> list[Section]:
        """The boards by group."""
        return [Section(name, tuple(boards)) for name, boards in groupby(self.boards, key=lambda board: board.heading)]

    @cached_property
    def factorials(self) -> dict[str, pools.Factorial]:
        """The tables of pools, by the slug of their board; empty where no method was run on both."""
        return {board.slug: table for board in self.boards if (table := pools.factorial(board))}

    @property
    def totals(self) -> dict[str, int]:
        """The page's figures at a glance."""
        cells = [cell for board in self.boards for cell in board.cells]
        return {
            "methods": len({cell.any_result.label for cell in cells}),
            "data sets": len({cell.dataset.name for cell in cells}),
            "finished trials": len({result.id for cell in cells for result, _ in cell.done}),
            "networks tested": sum(len(networks) for cell in cells for networks in cell.runs.values()),
            "failed trials": len({result.id for cell in cells for result in cell.failed}),
        }

    def choices(self) -> dict[str, list[str]]:
        """What the page can be filtered by, and the values there are."""
        return {
            "dataset": sorted({board.group.dataset_title for board in self.boards}),
            "suite": sorted({board.group.suite for board in self.boards}),
            "student": sorted({board.student.name for board in self.boards}),
        }


@dataclass(frozen=True)
class Scale:
    """Positions on the track under a number, in percent of its width: 0 is no accuracy, 100 the board's highest.

    Attributes:
        top: accuracy at the right end.
    """

    top: float

    @classmethod
    def of(cls, board: Board) -> Scale:
        """Wide enough for every mean and spread of a board."""
        reached = [cell.top1.mean + (cell.top1.spread or 0) for cell in board.cells if cell.top1]
        return cls(max([board.chance, *reached, 1e-9]))

    def at(self, value: float) -> str:
        """The position of an accuracy, kept on the track."""
        return f"{min(max(100 * value / self.top, 0), 100):.1f}%"

    def band(self, value: Estimate) -> str:
        """Left end and width of the 95 % interval, as CSS."""
        low, high = (min(max(100 * (end or 0) / self.top, 0), 100) for end in (value.low, value.high))
        return f"left:{low:.1f}%;width:{high - low:.1f}%"


def html(content: Content) -> str:
    """The page: one file that loads nothing from anywhere."""
    environment = _environment(autoescape=True)
    environment.globals |= {
        "style": Markup(_resource("style.css")),  # noqa: S704  ours, not input
        "pool_style": Markup(_resource("pools.css")),  # noqa: S704
        "script": Markup(_resource("page.js")),  # noqa: S704
        "scale": Scale.of,
    }
    environment.filters["inline"] = _inline
    return environment.get_template("index.html.j2").render(page=content)


def markdown(content: Content) -> str:
    """The page for GitHub; it shows the plots beside it."""
    environment = _environment(autoescape=False)
    environment.filters["md"] = _md
    environment.globals["table"] = _pipe_table
    return environment.get_template("README.md.j2").render(page=content)


def latex(content: Content) -> str:
    """The main tables, for ``booktabs``."""
    environment = _environment(autoescape=False)
    environment.filters["tex"] = _tex
    environment.filters["small"] = lambda text: text and f"{{\\scriptsize {_tex(text)}}}"
    return environment.get_template("leaderboard.tex.j2").render(page=content)


def _environment(autoescape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("vdbench_leaderboard"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["tables"] = tables
    shown: tuple[Callable[..., str | list[str]], ...] = (
        formats.percent,
        formats.points,
        formats.estimate,
        formats.interval,
        formats.size,
        formats.seconds,
        formats.count,
        formats.kinds,
        formats.rank,
        formats.remarks,
        formats.runs,
        formats.gap,
        formats.gap_remarks,
        formats.mean_remarks,
        formats.sampled,
    )
    environment.filters |= {f"as_{shape.__name__}": shape for shape in shown}
    return environment


def _resource(name: str) -> str:
    return (package_files("vdbench_leaderboard") / "templates" / name).read_text(encoding="utf-8")


def _inline(svg: str, board: Board) -> Markup:
    label = f"Top-1 accuracy over IPC: {board.heading}, judged by {board.student.name}"
    return Markup(figures.inline(svg, board.slug, label))  # noqa: S704  matplotlib escapes the labels it draws


def _machine(machine: Machine) -> str:
    versions = f"vdbench {machine.vdbench}, Python {machine.python}, torch {machine.torch}"
    return f"{versions}; {machine.device}, {machine.cpus} CPU cores, {machine.platform}"


def _pipe_table(*frames: pd.DataFrame) -> str:
    """One Markdown table of frames that share their columns."""
    columns = list(frames[0].columns)
    rule = [":--", *["--:"] * (len(columns) - 1)]
    rows = [[_md(str(text)) for text in row] for frame in frames for row in frame.itertuples(index=False)]
    return "".join(f"| {' | '.join(row)} |\n" for row in [columns, rule, *rows])


def _md(text: str) -> str:
    return re.sub(r"([\\`*_<>\[\]|])", r"\\\1", text)


_TEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "−": "$-$",
    "–": "--",
    "†": r"$^\dagger$",
    "Δ": r"$\Delta$",
    "·": r"$\cdot$",
    "…": r"\dots{}",
}


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)
