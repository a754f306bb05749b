"""A cell under other conditions of evaluation: other labels, augmentation, test clips without motion."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vdbench_leaderboard.statistics import ddranking
from vdbench_leaderboard.statistics.estimates import difference, estimate

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.estimates import Estimate, Runs
    from vdbench_leaderboard.tables.cells import Cell

Kind = Literal["hard", "soft", "teacher"]


def with_labels(cell: Cell, kind: Kind) -> Runs:
    """Top-1 with one kind of labels under the protocol's own recipe; with augmentation, where a teacher gives them."""
    if kind == "teacher":
        return cell.measured(condition="teacher-augmented")
    plain = {r.seed for r, _ in cell.done if r.labels == kind and r.step_size is None}
    own = {seed: networks for seed, networks in cell.runs.items() if seed in plain}
    return own or cell.measured(condition=kind)


@dataclass(frozen=True)
class Gains:
    """A cell compared with its controls, each with the same clips per class, recipe and labels.

    At a budget of bytes methods differ in their clips per class, and one that brings labels is controlled at its own:
    no improvement over random is comparable there, and the scores made of it are None.

    Attributes:
        hard: top-1 in percent with hard labels.
        hard_gain: the same less that of random clips, paired by seed, in points.
        soft: with soft labels, the method's own or the teacher's.
        soft_gain: the same less that of random clips.
        augmented: with augmentation, by the method's own labels and step size.
        augmented_gain: the same less that of random clips.
        ior: improvement over random by the method's own labels and step size, fractions, paired by seed.
        hlr: hard label recovery, fractions, paired by seed; smaller is better.
        lrs: label-robust score of each seed, 0..1.
        ars: augmentation-robust score of each seed, 0..1.
    """

    hard: Estimate | None
    hard_gain: Estimate | None
    soft: Estimate | None
    soft_gain: Estimate | None
    augmented: Estimate | None
    augmented_gain: Estimate | None
    ior: Estimate | None
    hlr: Estimate | None
    lrs: Estimate | None
    ars: Estimate | None


def gains(cell: Cell, random: Cell | None, full: Cell | None) -> Gains:
    """Compare a cell with its controls.

    Args:
        cell: what was evaluated.
        random: the cell of ``random`` at the same budget; None where there is none.
        full: the cell of ``full`` of the same student.
    """
    hard, soft = with_labels(cell, "hard"), with_labels(cell, "soft")
    plain, augmented = cell.runs, cell.measured(condition="own-augmented")
    none: Runs = {}
    controls = {kind: with_labels(random, kind) if random else none for kind in ("hard", "soft")}
    augmented_control = control(cell, random, "own-augmented")
    in_bytes = cell.budget is not None and cell.budget.in_bytes
    ior = {} if in_bytes else _each(ddranking.ior, plain, control(cell, random))
    ior_augmented = {} if in_bytes else _each(ddranking.ior, augmented, augmented_control)
    hlr = _each(ddranking.hlr, with_labels(full, "hard") if full else none, hard)
    return Gains(
        hard=estimate(hard),
        hard_gain=difference(hard, controls["hard"]),
        soft=estimate(soft),
        soft_gain=difference(soft, controls["soft"]),
        augmented=estimate(augmented),
        augmented_gain=difference(augmented, augmented_control),
        ior=_over(ior),
        hlr=_over(hlr),
        lrs=_over({seed: ddranking.lrs(ior[seed], hlr[seed]) for seed in ior if seed in hlr}),
        ars=_over({seed: ddranking.ars(ior_augmented[seed], ior[seed]) for seed in ior if seed in ior_augmented}),
    )


def control(cell: Cell, random: Cell | None, condition: str | None = None) -> Runs:
    """Random clips under a cell's recipe: of the same trial where it brings labels or a step size of its own.

    Args:
        cell: what was evaluated.
        random: the cell of ``random`` at the same budget; None where there is none.
        condition: name of the condition, one by the cell's own labels; None for the cell as its method means it.
    """
    if random is None or brings(cell):
        return cell.measured(condition=f"{condition or 'own'}-random")
    return random.measured(condition=condition)


def brings(cell: Cell) -> bool:
    """Whether its method brings labels or a step size of its own, so that it is not judged as random clips are."""
    return any(result.labels == "soft" or result.step_size is not None for result, _ in cell.done)


def _each(score: Callable[[float, float], float], first: Runs, second: Runs) -> dict[int, float]:
    """A score of two accuracies, which it takes as fractions, for each seed that both have."""
    means = [
        {seed: math.fsum(top1.values()) / len(top1) / 100 for seed, top1 in runs.items()} for runs in (first, second)
    ]
    return {seed: score(means[0][seed], means[1][seed]) for seed in sorted(means[0].keys() & means[1].keys())}


def _over(scores: Mapping[int, float]) -> Estimate | None:
    return estimate({seed: {0: value} for seed, value in scores.items()})
