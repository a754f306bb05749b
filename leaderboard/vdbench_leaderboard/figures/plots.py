"""Every plot of a leaderboard, by the name of its file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from vdbench_leaderboard.figures import heat, over_compute, over_ipc, rankings, style, trade_off
from vdbench_leaderboard.tables.compute import courses

if TYPE_CHECKING:
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.overview import Overview

MOST_BOARDS = 16
"""Boards that get plots of their own, those of each group's first student before the others: a plot takes a fifth of a
second and 20 KB of the page."""


def draw(boards: Sequence[Board], overviews: Sequence[Overview]) -> dict[str, str]:
    """Draw all that say something.

    Returns:
        SVG documents by name: ``<suite>-critical-difference`` where it tells methods apart, ``-interquartile-means``,
        the same on other clips, and ``-places``; ``<board>-ipc``, ``-bytes``, ``-seconds`` and
        ``-compute-<labels>-<budget>``; ``<first board of a group>-students``.
    """
    looks = style.looks(cell for board in boards for cell in board.cells)
    drawn: dict[str, str | None] = {}
    for overview in overviews:
        if overview.ranks and overview.ranks.tells_apart:
            drawn[f"{overview.slug}-critical-difference"] = rankings.critical_difference(overview.ranks)
        drawn[f"{overview.slug}-interquartile-means"] = rankings.interquartile_means(overview.middles, looks)
        drawn[f"{overview.slug}-interquartile-means-other-clips"] = rankings.interquartile_means(
            overview.middles_on_other_clips, looks
        )
        drawn[f"{overview.slug}-places"] = heat.places(overview)
    for board in plotted(boards):
        drawn[f"{board.slug}-ipc"] = over_ipc.accuracy_over_ipc(board, looks)
        drawn[f"{board.slug}-bytes"] = trade_off.accuracy_over_cost(board, looks, "bytes")
        drawn[f"{board.slug}-seconds"] = trade_off.accuracy_over_cost(board, looks, "seconds")
        for column in courses(board):
            drawn[f"{board.slug}-{column.name}"] = over_compute.accuracy_over_compute(column, board.chance, looks)
    for members in _groups(boards):
        drawn[f"{members[0].slug}-students"] = heat.across_students(members)
    return {name: svg for name, svg in drawn.items() if svg is not None}


def plotted(boards: Sequence[Board]) -> list[Board]:
    """The boards that get plots of their own."""
    groups = _groups(boards)
    firsts = [members[0] for members in groups]
    return [*firsts, *(board for members in groups for board in members[1:])][:MOST_BOARDS]


def _groups(boards: Sequence[Board]) -> list[list[Board]]:
    return [list(members) for _, members in groupby(boards, key=lambda board: board.group)]
