"""``vdbench home``: whether it holds what was written into it."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import Annotated, Any

import typer

from vdbench.cli.options import HomeOption, JsonOption
from vdbench.cli.output import err, out, print_json, show_rows
from vdbench.errors import DataError
from vdbench.storage.text import counted

app = typer.Typer(no_args_is_help=True, help="Check the folder in which vdbench keeps what it makes.")


@app.callback()
def _group() -> None:
    """Keep this a group, though it has one command."""


@app.command()
def check(
    everything: Annotated[bool, typer.Option("--all", help="Compare every byte of stores and views too.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Set aside what is made again by itself.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare stores, views, assets, distilled sets, results and test sets with their digests.

    Of stores and views, a sample is read. Exit code 3 if something is damaged and was not set aside.
    """
    from vdbench.experiment.checkup import check_home, set_aside
    from vdbench.experiment.home import Home
    from vdbench.storage import files

    place = Home.at(home) if repair else Home.to_read(home)
    with files.sole_user(place.root) if os.access(place.root, os.W_OK) else nullcontext():
        found = check_home(place, everything)
        rows: list[dict[str, Any]] = [
            damage._asdict() | {"path": str(damage.path.relative_to(place.root))} for damage in found.damaged
        ]
        if as_json:
            print_json({"looked": found.looked, "unsealed": found.unsealed, "damaged": rows})
        elif rows:
            show_rows("Damaged", ["kind", "path", "fault"], rows, False)
        looked = ", ".join(counted(count, kind) for kind, count in found.looked.items()) or "nothing is here yet"
        told = err if as_json else out
        told.print(f"{looked}; {len(rows)} damaged")
        if found.unsealed:
            told.print(
                f"{counted(found.unsealed, 'folder')} of an earlier version, without digests, could not be compared"
            )
        left = [damage for damage in found.damaged if not (repair and damage.remade)]
        for damage in found.damaged if repair else ():
            set_aside(damage)
    if left:
        if any(damage.kind == "store" for damage in left):
            cure = "prepare the data set again"
        elif any(damage.remade for damage in left):
            cure = "add --repair, and type the command of the run again"
        else:
            cure = "upgrade vdbench to read them"
        raise DataError(f"{counted(len(left), 'thing is', 'things are')} damaged, or of a later version; {cure}")
