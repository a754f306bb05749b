"""``vdbench results``: what has been measured."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vdbench.cli.advice import command
from vdbench.cli.options import HomeOption, JsonOption, ResultsOption, choose
from vdbench.cli.output import err, out, print_json, show_rows
from vdbench.errors import DataError, UsageError, VdbenchError
from vdbench.storage.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdbench.experiment.result import Result
    from vdbench.experiment.result_store import ResultStore

app = typer.Typer(no_args_is_help=True, help="List, show, export, submit, validate and merge stored results.")

SuiteChoice = Annotated[str | None, typer.Option(help="Only of these suites: names, globs; commas between.")]
DatasetChoice = Annotated[str | None, typer.Option(help="Only on these data sets, likewise.")]
MethodChoice = Annotated[str | None, typer.Option(help="Only of these methods, as tables call them, likewise.")]
HUB = "hub"
"""Folder beside exported results, with what the hub reads of each method."""
PlacesArgument = Annotated[list[Path], typer.Argument(help="Folders of result files, such files, and homes.")]


@app.command("list")
def list_results(results: ResultsOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List every stored result, failed trials with their kind, badly learned sets with the signs of it."""
    stored = _stored(results, home)
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
            "health": list(r.health),
        }
        for r in stored
    ]
    columns = ["id", "method", "dataset", "ipc", "seed", "suite", "top1", "state"]
    if not stored:
        err.print(f"no results in {_store(results, home).folder}; check the path")
    show_rows("Results", columns + ["health"] * any(r.health for r in stored), rows, as_json)


def _stored(folder: Path | None, home: Path | None) -> list[Result]:
    return list(_store(folder, home).readable())


def _store(folder: Path | None, home: Path | None) -> ResultStore:
    from vdbench.experiment.home import Home
    from vdbench.experiment.result_store import ResultStore

    if folder is not None and not folder.is_dir():
        raise DataError(f"there is no folder {folder}; check the path")
    return Home.to_read(home).results if folder is None else ResultStore(folder)


def _top1(result: Result) -> str | None:
    """Per student, the mean over its networks, in percent."""
    means = [f"{s.student} {100 * sum(x.top1 for x in s.scores) / len(s.scores):.1f}" for s in result.students]
    return ", ".join(means) or None


@app.command()
def show(trial_id: str, results: ResultsOption = None, home: HomeOption = None) -> None:
    """Show one result as JSON. The first characters of its id are enough."""
    _, result = find_result(trial_id, _store(results, home))
    print_json(result.model_dump(mode="json"))


def find_result(named: str, store: ResultStore) -> tuple[Path, Result]:
    """One result and its file.

    Args:
        named: a path that ends in ``.json``, or the first characters of an id.
        store: where ids are looked for.

    Raises:
        UsageError: no result, or more than one, has an id that begins so.
        DataError: the file is no result.
    """
    from vdbench.experiment.result_store import read_result

    if named.endswith(".json"):
        file = Path(named)
        if not file.is_file():
            raise DataError(f"there is no result {file}; check the path")
        return file, read_result(file, others=True)
    found = [r for r in store.readable() if r.id.startswith(named)]
    if len(found) != 1:
        how_many = "no result has" if not found else f"{len(found)} results have"
        listing = command("results", "list", also=("results",))
        raise UsageError(f"{how_many} an id that begins with '{named}'; see `{listing}`")
    return store.path(found[0].id), found[0]


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Receives one JSON file per trial.")],
    suite: SuiteChoice = None,
    dataset: DatasetChoice = None,
    method: MethodChoice = None,
    artefacts: Annotated[
        bool,
        typer.Option(
            "--artefacts",
            help="Copy the distilled sets too, into distilled/, where they may be handed on: generated clips, and "
            "all clips of data sets that vdbench renders itself.",
        ),
    ] = False,
    hf: Annotated[
        bool,
        typer.Option(
            "--hf",
            help="Also write .eval_results/*.yaml of each method into hub/METHOD, as the Hugging Face hub shows it.",
        ),
    ] = False,
    benchmark: Annotated[
        str | None,
        typer.Option(help="With --hf: id of the benchmark on the hub.", show_default="OWNER/NAME, to be replaced"),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="URL", help="With --hf: where the numbers can be seen.", show_default=False)
    ] = None,
    home: HomeOption = None,
) -> None:
    """Copy results, failed ones included, into a folder, for a leaderboard that is shared.

    The test sets that they speak of go into `test-sets/` there.
    """
    from vdbench.experiment.home import Home
    from vdbench.experiment.submissions import ARTEFACTS, export_artefacts
    from vdbench.experiment.submissions import export as write

    if not hf and (benchmark or source):
        raise UsageError("--benchmark and --source say something of --hf; add it, or leave them out")
    results = chosen_results(home, suite, dataset, method)
    write(results, Home.to_read(home).results, folder)
    out.print(f"{counted(len(results), 'result')} written to {folder}")
    if artefacts:
        handed = export_artefacts(results, Home.to_read(home).root / ARTEFACTS, folder)
        told = f"{counted(len(handed.copied), 'distilled set')} copied"
        told += f", {handed.restricted} of restricted data sets left here" if handed.restricted else ""
        told += f", {handed.missing} no longer in the home" if handed.missing else ""
        out.print(told)
    if hf:
        _write_for_hub(results, folder, benchmark, source)


