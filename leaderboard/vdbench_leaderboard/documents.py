"""The leaderboard as Markdown and LaTeX, and what its templates share with those of the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from vdbench_leaderboard import formats, tables

if TYPE_CHECKING:
    from vdbench_leaderboard.content import Content, Section
    from vdbench_leaderboard.literature import Table
    from vdbench_leaderboard.overview import Overview
    from vdbench_leaderboard.published import Published


def markdown(content: Content) -> str:
    """The page for GitHub; it shows the plots beside it."""
    templates = environment(autoescape=False)
    templates.filters["md"] = _md
    templates.globals |= {
        "table": _pipe_table,
        "leaders": _leaders,
        "across": _across,
        "published_table": _published,
    }
    return templates.get_template("README.md.j2").render(page=content)


def latex(content: Content) -> str:
    """The main tables, for ``booktabs``."""
    templates = environment(autoescape=False)
    templates.filters["tex"] = _tex
    templates.filters["small"] = lambda text: text and f"{{\\scriptsize {_tex(text)}}}"
    return templates.get_template("leaderboard.tex.j2").render(page=content)


def environment(autoescape: bool) -> Environment:
    """Templates, with all formats as filters: ``as_size`` and the like."""
    templates = Environment(
        loader=PackageLoader("vdbench_leaderboard"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.globals |= {"tables": tables, "at_chance": formats.AT_CHANCE}
    shown: tuple[Callable[..., str | list[str]], ...] = (
        formats.percent,
        formats.points,
        formats.estimate,
        formats.interval,
        formats.fraction,
        formats.size,
        formats.kinds,
        formats.clips,
        formats.parts,
        formats.rank,
        formats.remarks,
        formats.gap,
        formats.gap_remarks,
        formats.mean_remarks,
    )
    templates.filters |= {f"as_{shape.__name__}": shape for shape in shown}
    return templates


def _leaders(overview: Overview) -> pd.DataFrame:
    """Methods of a suite by their average rank and interquartile mean, as texts."""
    ranks = overview.ranks.ranks if overview.ranks else {}
    order = [*ranks, *(method for method in overview.middles if method not in ranks)]
    rows = []
    for method in order:
        middle = overview.middles.get(method)
        ends = f" [{middle.low:.3f}, {middle.high:.3f}]" if middle and middle.low is not None else ""
        rank = f"{ranks[method]:.2f}" if method in ranks else formats.NOTHING
        rows.append([method, rank, formats.fraction(middle.mean if middle else None) + ends])
    return pd.DataFrame(rows, columns=["method", "average rank", "interquartile mean [95 %]"])


def _across(section: Section) -> pd.DataFrame:
    """Methods by students at the largest budget that all of them have, as texts."""
    shared = set.intersection(*(set(board.budgets) for board in section.boards))
    budget = max(shared, default=None)
    columns = {
        board.student.name: {
            s.cell.method: formats.percent(s.cell.top1.mean)
            for s in board.standings
            if s.cell.budget == budget and s.cell.top1
        }
        for board in section.boards
    }
    names = {row.method: formats.method(row) for board in section.boards for row in board.rows}
    rows = [
        [name, *(column.get(method, formats.NOTHING) for column in columns.values())] for method, name in names.items()
    ]
    return pd.DataFrame(rows, columns=[f"top-1 at {budget}", *columns])


def _published(table: Table) -> pd.DataFrame:
    """Published numbers of one data set and student, as texts."""
    columns = ["all clips" if ipc is None else f"IPC {ipc}" for ipc in table.columns]
    rows = [[title, *(_value(number) for number in numbers)] for title, numbers in table.rows]
    return pd.DataFrame(rows, columns=[f"{table.dataset}, {table.student}", *columns])


def _value(number: Published | None) -> str:
    if number is None:
        return formats.NOTHING
    spread = "" if number.spread is None else f" ± {formats.percent(number.spread)}"
    return "≈ " * number.approximate + formats.percent(number.value) + spread


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
    "‡": r"$^\ddag$",
    "§": r"$^\S$",
    "Δ": r"$\Delta$",
    "·": r"$\cdot$",
    "…": r"\dots{}",
}


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)
