"""What the page says of each method: where it comes from, how it was set, how it went, and what it made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from vdbench_leaderboard.tables import board_words
from vdbench_leaderboard.tables.row_labels import flat

if TYPE_CHECKING:
    from vdbench.experiment.result import Curve, Result, Source
    from vdbench_leaderboard.page.previews import Preview, Previews
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.cells import Cell

MOST_CURVES = 4
WIDTH, HEIGHT = 220, 64
"""Of the drawing of a curve, in its own units."""


@dataclass(frozen=True)
class CurveDrawing:
    """A curve of one trial.

    Attributes:
        name: what was reported.
        points: as SVG's ``polyline`` takes them, within ``WIDTH`` by ``HEIGHT``.
        steps: the first and the last step.
        first: its value at the first step.
        last: at the last one.
    """

    name: str
    points: str
    steps: tuple[int, int]
    first: float
    last: float


class Shown(NamedTuple):
    """A preview on the page.

    Attributes:
        distilled: name of the distilled set.
        caption: what was distilled.
        preview: what can be looked at.
    """

    distilled: str
    caption: str
    preview: Preview


@dataclass(frozen=True)
class Glimpse:
    """What a method did on one data set.

    Attributes:
        curves: of one of its trials there, that of a preview where it logged some.
        curves_of: which trial that was.
        previews: one per pool.
    """

    curves: tuple[CurveDrawing, ...]
    curves_of: str
    previews: tuple[Shown, ...]


@dataclass(frozen=True)
class MethodSummary:
    """One method.

    Attributes:
        name: what users type.
        source: title, paper and BibTeX entry; None where every trial failed.
        reconstruction: whether it is rebuilt from a description.
        pools: where its clips come from.
        saw: what encoders and generators behind its clips have seen, in sentences.
        common: settings that were the same everywhere.
        variants: the others, and the groups and budgets at which they were used.
        glimpses: one per data set with previews; where there is none, of the first data set with curves.
    """

    name: str
    source: Source | None
    reconstruction: bool
    pools: tuple[str, ...]
    saw: tuple[str, ...]
    common: dict[str, str]
    variants: tuple[tuple[dict[str, str], list[str]], ...]
    glimpses: tuple[Glimpse, ...]


def summaries(boards: Sequence[Board], previews: Previews) -> list[MethodSummary]:
    """One per method, by name."""
    cells: dict[str, list[tuple[str, Cell]]] = defaultdict(list)
    for board in boards:
        for cell in board.cells:
            cells[cell.any_result.method].append((board.heading, cell))
    return [_summary(name, cells[name], previews) for name in sorted(cells)]


def _summary(name: str, cells: Sequence[tuple[str, Cell]], previews: Previews) -> MethodSummary:
    results = list({result.id: result for _, cell in cells for result, _ in cell.done}.values())
    common, variants = _settings([(heading, cell) for heading, cell in cells if cell.done])
    return MethodSummary(
        name=name,
        source=next((result.source for result in results if result.source), None),
        reconstruction=any(cell.reconstruction for _, cell in cells),
        pools=tuple(sorted({cell.taken_from for _, cell in cells})),
        saw=tuple(sorted({saw for _, cell in cells if (saw := board_words.seen(cell))})),
        common=common,
        variants=variants,
        glimpses=_glimpses(results, previews),
    )


def _settings(
    cells: Sequence[tuple[str, Cell]],
) -> tuple[dict[str, str], tuple[tuple[dict[str, str], list[str]], ...]]:
    """Settings that all cells share, and the rest by where it holds."""
    found: dict[tuple[tuple[str, str], ...], dict[str, None]] = defaultdict(dict)
    for heading, cell in cells:
        own = tuple(sorted(flat(cell.any_result.settings).items()))
        found[own][f"{heading}, {cell.budget}" if cell.budget else heading] = None
    shared = set.intersection(*map(set, found)) if found else set()
    variants = tuple((dict(set(own) - shared), list(places)) for own, places in found.items() if set(own) > shared)
    return dict(sorted(shared)), tuple((dict(sorted(own.items())), places) for own, places in variants)


def _glimpses(results: Sequence[Result], previews: Previews) -> tuple[Glimpse, ...]:
    places: dict[str, list[Result]] = defaultdict(list)
    for result in sorted(results, key=lambda r: (r.dataset.name, r.label, r.ipc or 0, r.seed, r.suite, r.id)):
        places[result.dataset.title].append(result)
    every = [_glimpse(members, previews) for members in places.values()]
    return tuple(glimpse for glimpse in every if glimpse.previews) or tuple(g for g in every if g.curves)[:1]


def _glimpse(results: Sequence[Result], previews: Previews) -> Glimpse:
    """Of one data set: the previews of the smallest sets, by label, and curves."""
    places: dict[str, dict[str, Result]] = defaultdict(dict)
    for result in results:
        if result.distilled and result.ipc is not None:
            places[result.label].setdefault(result.distilled, result)
    first = ((named, previews.first(named)) for named in places.values())
    shown = tuple(Shown(found[0], _title(named[found[0]]), found[1]) for named, found in first if found)
    seen = {one.distilled for one in shown}
    logged = min((r for r in results if r.curves), key=lambda r: r.distilled not in seen, default=None)
    curves = sorted(logged.curves.items())[:MOST_CURVES] if logged else []
    drawn = tuple(_drawn(name, curve) for name, curve in curves if curve)
    return Glimpse(drawn, _title(logged) if logged else "", shown)


def _title(result: Result) -> str:
    return f"{result.label} on {result.dataset.title}, IPC {result.ipc or 'all'}, seed {result.seed}"


def _drawn(name: str, curve: Curve) -> CurveDrawing:
    steps, values = [step for step, _ in curve], [value for _, value in curve]
    across = WIDTH / max(1, steps[-1] - steps[0])
    up = HEIGHT / ((max(values) - min(values)) or 1.0)
    points = [f"{(step - steps[0]) * across:.1f},{(max(values) - value) * up:.1f}" for step, value in curve]
    return CurveDrawing(name, " ".join(points), (steps[0], steps[-1]), values[0], values[-1])
