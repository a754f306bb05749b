"""``vdbench results``: what has been measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vdbench.cli.options import HomeOption, JsonOption
from vdbench.cli.output import out, show_rows
from vdbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from vdbench.experiment.result import Result

app = typer.Typer(no_args_is_help=True, help="List, show and export stored results.")


@app.command("list")
def list_results(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List every stored result, failed trials with their kind."""
    rows = [
        {
            "id": r.id,
            "method": r.label,
            "dataset": r.dataset.title,
            "ipc": r.ipc,
            "seed": r.seed,
            "suite": r.suite,
            "top1": _top1(r),
            "state": f"failed: {r.failure.kind}" if r.failure else r.status,
        }
        for r in _stored(home)
    ]
    show_rows("Results", ["id", "method", "dataset", "ipc", "seed", "suite", "top1", "state"], rows, as_json)


def _stored(home: Path | None) -> list[Result]:
    from vdbench.experiment.home import Home

    return list(Home.at(home).results.readable())


def _top1(result: Result) -> str | None:
    """Per student, the mean over its networks, in percent."""
    means = [f"{s.student} {100 * sum(x.top1 for x in s.scores) / len(s.scores):.1f}" for s in result.students]
    return ", ".join(means) or None


@app.command()
def show(trial_id: str, home: HomeOption = None) -> None:
    """Show one result as JSON. The first characters of its id are enough."""
    found = [r for r in _stored(home) if r.id.startswith(trial_id)]
    if len(found) != 1:
        how_many = "no result has" if not found else f"{len(found)} results have"
        raise UsageError(f"{how_many} an id that begins with '{trial_id}'; see `vdbench results list`")
    print(json.dumps(found[0].model_dump(mode="json"), indent=2, ensure_ascii=False))


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Receives one JSON file per trial.")],
    suite: Annotated[str | None, typer.Option(help="Only results of this suite.")] = None,
    home: HomeOption = None,
) -> None:
    """Copy results, failed ones included, into a folder, for a leaderboard that is shared."""
    from vdbench.experiment.result import ResultStore

    results = [r for r in _stored(home) if suite in (None, r.suite)]
    if not results:
        raise DataError("there are no results to export; run `vdbench run` first")
    for result in results:
        ResultStore(folder).write(result)
    out.print(f"{len(results)} results written to {folder}", markup=False)
