"""One cell in full, for the panel that opens from its number: sentences, scores, facts, trials and single classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from vdbench_leaderboard.statistics.comparisons import direction
from vdbench_leaderboard.tables import board_words, formats, health
from vdbench_leaderboard.tables.row_labels import flat

if TYPE_CHECKING:
    from vdbench.experiment.result import Result
    from vdbench_leaderboard.statistics.estimates import Estimate
    from vdbench_leaderboard.tables.boards import Standing
    from vdbench_leaderboard.tables.both_sides import BothSides
    from vdbench_leaderboard.tables.cells import Cell

SMALL = 20
"""With this many classes or fewer the whole confusion matrix is shown, with more each class's own accuracy and the
pairs that are confused most."""
PAIRS = 12
"""How many such pairs."""
HASH = 16
"""Characters of an artefact's SHA-256."""


def details(standing: Standing) -> dict[str, Any]:
    """The panel of a cell, in the order in which it is read; lists of texts."""
    cell = standing.cell
    results, learned = [*(result for result, _ in cell.done), *cell.failed], health.facts(cell)
    return {
        "sentences": _sentences(standing),
        "intervals": _intervals(standing),
        "facts": [
            [heading, [[name, text] for name, text in facts.items() if text]]
            for heading, facts in (
                ("", _robustness(standing)),
                ("Cost", _cost(standing)),
                ("Provenance", _origin(cell)),
                *[("How well the clips were learned", learned)] * bool(learned),
            )
        ],
        "settings": _settings(cell.any_result),
        "trials": "\n".join(map(_trial, results)),
        "machines": sorted(board_words.machine(machine) for machine in cell.environments),
    }


def side(standing: Standing, kind: str, gain: Estimate | None) -> str:
    """``up`` or ``down`` where a difference to random is significant over at least three seeds; else empty.

    The difference with the method's own labels has to pass the test that is corrected for the table, too.
    """
    versus = standing.random_comparison
    if gain is None or not gain.significant or (kind == "own" and versus and not versus.significant):
        return ""
    return "up" if gain.mean > 0 else "down"


def on_other_clips(standing: Standing, sides: BothSides, p: float | None) -> list[Any] | None:
    """What is shown instead where the reader asks for other clips of this kind.

    Args:
        standing: of a cell.
        sides: both sides of its board.
        p: of its difference to random on other clips, corrected; None where there is none.

    Returns:
        The sentences, the interval of top-1, p, its side as in :func:`side`, and the rank; None where outcomes are not
        known.
    """
    top1, gain = sides.top1.get(standing.cell.place), standing.against_random
    if top1 is None:
        return None
    rank = sides.ranks.get(standing.cell.place)
    said = [_measured(top1, " on other clips of this kind"), _placed(standing, rank, p)]
    return [said, formats.accuracy_interval(top1), formats.probability(p), direction(gain, p), rank or ""]


def _sentences(standing: Standing) -> list[str]:
    top1, versus = standing.cell.top1, standing.random_comparison
    if top1 is None:
        return ["No trial finished."]
    return [_measured(top1, ""), _placed(standing, board_words.rank(standing), versus.adjusted if versus else None)]


def _measured(top1: Estimate, where: str) -> str:
    what = f"{top1.repeats} seeds" if top1.over == "seeds" else "the networks of one seed"
    ends = "" if top1.low is None else f", 95 % interval{where} {formats.accuracy_interval(top1)}"
    return f"% top-1 over {what}{ends}."


def _placed(standing: Standing, rank: str | None, p: float | None) -> str:
    gain = standing.against_random
    said = f"Rank {rank.rstrip('=')}{', shared' * rank.endswith('=')}." if rank else "No rank."
    if gain is None:
        return said
    test = "too few seeds to test" if p is None else f"p = {formats.probability(p)} after Holm’s correction"
    side = "below" if gain.mean < 0 else "above"
    return f"{said} {formats.percent(abs(gain.mean))} points {side} random clips ({test})."


