"""``vdbench evaluate --verify``: judge a distilled set as its result says, and mark the result if they agree."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vdbench.cli.output import out, print_json, show_rows
from vdbench.cli.results import find_result
from vdbench.errors import VdbenchError
from vdbench.storage import files

if TYPE_CHECKING:
    from pathlib import Path

    from vdbench.experiment.home import Home
    from vdbench.experiment.verification import Comparison


def verify_result(folder: Path, named: str, place: Home, device: str, as_json: bool) -> None:
    """Judge a distilled set again and write its result anew, with the mark, if no student differs too much.

    Raises:
        DataError: the distilled set or the clips are not those of the result.
        VdbenchError: they do not agree; nothing is written.
    """
    from vdbench.experiment.verification import judge_again

    file, result = find_result(named, place.results)
    comparison = judge_again(result, folder, place, device)
    _show(result.id, comparison, as_json)
    if not comparison.agrees:
        raise VdbenchError(
            f"result {result.id} is not verified: a student differs by {comparison.difference:.2f} points, and "
            f"{_allowed(comparison)}; nothing was written"
        )
    files.write_json(file, comparison.verified(result, datetime.now(UTC)).model_dump(mode="json"))
    if not as_json:
        out.print(f"verified: {file}")


def _show(trial_id: str, comparison: Comparison, as_json: bool) -> None:
    if as_json:
        value = {
            "result": trial_id,
            "agrees": comparison.agrees,
            "difference": comparison.difference,
            "tolerance": comparison.tolerance,
            "networks": [asdict(pair) for pair in comparison.pairs],
        }
        print_json(value)
        return
    rows = [
        {
            "student": pair.student,
            "labels": pair.labels,
            "seed": pair.seed,
            "top-1 of the result": f"{100 * pair.before:.2f} %",
            "top-1 now": f"{100 * pair.now:.2f} %",
        }
        for pair in comparison.pairs
    ]
    show_rows(f"Result {trial_id}", list(rows[0]), rows, False)
    out.print(
        f"largest difference of a student's mean {comparison.difference:.2f} points; {_allowed(comparison)}",
    )


def _allowed(comparison: Comparison) -> str:
    if comparison.tolerance == 0:
        return "every network has to agree to the bit, on the same kind of machine"
    return f"{comparison.tolerance:.2g} are allowed"
