"""``vdbench doctor``: what this machine can run, and what it lacks for what."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from vdbench.cli.options import DataRootOption, HomeOption, JsonOption
from vdbench.cli.output import show_rows

if TYPE_CHECKING:
    from pathlib import Path

    from vdbench.experiment.diagnosis import Finding

COLUMNS = ("what", "state", "details", "needed_for")


def doctor(
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Also import every library, and compare Conv3d in bf16 with float32 on the GPU, or the CPU where "
            "there is none. Takes half a minute.",
        ),
    ] = False,
    data_root: DataRootOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what this machine can run: devices, decoders, libraries, data sets found, memory, free disk.

    Exit code 3 if something is missing that every run needs, or known to be wrong.
    """
    from vdbench.experiment import diagnosis
    from vdbench.experiment.home import Home

    place = Home.to_read(home).root
    rows = [
        *diagnosis.computer(place),
        *diagnosis.graphics(),
        *diagnosis.libraries(load=check),
        _decord(),
        *diagnosis.codecs(),
        *_known_faults(),
        *(diagnosis.convolutions() if check else []),
        *_data(data_root, place),
    ]
    show_rows("vdbench doctor", COLUMNS, [asdict(row) for row in rows], as_json)
    if any(row.state in ("missing", "wrong") for row in rows):
        raise typer.Exit(3)


def _known_faults() -> list[Finding]:
    """Of the versions here, where torch computes on a GPU at all."""
    from vdbench.experiment import diagnosis

    if diagnosis.cuda_of_torch() is None:
        return []
    return diagnosis.known_faults(diagnosis.version_of("torch"), diagnosis.cudnn_version())


def _decord() -> Finding:
    """The decoder that is used by itself. Without it nothing is missing: PyAV reads the same clips."""
    from vdbench.datasets.readers import reader_title
    from vdbench.errors import DependencyError
    from vdbench.experiment.diagnosis import Finding

    try:
        return Finding("decord", "ok", reader_title("decord"), "reading videos faster")
    except DependencyError as error:
        return Finding("decord", "none", f"{error.__cause__}; PyAV decodes the videos", "reading videos faster")


def _data(data_root: Path | None, home: Path) -> list[Finding]:
    from vdbench.datasets.spec import dataset_names

    return [_dataset(name, data_root, home) for name in dataset_names(home)]


def _dataset(name: str, data_root: Path | None, home: Path) -> Finding:
    """Whether a data set is prepared and found, or what is wrong with its declaration."""
    from vdbench.cli.datasets import state_of
    from vdbench.errors import VdbenchError
    from vdbench.experiment.diagnosis import Finding

    try:
        return Finding(name, **state_of(name, data_root, home))  # type: ignore[arg-type]
    except VdbenchError as error:
        return Finding(name, "unknown", str(error))