def _intervals(standing: Standing) -> list[str]:
    """Of each score, in the order of the panel."""
    cell, gains = standing.cell, standing.gains
    scores = [cell.top1, gains.hard, gains.soft, gains.augmented]
    scores += [cell.score(name) for name in ("top5", "macro", "shuffled", "still")]
    return [formats.accuracy_interval(value) for value in scores]


def _robustness(standing: Standing) -> dict[str, str]:
    cell, gains, share = standing.cell, standing.gains, standing.share_of_full
    compared = ((cell.score("still"), "on still clips"), (cell.score("shuffled"), "on shuffled frames"))
    lost = [(cell.top1.mean - other.mean, where) for other, where in compared if cell.top1 and other]
    parts = f" (IOR {formats.fractions(gains.ior)}, HLR {formats.fractions(gains.hlr)})"
    return {
        "label-robust score (LRS)": formats.fractions(gains.lrs) + parts if gains.lrs else "",
        "augmentation-robust score (ARS)": formats.fractions(gains.ars) if gains.ars else "",
        "share of full": f"{formats.percent(share)} %" if share is not None else "",
        "use of motion": ", ".join(f"{formats.percent(points)} points lost {where}" for points, where in lost),
    }


def _cost(standing: Standing) -> dict[str, str]:
    cell = standing.cell
    codecs = ", ".join(["", *sorted({f"as {result.stored_as}" for result, _ in cell.done if result.stored_as})])
    known = {
        "stored": f"{formats.size(cell.stored_bytes)} in {formats.whole(cell.stored_clips)} clips{codecs}",
        "distillation": f"{formats.duration(cell.distill_seconds)} per trial, shared assets included",
        "evaluation": f"{formats.duration(cell.evaluate_seconds)} for this student’s networks",
    }
    networks = f"{cell.networks} network{'' if cell.networks == '1' else 's'}"
    return (known if cell.done else {}) | {
        "repeats": f"{len(cell.seeds)} of {len(standing.expected)} seeds × {networks}"
    }


def _origin(cell: Cell) -> dict[str, str]:
    differences = [result.verified.difference for result, _ in cell.done if result.verified]
    checked = f"{len(differences)} of {len(cell.seeds)} seeds evaluated again"
    return {
        "pool": cell.taken_from,
        "seen": board_words.data_seen(cell),
        "step size": f"{cell.step_size:.6g}, learned" if cell.step_size is not None else "",
        "verified": f"{checked}, {max(differences):.1f} points of difference at most"
        if differences
        else "by nobody yet",
    }


def _settings(result: Result) -> str:
    """One a line: its name and value, marked where the suite prescribes it."""
    prescribed = flat(result.prescribed)
    return "\n".join(
        f"{name} = {value}{' (suite)' if prescribed.get(name) == value else ''}"
        for name, value in sorted(flat(result.settings).items())
    )


def _trial(result: Result) -> str:
    """Seed, id, and the artefact's SHA-256 or the failure, on one line."""
    failure = result.failure and f"{result.failure.kind}: {' '.join(result.failure.message.split())}"
    return f"{result.seed} {result.id} {failure or (result.artefact or '')[:HASH]}"


def classes(cell: Cell) -> list[Any] | None:
    """How each class fares, in percent of its test clips.

    Returns:
        Each class's own accuracy, the rows of the confusion matrix, empty with many classes, and the pairs that are
        confused most, as class, guess and percent; None where nothing is known.
    """
    counts, size = cell.confusion, cell.dataset.classes
    if not counts:
        return None
    totals = [0] * size
    for (label, _), clips in counts.items():
        totals[label] += clips

    def share(label: int, guess: int) -> int:
        return round(100 * counts.get((label, guess), 0) / totals[label]) if totals[label] else 0

    small = size <= SMALL
    matrix = [[share(label, guess) for guess in range(size)] for label in range(size)] if small else []
    return [[share(label, label) for label in range(size)], matrix, [] if small else _pairs(counts, share)]


def _pairs(counts: Mapping[tuple[int, int], int], share: Callable[[int, int], int]) -> list[tuple[int, int, int]]:
    wrong = [(label, guess, share(label, guess)) for label, guess in counts if label != guess]
    return sorted(wrong, key=lambda pair: (-pair[2], pair[:2]))[:PAIRS]
