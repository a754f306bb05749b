"""What the page says of each method: where it comes from, how it was set, how it went, and what it made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdbench_leaderboard import formats
from vdbench_leaderboard.labels import flat

if TYPE_CHECKING:
    from vdbench.experiment.result import Curve, Result, Source
    from vdbench_leaderboard.cells import Cell
    from vdbench_leaderboard.previews import Preview, Previews
    from vdbench_leaderboard.standings import Board

MOST_CURVES = 4
WIDTH, HEIGHT = 220, 64
"""Of the drawing of a curve, in its own units."""


@dataclass(frozen=True)
class Drawn:
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


@dataclass(frozen=True)
class Shown:
    """A preview, and of what.

    Attributes:
        caption: method, data set and budget.
        preview: the file.
    """

    caption: str
    preview: Preview


@dataclass(frozen=True)
class Used:
    """Settings, and where they were used.

    Attributes:
        settings: names and values.
        places: groups and budgets, in order.
    """

    settings: Mapping[str, str]
    places: tuple[str, ...]


@dataclass(frozen=True)
class Portrait:
    """One method.

    Attributes:
        name: what users type.
        source: title, paper and BibTeX entry; None where every trial failed.
        reconstruction: whether it is rebuilt from a description.
        pools: where its clips come from.
        saw: what encoders and generators behind its clips have seen, in sentences.
        common: settings that were the same everywhere.
        used: the others, with where they were used.
        curves: of one of its trials.
        told: which trial that was.
        shown: previews, one per pool and data set.
    """

    name: str
    source: Source | None
    reconstruction: bool
    pools: tuple[str, ...]
    saw: tuple[str, ...]
    common: Mapping[str, str]
    used: tuple[Used, ...]
    curves: tuple[Drawn, ...]
    told: str
    shown: tuple[Shown, ...]


def portraits(boards: Sequence[Board], previews: Previews) -> list[Portrait]:
    """One per method, by name.

    Args:
        boards: of the leaderboard.
        previews: what can be looked at.
    """
    cells: dict[str, list[tuple[str, Cell]]] = defaultdict(list)
    for board in boards:
        for cell in board.cells:
            cells[cell.any_result.method].append((board.heading, cell))
    return [_portrait(name, cells[name], previews) for name in sorted(cells)]


def _portrait(name: str, cells: Sequence[tuple[str, Cell]], previews: Previews) -> Portrait:
    done = {result.id: (heading, result) for heading, cell in cells for result, _ in cell.done}
    results = [result for _, result in done.values()]
    common, used = _settings([(heading, cell) for heading, cell in cells if cell.done])
    told = next((result for result in _cheapest_first(results) if result.curves), None)
    return Portrait(
        name=name,
        source=next((result.source for result in results if result.source), None),
        reconstruction=any(cell.reconstruction for _, cell in cells),
        pools=tuple(sorted({cell.taken_from for _, cell in cells})),
        saw=tuple(sorted({saw for _, cell in cells if (saw := formats.seen(cell))})),
        common=common,
        used=used,
        curves=tuple(_drawn(*item) for item in sorted(told.curves.items())[:MOST_CURVES] if item[1]) if told else (),
        told=_title(told) if told else "",
        shown=_shown(results, previews),
    )


def _settings(cells: Sequence[tuple[str, Cell]]) -> tuple[dict[str, str], tuple[Used, ...]]:
    """Settings that all cells share, and the rest by where it holds."""
    found: dict[tuple[tuple[str, str], ...], dict[str, None]] = defaultdict(dict)
    for heading, cell in cells:
        own = tuple(sorted(flat(cell.any_result.settings).items()))
        found[own][f"{heading}, {cell.budget}" if cell.budget else heading] = None
    variants = [dict(settings) for settings in found]
    common = {k: v for k, v in (variants[0] if variants else {}).items() if all(w.get(k) == v for w in variants)}
    used = [
        Used({k: v for k, v in settings.items() if k not in common}, tuple(places))
        for settings, places in zip(variants, found.values(), strict=True)
    ]
    return common, tuple(one for one in used if one.settings)


def _shown(results: Sequence[Result], previews: Previews) -> tuple[Shown, ...]:
    places: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in _cheapest_first(results):
        if result.distilled and result.ipc is not None:
            places[result.label, result.dataset.name].append(result)
    shown = []
    for members in places.values():
        named = {str(result.distilled): result for result in reversed(members)}
        if found := previews.first(dict.fromkeys(str(result.distilled) for result in members)):
            shown.append(Shown(_title(named[found[0]]), found[1]))
    return tuple(shown)


def _cheapest_first(results: Sequence[Result]) -> list[Result]:
    return sorted(results, key=lambda r: (r.label, r.dataset.name, r.ipc or 0, r.seed, r.suite, r.id))


def _title(result: Result) -> str:
    return f"{result.label} on {result.dataset.title}, IPC {result.ipc or 'all'}, seed {result.seed}"


def _drawn(name: str, curve: Curve) -> Drawn:
    steps, values = [step for step, _ in curve], [value for _, value in curve]
    across = WIDTH / max(1, steps[-1] - steps[0])
    up = HEIGHT / ((max(values) - min(values)) or 1.0)
    points = [f"{(step - steps[0]) * across:.1f},{(max(values) - value) * up:.1f}" for step, value in curve]
    return Drawn(name, " ".join(points), (steps[0], steps[-1]), values[0], values[-1])
