"""What a cell's clips are worth under other conditions: other labels, augmentation, test clips without motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vdbench_leaderboard import ddranking
from vdbench_leaderboard.cells import student_of
from vdbench_leaderboard.statistics import difference, estimate

if TYPE_CHECKING:
    from vdbench.records import StudentScores
    from vdbench_leaderboard.cells import Cell
    from vdbench_leaderboard.statistics import Estimate, Runs

Kind = Literal["hard", "soft"]


def runs_of(cell: Cell, score: str = "top1", condition: str | None = None) -> Runs:
    """One score of each network, in percent, by seed; empty where it was not measured.

    Args:
        cell: whose.
        score: a field of :class:`vdbench.records.Score`.
        condition: name of the condition; None for the clips as their method means them.
    """
    found: dict[int, dict[int, float]] = {}
    for result, own in cell.done:
        judged: list[StudentScores] = [own]
        if condition is not None:
            ways = [way for way in result.conditions if way.name == condition]
            judged = [s for way in ways for s in way.students if student_of(s) == cell.student]
        values = {s.seed: getattr(s, score) for scores in judged for s in scores.scores}
        if values and None not in values.values():
            found[result.seed] = {seed: 100 * value for seed, value in values.items()}
    return found


def with_labels(cell: Cell, kind: Kind) -> Runs:
    """Top-1 with one kind of labels under the protocol's own recipe."""
    plain = {r.seed for r, _ in cell.done if r.labels == kind and r.step_size is None}
    own = {seed: networks for seed, networks in runs_of(cell).items() if seed in plain}
    return own or runs_of(cell, condition=kind)


@dataclass(frozen=True)
class Gains:
    """A cell beside its controls. Each control had the same clips per class, recipe and labels as what it controls.

    At a budget of bytes methods differ in their clips per class, and one that brings labels is controlled at its own:
    no improvement over random is comparable there, and the scores made of it are None.

    Attributes:
        hard: top-1 in percent with hard labels.
        hard_gain: the same less that of random clips, paired by seed, in points.
        soft: with soft labels, the method's own or the teacher's.
        soft_gain: the same less that of random clips.
        augmented: with augmentation, by the method's own labels and step size.
        augmented_gain: the same less that of random clips.
        ior: improvement over random by the method's own labels and step size, a fraction.
        hlr: hard label recovery, a fraction; smaller is better.
        lrs: label-robust score, 0..1.
        ars: augmentation-robust score, 0..1.
    """

    hard: Estimate | None
    hard_gain: Estimate | None
    soft: Estimate | None
    soft_gain: Estimate | None
    augmented: Estimate | None
    augmented_gain: Estimate | None
    ior: float | None
    hlr: float | None
    lrs: float | None
    ars: float | None


def gains(cell: Cell, random: Cell | None, full: Cell | None) -> Gains:
    """Compare a cell with its controls.

    Args:
        cell: what was judged.
        random: the cell of ``random`` at the same budget; None where there is none.
        full: the cell of ``full`` of the same student.
    """
    hard, soft = with_labels(cell, "hard"), with_labels(cell, "soft")
    plain, augmented = runs_of(cell), runs_of(cell, condition="own-augmented")
    none: Runs = {}
    beside = {kind: with_labels(random, kind) if random else none for kind in ("hard", "soft")}
    plain_gain = difference(plain, _control(cell, random))
    augmented_gain = difference(augmented, _control(cell, random, augmented=True))
    in_bytes = cell.budget is not None and cell.budget.in_bytes
    ior = None if plain_gain is None or in_bytes else plain_gain.mean / 100
    hlr = _recovery(estimate(with_labels(full, "hard")) if full else None, estimate(hard))
    return Gains(
        hard=estimate(hard),
        hard_gain=difference(hard, beside["hard"]),
        soft=estimate(soft),
        soft_gain=difference(soft, beside["soft"]),
        augmented=estimate(augmented),
        augmented_gain=augmented_gain,
        ior=ior,
        hlr=hlr,
        lrs=None if ior is None or hlr is None else ddranking.lrs(ior, hlr),
        ars=None if ior is None or augmented_gain is None else ddranking.ars(augmented_gain.mean / 100, ior),
    )


def _control(cell: Cell, random: Cell | None, augmented: bool = False) -> Runs:
    """Random clips under the recipe of a cell: judged beside it, where it brings labels or a step size of its own."""
    judged = runs_of(cell, condition="own-augmented-random" if augmented else "own-random")
    brings = any(r.labels == "soft" or r.step_size is not None for r, _ in cell.done)
    if brings or random is None:
        return judged
    return runs_of(random, condition="own-augmented" if augmented else None)


def _recovery(full: Estimate | None, distilled: Estimate | None) -> float | None:
    return None if full is None or distilled is None else ddranking.hlr(full.mean / 100, distilled.mean / 100)
