"""``vdbench results submit``: everything that a submission needs, ready to be pushed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vdbench.cli.options import HomeOption
from vdbench.cli.output import out
from vdbench.cli.results import DatasetChoice, MethodChoice, SuiteChoice, chosen_results
from vdbench.errors import DataError, UsageError
from vdbench.storage.text import counted


def submit(
    folder: Annotated[Path, typer.Argument(help="A new folder, which receives results, sets and the request's text.")],
    suite: SuiteChoice = None,
    dataset: DatasetChoice = None,
    method: MethodChoice = None,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="CHECKOUT",
            help="Also commit the results to a new branch of this checkout of the repository.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Prepare a submission to a shared leaderboard, and say what to push. Nothing is sent and nothing is opened.

    Results are checked first, as `vdbench results validate` does. Distilled sets are copied where that is allowed.
    """
    from vdbench.experiment.handing_in import prepare_branch, request_text
    from vdbench.experiment.home import Home
    from vdbench.experiment.rules import findings
    from vdbench.experiment.submissions import ARTEFACTS, REQUEST, export, export_artefacts
    from vdbench.storage import files

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"there is something in {folder} already; name a new folder")
    results = chosen_results(home, suite, dataset, method)
    export(results, Home.to_read(home).results, folder)
    handed = export_artefacts(results, Home.to_read(home).root / ARTEFACTS, folder)
    found = findings([folder])
    if faults := [finding for finding in found if finding.fault]:
        first = faults[0]
        raise DataError(
            f"{len(faults)} faults, the first in {first.where}: {first.what}; to see all, type:",
            ["results", "validate", str(folder)],
        )
    files.write_text(folder / REQUEST, request_text(results, found))
    told = f"{counted(len(results), 'result')} and {counted(len(handed.copied), 'distilled set')} are in {folder}"
    out.print(f"{told}; {REQUEST} there is the text of the pull request, to be completed")
    for remark in found:
        out.print(f"remark: {remark.where}: {remark.what}")
    if into is None:
        out.print(
            f"To hand them in: copy {folder} into a fork of the repository, commit, push, and open a pull request with "
            "the template results."
        )
        return
    branch = prepare_branch(into, folder, results)
    out.print(f"{into} is on the new branch {branch}, which holds the results. To hand them in, type:")
    out.print(f"git -C {into} push --set-upstream origin {branch}")
    out.print(f"and open a pull request with the text of {folder / REQUEST}.")
