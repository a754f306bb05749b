"""``vdbench doctor`` and ``vdbench mlflow``: what this machine can run, and a look into the MLflow store."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vdbench.cli.options import DataRootOption, HomeOption, JsonOption
from vdbench.cli.output import err, human_bytes, out, show_rows

if TYPE_CHECKING:
    from pathlib import Path

LIBRARIES = ("torch", "av", "ray", "mlflow", "diffusers", "sklearn", "pandas", "seaborn")


def doctor(data_root: DataRootOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Say what this machine can run: devices, decoders, data sets found, free disk."""
    from vdbench.experiment.home import Home

    place = Home.at(home)
    rows = [
        *_machine_rows(),
        *(_library_row(name) for name in LIBRARIES),
        _decord_row(),
        *_data_rows(data_root, place.root),
    ]
    free = shutil.disk_usage(place.root).free
    rows.append({"what": "home", "state": "ok", "details": f"{place.root}, {human_bytes(free)} free"})
    show_rows("vdbench doctor", ["what", "state", "details"], rows, as_json)
    if any(row["state"] == "missing" for row in rows):
        raise typer.Exit(3)


def _machine_rows() -> list[dict[str, Any]]:
    import psutil

    memory = human_bytes(psutil.virtual_memory().total)
    rows = [{"what": "processor", "state": "ok", "details": f"{os.cpu_count()} cores, {memory} of memory"}]
    try:
        import torch
    except ImportError:
        return rows
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return [*rows, {"what": "GPU", "state": "ok" if gpus else "none", "details": ", ".join(gpus) or "the CPU is used"}]


def _library_row(name: str) -> dict[str, Any]:
    try:
        module = importlib.import_module(name)
    except Exception as error:  # a broken wheel raises what it likes
        return {"what": name, "state": "missing", "details": f"{type(error).__name__}: {error}"}
    return {"what": name, "state": "ok", "details": str(getattr(module, "__version__", ""))}


def _decord_row() -> dict[str, Any]:
    """The decoder that is used by itself. Without it nothing is missing: PyAV reads the same clips."""
    from vdbench.datasets.readers import reader_title
    from vdbench.errors import DependencyError

    try:
        return {"what": "decord", "state": "ok", "details": reader_title("decord")}
    except DependencyError as error:
        return {"what": "decord", "state": "none", "details": f"{error.__cause__}; PyAV decodes the videos"}


def _data_rows(data_root: Path | None, home: Path) -> list[dict[str, Any]]:
    from vdbench.cli.datasets import state_of
    from vdbench.datasets.spec import dataset_names

    return [{"what": name, **state_of(name, data_root, home)} for name in dataset_names()]


def mlflow(
    port: Annotated[int, typer.Option(help="Port of the web page.")] = 5000,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="First write every stored result into it anew.")] = False,
    home: HomeOption = None,
) -> None:
    """Open the MLflow web page on the store of this home."""
    from vdbench.experiment.home import Home
    from vdbench.experiment.tracking import MlflowMirror, tracking_uri

    place = Home.at(home)
    if rebuild:
        mirror = MlflowMirror(place, "rebuilt from the results")
        count = 0
        for result in place.results.readable():
            mirror.record(result)
            count += 1
        mirror.close()
        err.print(f"{count} results written to {tracking_uri(place)}", markup=False)
    uri = tracking_uri(place)
    out.print(f"opening http://127.0.0.1:{port} on {uri}", markup=False, soft_wrap=True)
    if "://" in uri and not uri.startswith("sqlite"):
        out.print("the store is a server of its own: open its address in a browser", markup=False)
        return
    place.mlflow.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, "--port", str(port)]
    os.execv(sys.executable, command)
