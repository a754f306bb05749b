"""The command line. One module per group of commands; nothing heavy is imported before a command needs it."""

from __future__ import annotations

import errno
import faulthandler
import logging
import sys
import traceback
import warnings
from typing import Annotated, Any

import typer

from vdbench.api.screen import NOBODY_READS, silence
from vdbench.cli import (
    advice,
    cleaning,
    datasets,
    doctor,
    generator,
    home,
    judge,
    leaderboard,
    methods,
    new_dataset,
    power,
    results,
    run,
    sharing,
    submitting,
    tracked,
)
from vdbench.cli.ending import GO_ON, INTERRUPTED, sigterm_as_ctrl_c
from vdbench.cli.output import err, replace_what_cannot_be_shown
from vdbench.errors import VdbenchError
from vdbench.storage.text import harmless
from vdbench.version import installed

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
        print(f"vdbench {installed()}")
        raise typer.Exit


@app.callback()
def _global(
    ctx: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks; stands before the command.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that stand before every command."""
    advice.note(ctx, None)


app.command("run")(run.run)
datasets.app.command("new")(new_dataset.new)
app.add_typer(datasets.app, name="datasets")
app.add_typer(methods.app, name="methods")
app.command("evaluate")(judge.evaluate)
app.command("export")(sharing.export)
app.add_typer(generator.app, name="generator")
app.add_typer(results.app, name="results")
results.app.command("submit")(submitting.submit)
results.app.command("gc")(cleaning.gc)
app.add_typer(leaderboard.app, name="leaderboard")
app.command("power")(power.power)
app.add_typer(home.app, name="home")
app.command("mlflow")(tracked.mlflow)
app.command("doctor")(doctor.doctor)


class _Warning(logging.Formatter):
    """Our own log lines, written as warnings are."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return f"warning: {harmless(line)}" if record.name.startswith("vdbench") else line


def main() -> None:
    """Run the command line and exit with its code: 0 done, 1 trials failed, 2 usage, 3 data, 130 interrupted."""
    replace_what_cannot_be_shown()
    if sys.__stderr__ is not None:  # a crash below Python, of a plugin or a library, then says in which file
        faulthandler.enable(sys.__stderr__, all_threads=False)
    arguments = _without_debug(sys.argv[1:])
    debug = len(arguments) < len(sys.argv) - 1
    warnings.formatwarning = lambda message, *_, **__: f"warning: {harmless(str(message))}\n"
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Warning())
    code: Any
    try:
        with sigterm_as_ctrl_c():
            code = app(arguments, prog_name="vdbench")
    except SystemExit as ended:
        code = ended.code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        if debug:
            traceback.print_exc()
        code = _explain(error)
    if code == INTERRUPTED:
        err.print(GO_ON)
    sys.exit(_written(code))


def _without_debug(arguments: list[str]) -> list[str]:
    """The arguments without ``--debug``, which may stand anywhere but after ``run``, where it names a trial."""
    own = arguments.index("run") if "run" in arguments else len(arguments)
    return [argument for place, argument in enumerate(arguments) if argument != "--debug" or place > own]


def _written(code: Any) -> Any:
    """Write what is still to be written, while a failure can be told; return the exit code."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        silence(sys.stdout)
        return code or (NOBODY_READS if error.errno == errno.EPIPE else _explain(error))
    return code


def _explain(error: Exception) -> int:
    """Print one sentence for an error and return the exit code."""
    from vdbench.storage import files

    if isinstance(error, VdbenchError):
        _say(f"{error.sentence} {advice.command(*error.command)}" if error.command else str(error))
        return error.exit_code
    if isinstance(error, OSError) and error.errno in files.REFUSED:
        _say(f"{files.refused(error, 'what was to be written')} and go on")
        return 3
    if isinstance(error, OSError) and error.filename is not None:
        _say(f"{error.filename}: {error.strerror}")
        return 3
    what = f"{type(error).__name__}: {error}"
    _say(f"this is a bug in vdbench ({what}); run 'vdbench --debug ...' to see where, and report it")
    return 1


def _say(sentence: str) -> None:
    err.print("error:", style="bold red", end=" ")
    err.print(sentence)
