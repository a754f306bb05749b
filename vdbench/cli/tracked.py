"""``vdbench mlflow``: a look into the MLflow store."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from vdbench.cli.options import HomeOption
from vdbench.cli.output import err, out
from vdbench.errors import DataError, UsageError, VdbenchError
from vdbench.storage.text import counted

if TYPE_CHECKING:
    from vdbench.experiment.home import Home


def mlflow(
    port: Annotated[int, typer.Option(help="Port of the web page.", min=1, max=65535)] = 5000,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="First write every stored result into it anew.")] = False,
    home: HomeOption = None,
) -> None:
    """Open the MLflow web page on the store of this home."""
    from vdbench.experiment.home import Home
    from vdbench.experiment.tracking import mirror_file, tracking_uri

    place = Home.at(home)
    uri = tracking_uri(place)
    if rebuild:
        _rebuild(place)
    if uri.startswith(("http://", "https://", "databricks")):
        out.print(f"the store {uri} is a server of its own: open its address in a browser")
        return
    if not (os.environ.get("MLFLOW_TRACKING_URI") or mirror_file(place).is_file()):
        raise DataError(f"there is no MLflow store in {place.mlflow}; to write one, type:", ["mlflow", "--rebuild"])
    _check_port(port)
    _serve(uri, port)


def _rebuild(place: Home) -> None:
    from vdbench.experiment.tracking import MlflowMirror, tracking_uri

    mirror = MlflowMirror(place, "rebuilt from the results")
    count = 0
    for result in place.results.readable():
        mirror.record(result)
        count += 1
    mirror.close()
    if not mirror.recording:
        raise DataError(f"the results could not be written to {tracking_uri(place)}; the warning above says why")
    err.print(f"{counted(count, 'result')} written to {tracking_uri(place)}")


def _check_port(port: int) -> None:
    """Find out what MLflow would only tell in a traceback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(f"port {port} cannot be used ({error.strerror}); choose another one with --port") from None


def _serve(uri: str, port: int) -> None:
    """Run MLflow's server until somebody ends this command, and end it then.

    It has a session of its own, because a Ctrl-C would end it in the midst of its imports with a traceback. Whoever
    asks while it starts is heard once it has started, so that it never outlives this command.
    """
    running: subprocess.Popen[bytes] | None = None
    asked = False

    def end(*_: object) -> None:
        nonlocal asked
        asked = True
        if running is not None and running.poll() is None:
            os.killpg(running.pid, signal.SIGTERM)

    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, end)
    out.print(f"opening http://127.0.0.1:{port} on {uri}")
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, "--port", str(port)]
    running = subprocess.Popen(command, start_new_session=True)
    if asked:
        end()
    code = running.wait()
    if asked:
        raise KeyboardInterrupt
    raise VdbenchError(f"MLflow ended by itself, with exit code {code}; what it printed above says why")