def chosen_results(home: Path | None, suite: str | None, dataset: str | None, method: str | None) -> list[Result]:
    """The results of a home that were asked for.

    Raises:
        DataError: there are none at all.
        UsageError: a name is that of none.
    """
    results = _stored(None, home)
    if not results:
        raise DataError("there are no results to export; first type:", ["run"])
    results = _chosen(results, suite, "suite", lambda r: r.suite)
    results = _chosen(results, dataset, "data set", lambda r: r.dataset.name)
    return _chosen(results, method, "method", lambda r: r.label)


def _write_for_hub(results: list[Result], folder: Path, benchmark: str | None, source: str | None) -> None:
    from vdbench.experiment.hub import OWNER, evaluation_files
    from vdbench.storage import files

    written = evaluation_files(results, benchmark, source)
    for name, text in written.items():
        files.write_text(folder / HUB / name, text)
    told = f"{counted(len(written), 'file')} for the Hugging Face hub written to {folder / HUB}"
    out.print(told if benchmark else f"{told}; replace {OWNER} in them, or name --benchmark")


def _chosen(results: list[Result], names: str | None, what: str, name_of: Callable[[Result], str]) -> list[Result]:
    """The results with one of these names: all where none was typed."""
    if names is None:
        return results
    wanted = choose(names, sorted({name_of(result) for result in results}), f"{what} among these results")
    return [result for result in results if name_of(result) in wanted]


@app.command()
def validate(places: PlacesArgument, as_json: JsonOption = False) -> None:
    """Check results against the rules of a shared leaderboard: one line per fault and per remark.

    Exit code 3 if there is a fault; remarks alone are none.
    """
    from vdbench.experiment.rules import findings
    from vdbench.experiment.submissions import result_files

    found = findings(places)
    faults = [finding for finding in found if finding.fault]
    if as_json:
        print_json([asdict(finding) for finding in found])
    else:
        for finding in found:
            kind = "fault" if finding.fault else "remark"
            out.print(f"{kind}: {finding.where}: {finding.what}")
    checked = len(result_files(places))
    if faults:
        raise DataError(f"{counted(len(faults), 'fault')} in {counted(checked, 'result')}; they cannot be merged")
    if not as_json:
        out.print(f"{counted(checked, 'result')} {'keeps' if checked == 1 else 'keep'} the rules")


@app.command()
def merge(
    sources: PlacesArgument,
    into: Annotated[
        Path | None, typer.Option(help="The folder of the shared results.", show_default="leaderboard/results")
    ] = None,
    home: Annotated[
        Path | None, typer.Option(help="Instead of --into: add them to the results of this home.", show_default=False)
    ] = None,
) -> None:
    """Add results to a folder of shared ones, all or none. What is there is never replaced by another outcome.

    Results that are there already are skipped. A done one takes the place of a failed one, one with outcomes per clip
    that of an equal one without, and a verified one brings its mark. Test sets come with their results. If two finished
    results of one trial differ, they are listed, nothing is written, and the exit code is 1.
    """
    from vdbench.experiment.home import Home
    from vdbench.experiment.rules import findings
    from vdbench.experiment.submissions import plan_merge

    if into is not None and home is not None:
        raise UsageError("--into and --home both say where results go; leave one out")
    into = into or (Path("leaderboard/results") if home is None else Home.at(home).results.folder)
    if faults := [finding for finding in findings(sources) if finding.fault]:
        first = faults[0]
        raise DataError(
            f"{counted(len(faults), 'fault')}, the first in {first.where}: {first.what}; nothing was "
            "written; to see all, type:",
            ["results", "validate", *map(str, sources)],
        )
    plan = plan_merge(sources, into)
    for trial_id, fields in plan.conflicts.items():
        err.print(f"conflict: {trial_id} differs in {', '.join(fields)}")
    if plan.conflicts:
        raise VdbenchError(
            f"{counted(len(plan.conflicts), 'trial has', 'trials have')} another outcome than "
            f"is in {into}, or than another source; nothing was written"
        )
    plan.write()
    counts = {
        "added": plan.added,
        "in place of failed ones": plan.finished,
        "now with outcomes per clip": plan.fuller,
        "now verified": plan.verified,
        "there already": plan.skipped,
    }
    told = ", ".join(f"{len(some)} {what}" for what, some in counts.items() if some)
    out.print(f"{into}: {told}")
