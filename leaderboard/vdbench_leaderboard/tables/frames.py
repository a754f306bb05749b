"""Tables as data frames of texts, the same in every document; sentences are in the modules named ``_words``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from vdbench_leaderboard.statistics.estimates import FEW_SEEDS
from vdbench_leaderboard.statistics.two_way import OTHERS, THESE
from vdbench_leaderboard.tables import board_words, formats, pool_words
from vdbench_leaderboard.tables.settings import REGIMES

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.estimates import Estimate
    from vdbench_leaderboard.statistics.two_way import Question
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.compute import Course, Courses, Point
    from vdbench_leaderboard.tables.overview import Overview
    from vdbench_leaderboard.tables.pools import Factorial, Gap, Mean, Pair
    from vdbench_leaderboard.tables.settings import Line, Regime, Regimes, Settings
    from vdbench_leaderboard.tables.splits import SplitMeans

LABELS = {"own": "labels as the method means them", "teacher": "labels of a teacher at every step"}
"""Of students that were tested on their way."""


def summary(board: Board) -> pd.DataFrame:
    """The main table as texts: a row per method, a column per IPC."""
    return pd.DataFrame(
        [
            [board_words.method(row), *(board_words.result(standing) for standing in row.standings)]
            for row in board.rows
        ],
        columns=_columns(board),
    )


def bounds(board: Board) -> pd.DataFrame:
    """What closes the main table, as texts in its columns: methods without a budget, and chance."""
    width = max(1, len(board.budgets))
    rows = [
        [f"{board_words.method(row)} ({board.role(row)})", *map(board_words.result, row.standings)]
        for row in board.bounds
    ]
    return pd.DataFrame([*rows, ["chance", *[formats.percent(board.chance)] * width]], columns=_columns(board))


def leaders(overview: Overview, question: Question | None = None) -> pd.DataFrame:
    """Methods of a suite by their average rank and interquartile mean with their intervals, as texts.

    Args:
        overview: of the suite.
        question: of which other seeds and clips intervals speak; that of other clips where it can be answered.
    """
    asked = question or (OTHERS if overview.others else THESE)
    ranks = overview.ranks.ranks if overview.ranks else {}
    middles = {**overview.middles, **(overview.middles_on_other_clips if asked == OTHERS else {})}
    order = [*ranks, *(method for method in middles if method not in ranks)]
    known = [overview.rank_ends(method, asked) for method in order]
    rows = []
    for method, ends in zip(order, known, strict=True):
        middle = middles.get(method)
        rank = f"{ranks[method]:.2f}" if method in ranks else formats.NOTHING
        rank += f" [{ends.low:.1f}, {ends.high:.1f}]" if ends and method in ranks else ""
        within = f" [{middle.low:.3f}, {middle.high:.3f}]" if middle and middle.low is not None else ""
        rows.append([method, rank, formats.fraction(middle.mean if middle else None) + within])
    title = "average rank [95 %]" if any(known) else "average rank"
    return pd.DataFrame(rows, columns=["method", title, "interquartile mean [95 %]"])


def splits(means: SplitMeans) -> pd.DataFrame:
    """Means over splits as texts: a row per method, a column per budget."""
    rows = [[method, *map(formats.estimate, estimates)] for method, estimates in means.rows.items()]
    return pd.DataFrame(rows, columns=["method", *("all clips" if b is None else str(b) for b in means.budgets)])


def across(boards: Sequence[Board]) -> pd.DataFrame:
    """Methods by students at the largest budget that all boards of a group have, as texts."""
    shared = set.intersection(*(set(board.budgets) for board in boards))
    budget = max(shared, default=None)
    columns = {
        board.student.name: {
            s.cell.method: formats.percent(s.cell.top1.mean)
            for s in board.standings
            if s.cell.budget == budget and s.cell.top1
        }
        for board in boards
    }
    names = {row.method: board_words.method(row) for board in boards for row in board.rows}
    rows = [
        [name, *(column.get(method, formats.NOTHING) for column in columns.values())] for method, name in names.items()
    ]
    return pd.DataFrame(rows, columns=[f"top-1 at {budget}", *columns])


def settings(found: Settings) -> pd.DataFrame:
    """Every method over the configurations, and its gain in each, as texts."""
    rows = [
        [
            line.cell.method,
            str(line.cell.budget),
            f"{line.won} of {line.tried}",
            _with_interval(line.mean),
            *(_gain_in(line, name) for name in found.names),
        ]
        for line in found.lines
    ]
    return pd.DataFrame(rows, columns=["method", "budget", "above random in", "mean gain [95 %]", *found.names])


def courses(found: Courses) -> pd.DataFrame:
    """Every method on the way: its top-1 and its gain over random clips after each share of the steps, as texts.

    The last column is what papers report that choose the checkpoint on test clips.
    """
    best = [formats.percent(line.chosen.mean if line.chosen else None) for line in found.lines]
    rows = [
        [line.cell.method, *map(_point, line.points), told(line), chosen]
        for line, chosen in zip(found.lines, best, strict=True)
    ]
    titles = [f"after {100 * share:g} %" for share in found.shares]
    return pd.DataFrame(rows, columns=["method", *titles, "told from random", "chosen on test"])


def told(line: Course) -> str:
    """Up to where a method is told from random clips: ``up to 640 clips shown``, ``to the end``."""
    last = line.last_told
    if not line.tested:
        return formats.NOTHING
    if last is None:
        return "at no point"
    return "to the end" if last == line.points[-1] else f"up to {formats.whole(last.clips)} clips shown"


def _point(point: Point) -> str:
    gain = f" ({formats.points(point.gain.mean)})" if point.gain else ""
    return formats.percent(point.top1.mean) + gain


def _gain_in(line: Line, name: str) -> str:
    gain = line.gains.get(name)
    return "diverged" if name in line.diverged else formats.points(gain.mean if gain else None)


def regimes(found: Regimes) -> pd.DataFrame:
    """Every method with each kind of labels: its top-1, and its gain over random clips with such labels, as texts."""
    rows = [
        [cell.method, str(cell.budget), *(text for kind in REGIMES for text in _regime(known.get(kind)))]
        for cell, known in found.lines
    ]
    titles = ("hard labels", "fixed soft labels", "teacher at every step")
    columns = [name for place, title in enumerate(titles) for name in (title, f"gain [95 %]{' ' * place}")]
    return pd.DataFrame(rows, columns=["method", "budget", *columns])


def _regime(regime: Regime | None) -> list[str]:
    return [formats.estimate(regime.top1), _with_interval(regime.gain)] if regime else [formats.NOTHING] * 2


def _with_interval(value: Estimate | None) -> str:
    if value is None or value.low is None or value.high is None:
        return formats.points(value.mean if value else None)
    few = board_words.FEW_MARK * (value.repeats < FEW_SEEDS)
    return f"{formats.points(value.mean)}{few} [{formats.points(value.low)}, {formats.points(value.high)}]"


def pools(factorial: Factorial) -> pd.DataFrame:
    """The selectors on both pools: a row per selector, three columns per IPC, and the means at the end.

    Texts may have a second line, for what goes below the number in small.
    """
    parts = [pools_at(factorial, place) for place in range(len(factorial.budgets))]
    named = [
        part[["real", "generated", "Δ"]].add_prefix(f"{budget} ")
        for budget, part in zip(factorial.budgets, parts, strict=True)
    ]
    return pd.concat([parts[0][["selector"]], *named], axis=1)


def pools_at(factorial: Factorial, place: int) -> pd.DataFrame:
    """The same at one of the IPCs, for paper and terminals, which are narrow."""
    rows = [
        [f"{row.label}{' [reconstruction]' * row.cell.reconstruction}", *_pair(row.pairs[place])]
        for row in factorial.selectors
    ]
    rows += [[label, *_mean(means[place])] for label, means in factorial.means.items()]
    return pd.DataFrame(rows, columns=["selector", "real", "generated", "Δ"])


def _pair(pair: Pair) -> list[str]:
    sides = ((side, side.cell.stored_bytes if side else None) for side in (pair.real, pair.generated))
    texts = [_lines(board_words.result(side, ranked=False), formats.size(stored)) for side, stored in sides]
    return [*texts, _gap(pair.gap, pool_words.gap_remarks(pair.gap))]


def _mean(mean: Mean) -> list[str]:
    sides = ((mean.real, mean.real_bytes), (mean.generated, mean.generated_bytes))
    texts = [_lines(formats.estimate(top1), formats.size(stored)) for top1, stored in sides]
    return [*texts, _gap(mean.gap, pool_words.mean_remarks(mean))]


def _gap(gap: Gap | None, remarks: list[str]) -> str:
    return _lines(pool_words.gap(gap), formats.interval(gap.value if gap else None), *remarks)


def _lines(text: str, *notes: str) -> str:
    return "\n".join([text, ", ".join(note for note in notes if note != formats.NOTHING)]).strip()


def _columns(board: Board) -> list[str]:
    return ["method", *map(str, board.budgets)] if board.budgets else ["method", "top-1"]
