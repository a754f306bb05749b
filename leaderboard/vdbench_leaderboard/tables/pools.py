"""Selectors times pools: what each selector gains by choosing from generated clips instead of real ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from vdbench_leaderboard.statistics.comparisons import SIGNIFICANCE, corrected, paired_p
from vdbench_leaderboard.statistics.estimates import FEW_SEEDS, Estimate, average, difference, estimate
from vdbench_leaderboard.tables.row_labels import differing, part_of, titled, variant

if TYPE_CHECKING:
    from vdbench_leaderboard.tables.boards import Board, Row, Standing
    from vdbench_leaderboard.tables.cells import Cell
    from vdbench_leaderboard.tables.keys import Budget

REAL, GENERATED = "real", "generated"


@dataclass(frozen=True)
class Gap:
    """The difference ``generated - real`` at equal IPC, paired by seed.

    Attributes:
        value: in points of top-1; None where nothing can be paired.
        seeds: that both pools have.
        equal_bytes: whether both distilled sets store the same amount.
        significant: whether a test paired by at least three seeds, corrected for all of the table, finds a difference.
    """

    value: Estimate | None
    seeds: int
    equal_bytes: bool
    significant: bool = False

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
        """Of the test paired by seed, not corrected; None where nothing can be tested."""
        if self.real is None or self.generated is None:
            return None
        return paired_p(self.generated.cell.runs, self.real.cell.runs)

    @property
    def complete(self) -> tuple[Cell, Cell] | None:
        """The cells, real and generated, where every expected seed finished on both pools; None otherwise."""
        if self.gap and self.real and self.generated and self.real.complete and self.generated.complete:
            return self.real.cell, self.generated.cell
        return None


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
        complete = [cells for pair in pairs if (cells := pair.complete)]
        if not complete:
            return cls(0, len(pairs))
        equal = all(one.stored_bytes == other.stored_bytes for one, other in complete)
        real, generated = (average([cells[side].runs for cells in complete]) for side in (0, 1))
        stored, sampled = (sum(cells[side].stored_bytes or 0 for cells in complete) / len(complete) for side in (0, 1))
        gap = Gap(difference(generated, real), len(generated.keys() & real.keys()), equal)
        return cls(len(complete), len(pairs), estimate(real), estimate(generated), stored, sampled, gap)


@dataclass(frozen=True)
class Factorial:
    """A board's selectors on both pools: a table.

    Attributes:
        budgets: at which some selector was run on both pools.
        selectors: the rows, in the board's order of their real ones.
        means: the closing rows, one per generator, by their label: a mean per IPC.
        one_sided: labels of the rows that lack the other pool, and so are not in the table.
    """

    budgets: tuple[Budget, ...]
    selectors: tuple[Selector, ...]
    means: Mapping[str, tuple[Mean, ...]]
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
    pairs = [
        (real, generated)
        for real in sides
        for generated in sides
        if (real.pool, generated.pool) == (REAL, GENERATED) and real.selector == generated.selector
    ]
    shared = [{place for place in range(len(board.budgets)) if all(s.row.standings[place] for s in p)} for p in pairs]
    places = sorted(set().union(*shared))
    shown = [pair for pair, own in zip(pairs, shared, strict=True) if own]
    if not shown:
        return None
    selectors = _tested([_selector(real, generated, places) for real, generated in shown])
    used = {side.row.method for pair in shown for side in pair}
    return Factorial(
        tuple(board.budgets[place] for place in places),
        selectors,
        _means(selectors),
        tuple(side.row.method for side in sides if side.row.method not in used),
    )


class _Side(NamedTuple):
    """A row that chose from one of the pools.

    Attributes:
        row: of the board.
        pool: that it chose from.
        selector: the method and everything that it was set to, but for the pool.
        own: those settings that the method's rows, on either pool, do not share.
        generator: settings of the generator that the board's generated rows do not share.
    """

    row: Row
    pool: str
    selector: tuple[str, dict[str, str]]
    own: dict[str, str]
    generator: dict[str, str]


def _sides(rows: Sequence[Row]) -> list[_Side]:
    """The rows that chose from a pool, in order."""
    results = {row.method: row.shown[0].cell.any_result for row in rows if row.shown[0].cell.pool in (REAL, GENERATED)}
    settings = {
        label: {name: value for name, value in part_of(variant(result), of_generator=False).items() if name != "pool"}
        for label, result in results.items()
    }
    own: dict[str, dict[str, str]] = {}
    for method in {result.method for result in results.values()}:
        own |= _differing({label: settings[label] for label in results if results[label].method == method})
    generators = _differing(
        {label: part_of(variant(r), of_generator=True) for label, r in results.items() if r.pool == GENERATED}
    )
    return [
        _Side(row, str(result.pool), (result.method, settings[label]), own[label], generators.get(label, {}))
        for row in rows
        if (result := results.get(label := row.method))
    ]


def _differing(variants: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return dict(zip(variants, differing(list(variants.values())), strict=True))


def _selector(real: _Side, generated: _Side, places: Sequence[int]) -> Selector:
    pairs = tuple(Pair.of(real.row.standings[place], generated.row.standings[place]) for place in places)
    label = titled(real.selector[0], real.own | generated.generator)
    return Selector(label, titled("", generated.generator).strip(), generated.row.shown[0].cell, pairs)


def _tested(selectors: Sequence[Selector]) -> tuple[Selector, ...]:
    """The rows, with the gaps marked that are significant in a test of all of them."""
    p = {
        (row, place): found
        for row, selector in enumerate(selectors)
        for place, pair in enumerate(selector.pairs)
        if (found := pair.p) is not None
    }
    significant = {key for key, adjusted in corrected(p).items() if adjusted < SIGNIFICANCE}

    def marked(pair: Pair, *key: int) -> Pair:
        if pair.gap is None or pair.gap.few or key not in significant:
            return pair
        return replace(pair, gap=replace(pair.gap, significant=True))

    return tuple(
        replace(selector, pairs=tuple(marked(pair, row, place) for place, pair in enumerate(selector.pairs)))
        for row, selector in enumerate(selectors)
    )


def _means(selectors: Sequence[Selector]) -> dict[str, tuple[Mean, ...]]:
    rows: dict[str, list[Selector]] = defaultdict(list)
    for selector in selectors:
        rows[f"mean {selector.generator}".strip()].append(selector)
    return {
        label: tuple(map(Mean.of, zip(*(row.pairs for row in members), strict=True))) for label, members in rows.items()
    }
