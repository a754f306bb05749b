"""``vdbench leaderboard``: tables, plots and the page, from stored results."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vdbench.cli.advice import command
from vdbench.cli.options import HomeOption, JsonOption, ResultsOption
from vdbench.cli.output import err, out, show_rows
from vdbench.cli.output import show as show_tables

if TYPE_CHECKING:
    from vdbench.experiment.home import Home

VARIANCE = ("suite", "dataset", "student", "method", "ipc", "top1", "by_seeds", "by_draws", "by_clips", "clips_percent")

app = typer.Typer(no_args_is_help=True, help="Build, show, check and serve the leaderboard.")

PreviewsOption = Annotated[
    Path | None,
    typer.Option(
        "--previews",
        help="Folder of distilled sets whose preview.mp4 or preview.png the page shows: only clips that may be shown.",
        show_default="previews/ beside --results, or the home's",
    ),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder of the leaderboard.", show_default="in the home")]
UrlOption = Annotated[
    str,
    typer.Option(
        "--url",
        help="Address at which the folder will be seen, for the picture that sites show beside a link to it.",
        show_default=False,
    ),
]


def _home(home: Path | None) -> Home:
    from vdbench.experiment.home import Home

    return Home.to_read(home)


def _previews(asked: Path | None, results: Path | None, home: Path | None) -> Path:
    """The folder that was asked for, or the one that belongs to the results; it need not be there."""
    if asked is not None:
        return asked
    return _home(home).root / "distilled" if results is None else results.absolute().parent / "previews"


@app.command()
def build(
    results: ResultsOption = None,
    out_folder: OutOption = None,
    previews: PreviewsOption = None,
    url: UrlOption = "",
    home: HomeOption = None,
) -> None:
    """Write the tables (Markdown, CSV, JSON, LaTeX), the plots and the page."""
    from vdbench_leaderboard.build import build as build_leaderboard

    source = results or _home(home).results.folder
    target = out_folder or _home(home).leaderboard
    for path in build_leaderboard(source, target, _previews(previews, results, home), url):
        out.print(str(path))


@app.command()
def show(results: ResultsOption = None, home: HomeOption = None) -> None:
    """Print the leaderboard."""
    from vdbench_leaderboard.build import show as renderable

    show_tables(renderable(results or _home(home).results.folder))


@app.command()
def check(
    results: ResultsOption = None,
    out_folder: OutOption = None,
    previews: PreviewsOption = None,
    url: UrlOption = "",
    home: HomeOption = None,
) -> None:
    """Fail if the leaderboard's files are not those that its results give."""
    from vdbench_leaderboard.build import check as differing

    source = results or _home(home).results.folder
    target = out_folder or _home(home).leaderboard
    different = differing(source, target, _previews(previews, results, home), url)
    for name in different:
        err.print(f"{target / name} is not what the results give")
    if different:
        again = command("leaderboard", "build", also=("results", "out_folder", "previews", "url"))
        err.print(f"write it anew with: {again}")
        raise typer.Exit(1)
    out.print(f"{target} is what {source} gives")


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes any that is free.", min=0, max=65535)] = 8765,
    results: ResultsOption = None,
    previews: PreviewsOption = None,
    home: HomeOption = None,
) -> None:
    """Show the page on this machine, and reload it when results change, as while a run goes on.

    No other machine can open it, and no file is written. Ctrl-C ends it.
    """
    from vdbench_leaderboard.serving import serving

    source = results or _home(home).results.folder
    with serving(source, _previews(previews, results, home), port) as server:
        out.print(f"http://127.0.0.1:{server.server_port} shows {source}; Ctrl-C ends it")
        with suppress(KeyboardInterrupt):
            server.serve_forever()


@app.command()
def variance(results: ResultsOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Tell how much of a cell's error is luck of the seed, and how much luck of the test clips.

    `by_seeds` and `by_clips` are standard errors in points: of the mean over other seeds on these test clips, and over
    test clips of other videos with these seeds. `clips_percent` is the share of the test clips in both. More seeds
    make only the first one smaller, and not all of it: `by_draws` is what comes of trained encoders, teachers and
    experts, which several seeds share. More `protocol.draws` make that smaller.
    """
    from vdbench_leaderboard.build import variances

    source = results or _home(home).results.folder
    show_rows("Standard errors of top-1, in points", VARIANCE, variances(source), as_json)
