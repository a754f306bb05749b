"""Selectors times pools: what each selector gains by choosing from generated clips instead of real ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vdbench_leaderboard.comparisons import SIGNIFICANCE, corrected, paired_p
from vdbench_leaderboard.labels import apart, part_of, titled, variant
from vdbench_leaderboard.statistics import FEW_SEEDS, Estimate, average, difference, estimate

if TYPE_CHECKING:
    from vdbench.experiment.result import Result
    from vdbench_leaderboard.budget import Budget
    from vdbench_leaderboard.cells import Cell
    from vdbench_leaderboard.standings import Board, Row, Standing

REAL, GENERATED = "real", "generated"


@dataclass(frozen=True)
class Gap:
    """The difference ``generated - real`` at equal IPC, paired by seed.

    Attributes:
        value: in points of top-1; None where nothing can be paired.
        seeds: that both pools have.
        equal_bytes: whether both distilled sets store the same amount.
        apart: whether a test paired by at least three seeds, corrected for all of the table, tells the two pools apart.
    """

    value: Estimate | None
    seeds: int
    equal_bytes: bool
    apart: bool = False

    @property
    def few(self) -> bool:
        """Whether it rests on fewer than three common seeds."""
        return self.seeds < FEW_SEEDS


@dataclass(frozen=True)
class Pair:
    """One selector at one IPC.

    Attributes:
        real: choosing from train clips; None where it was not run.
        generated: choosing from generated clips.
        gap: between the two; None unless both have a result.
    """

    real: Standing | None
    generated: Standing | None
    gap: Gap | None

    @classmethod
    def of(cls, real: Standing | None, generated: Standing | None) -> Pair:
        """Compare two standings of one IPC."""
        if real is None or generated is None or not (real.cell.runs and generated.cell.runs):
            return cls(real, generated, None)
        ours, theirs = generated.cell, real.cell
        gap = Gap(
            difference(ours.runs, theirs.runs), len(ours.seeds & theirs.seeds), ours.stored_bytes == theirs.stored_bytes
        )
        return cls(real, generated, gap)

    @property
    def p(self) -> float | None:
        """Of the test paired by seed, not corrected; None where there is no gap to test."""
        if self.gap is None or self.real is None or self.generated is None:
            return None
        return paired_p(self.generated.cell.runs, self.real.cell.runs)

    @property
    def both(self) -> tuple[Cell, Cell] | None:
        """The cells, real and generated, where every expected seed finished on both pools; None otherwise."""
        if self.gap is None or self.real is None or self.generated is None:
            return None
        return (self.real.cell, self.generated.cell) if self.real.complete and self.generated.complete else None


@dataclass(frozen=True)
class Selector:
    """One selector with one generator: a row.

    Attributes:
        label: its name, with what sets it apart from other rows.
        generator: what sets its generator apart from the board's others; empty where there is one only.
        cell: one of its cells, for its marks.
        pairs: one per IPC.
    """

    label: str
    generator: str
    cell: Cell
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Mean:
    """Selectors at one IPC, averaged seed by seed over those that are complete on both pools.

    Attributes:
        selectors: how many these are.
        candidates: how many there are.
        real: mean top-1 on real clips; None where no selector is complete.
        generated: the same on generated clips.
        real_bytes: mean bytes stored.
        generated_bytes: the same on generated clips.
        gap: between the two means.
    """

    selectors: int
    candidates: int
    real: Estimate | None = None
    generated: Estimate | None = None
    real_bytes: float | None = None
    generated_bytes: float | None = None
    gap: Gap | None = None

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> Mean:
        """Average the pairs of one IPC."""
        complete = [pair.both for pair in pairs if pair.both]
        if not complete:
            return cls(0, len(pairs))
        real, generated = (average([cells[side].runs for cells in complete]) for side in (0, 1))
        stored, sampled = (sum(cells[side].stored_bytes or 0 for cells in complete) / len(complete) for side in (0, 1))
        equal = all(pair.gap.equal_bytes for pair in pairs if pair.gap and pair.both)
        gap = Gap(difference(generated, real), len(generated.keys() & real.keys()), equal)
        return cls(len(complete), len(pairs), estimate(real), estimate(generated), stored, sampled, gap)


@dataclass(frozen=True)
class Means:
    """The closing row of one generator.

    Attributes:
        label: ``mean``, with what sets its generator apart from the board's others.
        means: one per IPC.
    """

    label: str
    means: tuple[Mean, ...]


@dataclass(frozen=True)
class Factorial:
    """A board's selectors on both pools: a table.

    Attributes:
        budgets: at which some selector was run on both pools.
        selectors: the rows, in the board's order of their real ones.
        means: the closing rows, one per generator.
        one_sided: labels of the rows that lack the other pool, and so are not in the table.
    """

    budgets: tuple[Budget, ...]
    selectors: tuple[Selector, ...]
    means: tuple[Means, ...]
    one_sided: tuple[str, ...]

    @property
    def unequal(self) -> list[str]:
        """Where the two pools store different amounts: ``herding at IPC 5``."""
        return [
            f"{selector.label} at {budget}"
            for selector in self.selectors
            for budget, pair in zip(self.budgets, selector.pairs, strict=True)
            if pair.gap and not pair.gap.equal_bytes
        ]


def factorial(board: Board) -> Factorial | None:
    """The table of a board; None where no budgeted method was run on both pools at one IPC."""
    sides = _sides(board.rows)
    matches = [
        (real, generated)
        for real in sides
        for generated in sides
        if (real.pool, generated.pool) == (REAL, GENERATED) and real.matches(generated)
    ]
    places = [
        place
        for place in range(len(board.budgets))
        if any(real.row.standings[place] and generated.row.standings[place] for real, generated in matches)
    ]
    if not places:
        return None
    shown = [match for match in matches if any(all(side.row.standings[place] for side in match) for place in places)]
    selectors = _tested([_selector(real, generated, places) for real, generated in shown])
    budgets = tuple(board.budgets[place] for place in places)
    used = {side.row.method for match in shown for side in match}
    one_sided = tuple(side.row.method for side in sides if side.row.method not in used)
    return Factorial(budgets, selectors, _means(selectors), one_sided)


@dataclass(frozen=True)
class _Side:
    """A row that chose from one of the pools.

    Attributes:
        row: of the board.
        pool: that it chose from.
        method: its name, without the pool.
        settings: everything that the method itself was set to.
        own: those of them that the method's rows, on either pool, do not share.
        generator: settings of the generator that the board's generated rows do not share.
    """

    row: Row
    pool: str
    method: str
    settings: dict[str, str]
    own: dict[str, str]
    generator: dict[str, str]

    def matches(self, other: _Side) -> bool:
        """Whether the two differ in nothing but the pool and its generator."""
        return (self.method, self.settings) == (other.method, other.settings)


def _sides(rows: Sequence[Row]) -> list[_Side]:
    """The rows that chose from a pool, in order."""
    results = {row.method: row.shown[0].cell.any_result for row in rows if row.shown[0].cell.pool in (REAL, GENERATED)}
    settings = {label: _settings(result, of_generator=False) for label, result in results.items()}
    own: dict[str, dict[str, str]] = {}
    for method in {result.method for result in results.values()}:
        own |= _apart({label: settings[label] for label, result in results.items() if result.method == method})
    generated = {label: result for label, result in results.items() if result.pool == GENERATED}
    generators = _apart({label: _settings(result, of_generator=True) for label, result in generated.items()})
    return [
        _Side(
            row,
            str(results[row.method].pool),
            results[row.method].method,
            settings[row.method],
            own[row.method],
            generators.get(row.method, {}),
        )
        for row in rows
        if row.method in results
    ]


def _settings(result: Result, of_generator: bool) -> dict[str, str]:
    """What a selector was set to, without its pool; or what the generator of its pool was set to."""
    return {name: value for name, value in part_of(variant(result), of_generator).items() if name != "pool"}


def _apart(variants: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return dict(zip(variants, apart(list(variants.values())), strict=True))


def _selector(real: _Side, generated: _Side, places: Sequence[int]) -> Selector:
    pairs = tuple(Pair.of(real.row.standings[place], generated.row.standings[place]) for place in places)
    label = titled(real.method, real.own | generated.generator)
    return Selector(label, titled("", generated.generator).strip(), generated.row.shown[0].cell, pairs)


def _tested(selectors: Sequence[Selector]) -> tuple[Selector, ...]:
    """The rows with what a test of all of their gaps tells apart."""
    p = {
        (row, place): found
        for row, selector in enumerate(selectors)
        for place, pair in enumerate(selector.pairs)
        if pair.gap and (found := pair.p) is not None
    }
    apart = {key for key, adjusted in corrected(p).items() if adjusted < SIGNIFICANCE}

    def told(pair: Pair, row: int, place: int) -> Pair:
        if pair.gap is None or pair.gap.few or (row, place) not in apart:
            return pair
        return replace(pair, gap=replace(pair.gap, apart=True))

    return tuple(
        replace(selector, pairs=tuple(told(pair, row, place) for place, pair in enumerate(selector.pairs)))
        for row, selector in enumerate(selectors)
    )


def _means(selectors: Sequence[Selector]) -> tuple[Means, ...]:
    rows: dict[str, list[Selector]] = defaultdict(list)
    for selector in selectors:
        rows[selector.generator].append(selector)
    return tuple(
        Means(f"mean {generator}".strip(), tuple(map(Mean.of, zip(*(row.pairs for row in members), strict=True))))
        for generator, members in rows.items()
    )
