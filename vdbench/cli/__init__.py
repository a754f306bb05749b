"""The command line. One module per group of commands; nothing heavy is imported before a command needs it."""

from __future__ import annotations

import errno
import sys
import traceback
import warnings
from typing import Annotated

import typer

from vdbench import __version__
from vdbench.cli import datasets, generator, judge, leaderboard, machine, methods, results, run
from vdbench.cli.ending import GO_ON, INTERRUPTED, sigterm_as_ctrl_c
from vdbench.cli.output import err
from vdbench.errors import VdbenchError

app = typer.Typer(
    name="vdbench",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The benchmark suite for **video dataset distillation**.\n\n"
    "Start with `vdbench run`: it compares every method on an embedded data set, on a CPU, in minutes. "
    "For real data, `vdbench datasets list` says what there is and `vdbench datasets prepare` decodes it once.",
)


def _version(asked: bool) -> None:
    if asked:
        print(f"vdbench {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that stand before every command."""


app.command("run")(run.run)
app.add_typer(datasets.app, name="datasets")
app.add_typer(methods.app, name="methods")
app.command("evaluate")(judge.evaluate)
app.add_typer(generator.app, name="generator")
app.add_typer(results.app, name="results")
app.add_typer(leaderboard.app, name="leaderboard")
app.command("mlflow")(machine.mlflow)
app.command("doctor")(machine.doctor)


def main() -> None:
    """Run the command line and exit with its code: 0 done, 1 trials failed, 2 usage, 3 data, 130 interrupted."""
    debug = "--debug" in sys.argv[1:]
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    try:
        with sigterm_as_ctrl_c():
            app(arguments, prog_name="vdbench")
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            err.print(GO_ON)
        raise
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if debug:
            traceback.print_exc()
        sys.exit(_explain(error))


def _explain(error: Exception) -> int:
    """Print one sentence for an error and return the exit code."""
    if isinstance(error, VdbenchError):
        _say(str(error))
        return error.exit_code
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        _say(f"no space is left on the device for {error.filename or 'what was to be written'}; free some and go on")
        return 3
    if isinstance(error, PermissionError | FileNotFoundError | IsADirectoryError | NotADirectoryError):
        _say(f"{error.filename}: {error.strerror}")
        return 3
    _say(f"this is a bug in vdbench ({type(error).__name__}: {error}); run again with --debug and report it")
    return 1


def _say(sentence: str) -> None:
    err.print("error:", style="bold red", end=" ")
    err.print(sentence, markup=False, soft_wrap=True)
