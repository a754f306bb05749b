"""``vdbench leaderboard``: tables, plots and the page, from stored results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vdbench.cli.options import HomeOption
from vdbench.cli.output import err, out

if TYPE_CHECKING:
    from vdbench.experiment.home import Home

app = typer.Typer(no_args_is_help=True, help="Build, show and check the leaderboard.")

ResultsOption = Annotated[
    Path | None,
    typer.Option("--results", help="Folder of result files.", show_default="those of the home"),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder of the leaderboard.", show_default="in the home")]


def _home(home: Path | None) -> Home:
    from vdbench.experiment.home import Home

    return Home.at(home)


@app.command()
def build(results: ResultsOption = None, out_folder: OutOption = None, home: HomeOption = None) -> None:
    """Write the tables (Markdown, CSV, LaTeX), the plots and the page."""
    from vdbench_leaderboard.build import build as build_leaderboard

    source = results or _home(home).results.folder
    target = out_folder or _home(home).leaderboard
    for path in build_leaderboard(source, target):
        out.print(str(path), markup=False, soft_wrap=True)


@app.command()
def show(results: ResultsOption = None, home: HomeOption = None) -> None:
    """Print the leaderboard."""
    from vdbench_leaderboard.build import show as renderable

    out.print(renderable(results or _home(home).results.folder))


@app.command()
def check(results: ResultsOption = None, out_folder: OutOption = None, home: HomeOption = None) -> None:
    """Fail if the leaderboard's files are not those that its results give."""
    from vdbench_leaderboard.build import check as differing

    source = results or _home(home).results.folder
    target = out_folder or _home(home).leaderboard
    different = differing(source, target)
    for name in different:
        err.print(f"{target / name} is not what the results give", markup=False, soft_wrap=True)
    if different:
        err.print(f"write it anew with: vdbench leaderboard build --results {source} --out {target}", soft_wrap=True)
        raise typer.Exit(1)
    out.print(f"{target} is what {source} gives", markup=False, soft_wrap=True)
