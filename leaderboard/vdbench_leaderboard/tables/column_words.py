"""A column of a main table in words: what may be said of its methods, as one sentence by rule.

A method beats ``random``, or loses to it, where the test says so that verdicts use, corrected for all methods that are
compared with ``random``. By how much is told by an interval that holds for all of these together, Šidák's, cut at zero
where the step-down test has found a side already. Methods are told from the first as ranks are. How many seeds it
would take is said where the power of the test is known, which is that over seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vdbench_leaderboard.statistics.estimates import FEW_SEEDS
from vdbench_leaderboard.statistics.power import level, more_seeds
from vdbench_leaderboard.tables import formats
from vdbench_leaderboard.tables.verdict_words import MOST_NAMES, named, needed

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.columns import Column
    from vdbench_leaderboard.statistics.comparisons import Comparison


def sentence(column: Column, base: str | None, complete: Column | None = None) -> str:
    """What may be said; empty where there is no method to speak of.

    Args:
        column: the methods of one place, and their tests.
        base: the label of ``random``; None where it is not among them.
        complete: those of them that have a rank; all where it is None.
    """
    methods = [method for method in column.means if method != base]
    if not methods:
        return ""
    if base is None:
        return "Random clips were not judged here, so nothing is said of the methods."
    found = column.against(base)
    over = [one.difference for one in found.values() if one.difference and one.difference.over == "seeds"]
    seeds = max((difference.repeats for difference in over), default=1)
    if seeds < FEW_SEEDS:
        few = "a single seed" if seeds == 1 else f"{seeds} seeds"
        return f"With {few} nothing can be told apart; it takes at least {FEW_SEEDS}."
    order = sorted(methods, key=lambda method: (-column.means[method].mean, method))
    better = [method for method in order if found[method].direction == "up"]
    worse = [method for method in reversed(order) if found[method].direction == "down"]
    neither = [method for method in order if not found[method].direction]
    parts = [
        _apart(column, base, found, better, "beats", "beat it, too"),
        _apart(column, base, found, worse, "is worse than", "are worse, too"),
        _untold(neither, base, alone=len(neither) == len(methods)),
        _order(complete or column, base, better) if better else _lead(found, base, order[0]),
    ]
    said = "; ".join(part for part in parts if part)
    return f"{said[0].upper()}{said[1:]}." if said.startswith("no method") else f"{said}."


def _apart(
    column: Column, base: str, found: Mapping[str, Comparison], methods: Sequence[str], verb: str, rest: str
) -> str:
    """``mtt beats random by 4.0 to 11.0 points, herding by up to 6.3 points``."""
    error = level(max(1, sum(one.p is not None for one in found.values())))
    told = [f"{method} {_range(column.ends(method, base, error))}".strip() for method in methods[:MOST_NAMES]]
    if not told:
        return ""
    told[0] = told[0].replace(methods[0], f"{methods[0]} {verb} {base}", 1)
    left = len(methods) - MOST_NAMES
    return ", ".join([*told, *[f"and {left} more {rest}"] * (left > 0)])


def _range(ends: tuple[float, float] | None) -> str:
    """By how many points, without a sign: the test has found the side."""
    if ends is None:
        return ""
    near, far = sorted(map(abs, ends))
    first, last = formats.percent(0.0 if ends[0] * ends[1] < 0 else near), formats.percent(far)
    if first == last:
        return f"by {first} points" if float(first) > 0 else ""
    return f"by {first} to {last} points" if float(first) > 0 else f"by up to {last} points"


def _untold(methods: Sequence[str], base: str, *, alone: bool) -> str:
    who = "no method" if alone else named(methods, "and")
    return f"{who} can{'' if alone else 'not'} be told from {base}" if methods else ""


def _order(column: Column, base: str, better: Sequence[str]) -> str:
    """Whether the first is told from the others, where it beats ``random``."""
    rank = column.ranks()
    first = [method for method in rank if rank[method] == 1]
    leader, *rest = first  # ranks come in the order of means
    if leader not in better:
        return ""
    if not rest:
        return f"{leader} is better than every other method" if len(rank) > 2 else ""  # noqa: PLR2004  with random
    close = [method for method in rest if method != base]
    if not close:
        return ""
    lead = column.against(leader)
    missing = [more_seeds(lead[method].difference, len(lead)) for method in close]
    known = [count for count in missing if count is not None]
    whom = "all of them" if len(close) > 1 else "the two"
    tell = f"; {needed(max(known))} would tell {whom} apart" if len(known) == len(close) else ""
    return f"{named(close, 'and')} cannot be told from {leader}{tell}"


def _lead(found: Mapping[str, Comparison], base: str, leader: str) -> str:
    """What it takes to show that the lead over ``random`` is no chance."""
    lead = found[leader].difference
    if lead is None or lead.mean <= 0:
        return ""
    missing = more_seeds(lead, sum(one.p is not None for one in found.values()))
    return "" if missing is None else f"{needed(missing)} would tell {leader} from {base}"
