"""Heat maps: accuracy across students, and ranks across blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from vdbench_leaderboard.figures import style
from vdbench_leaderboard.figures.style import HEAT, INK, MUTED, PAPER, TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from vdbench_leaderboard.tables.blocks import Block
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.overview import Overview

ROW, COLUMN = 0.235, 0.5
"""Inches of a cell."""
WRITTEN: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontsize": TEXT - 0.5, "color": INK}


def across_students(boards: Sequence[Board]) -> str | None:
    """Draw the boards of one group, one per student: methods by students, a map per budget.

    Returns:
        The SVG document; None with fewer than two students or two methods.
    """
    budgets = sorted({budget for board in boards for budget in board.budgets})
    tables = {str(budget): _accuracies(boards, budget) for budget in budgets}
    tables = {name: table for name, table in tables.items() if table.notna().any(axis=None)}
    if len(boards) < 2 or not tables or len(next(iter(tables.values()))) < 2:
        return None
    rows = list(next(iter(tables.values())).index)
    with style.styled():
        left, head, gap = 0.1 + style.width_of(rows) - 0.3, 0.95, 0.2
        each = len(boards) * COLUMN
        width = left + len(tables) * (each + gap) + 0.35
        figure = Figure(facecolor=PAPER, figsize=(width, head + ROW * len(rows) + 0.1))
        for place, (name, table) in enumerate(tables.items()):
            axes = figure.add_axes((0, 0, 1, 1), facecolor="none")
            style.place(axes, left + place * (each + gap), 0.1, width - left - place * (each + gap) - each, head)
            _map(axes, table, [f"{value:.1f}" for value in table.to_numpy().ravel()], labels=place == 0)
            axes.set_title(name, fontsize=TEXT, color=INK, loc="left", pad=46, fontweight="bold")
        return style.svg(figure)


def places(overview: Overview) -> str | None:
    """Draw the places of a suite's methods in each block by their mean top-1, those that lead on the whole first.

    Bold is a place that does not differ significantly from the first one: rank 1 of the tables.

    Returns:
        The SVG document; None with fewer than two blocks or two methods.
    """
    table, first = _places(overview)
    if table.shape[0] < 2 or table.shape[1] < 2:
        return None
    texts = ["" if np.isnan(value) else f"{value:.1f}".removesuffix(".0") for value in table.to_numpy().ravel()]
    with style.styled():
        left, head = 0.1 + style.width_of(list(table.index)) - 0.3, _room(list(table.columns))
        width = left + table.shape[1] * COLUMN + head * 0.8
        figure = Figure(facecolor=PAPER, figsize=(width, head + ROW * len(table) + 0.1))
        axes = figure.add_axes((0, 0, 1, 1), facecolor="none")
        style.place(axes, left, 0.1, head * 0.8, head)
        _map(axes, -table, texts, labels=True, bold=first)
        return style.svg(figure)


def _accuracies(boards: Sequence[Board], budget: Any) -> pd.DataFrame:
    """Mean top-1 of methods by students at a budget, in the order of the first student's board."""
    order = list(dict.fromkeys(row.method for board in boards for row in board.rows))
    columns: dict[str, dict[str, float]] = {}
    for board in boards:
        cells = {s.cell.method: s.cell.top1 for s in board.standings if s.cell.budget == budget}
        name = board.student.name
        name = name if name not in columns else f"{name} {board.student.width}"
        columns[name] = {method: top1.mean for method in order if (top1 := cells.get(method))}
    return pd.DataFrame(columns, index=order, dtype=float)


def _places(overview: Overview) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Places of methods by blocks, and whether they do not differ significantly from the first there."""
    columns = {_title(block, overview): block for block in overview.blocks}
    table = pd.DataFrame({title: block.places for title, block in columns.items()}, index=overview.methods, dtype=float)
    return table, np.array([[method in block.leaders for block in columns.values()] for method in overview.methods])


def _title(block: Block, overview: Overview) -> str:
    """What sets a block apart from the others."""
    data = block.data.removeprefix(f"suite {overview.suite} · ").removesuffix(f" · {overview.evaluated_on}")
    several = len({other.data for other in overview.blocks}) > 1
    return " · ".join([data] * several + [str(block.budget)])


def _map(
    axes: Axes, table: pd.DataFrame, texts: Sequence[str], *, labels: bool, bold: NDArray[np.bool_] | None = None
) -> None:
    """Shade a table by its values, lowest to highest, and write texts on it."""
    sns.heatmap(
        table,
        ax=axes,
        cmap=ListedColormap(list(HEAT)),
        cbar=False,
        clip_on=False,
        linewidths=1.5,
        linecolor=PAPER,
        xticklabels=True,
        yticklabels=[style.shortened(name) for name in table.index] if labels else False,
    )
    for place, text in enumerate(texts):
        if text not in ("", "nan"):
            row, column = divmod(place, table.shape[1])
            weight = "bold" if bold is not None and bold[row, column] else "normal"
            axes.text(column + 0.5, row + 0.5, text, weight=weight, **WRITTEN)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=TEXT, pad=3)
    for label in axes.get_xticklabels():
        label.set(rotation=40, ha="left", va="bottom", rotation_mode="anchor", color=MUTED)
    for label in axes.get_yticklabels():
        label.set(rotation=0, color=INK)


def _room(names: Sequence[str]) -> float:
    """Inches above a map for names at an angle."""
    return 0.35 + 0.05 * max(map(len, names))
