"""``vdbench results gc``: what no result refers to, and removing it."""

from __future__ import annotations

from typing import Annotated

import typer

from vdbench.cli.options import HomeOption, JsonOption
from vdbench.cli.output import err, out, print_json, show_rows


def gc(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what can go.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove what no stored result refers to, after a look at it.

    Distilled sets and logs without results, assets and pools of train splits without results, checkpoints of
    unfinished trials, what was set aside as damaged, and drafts of killed processes. Results, stores and views stay. An
    interrupted run goes on faster while its distilled sets and checkpoints are there: finish it first.
    """
    from vdbench.experiment.home import Home
    from vdbench.experiment.leftovers import leftovers, remove
    from vdbench.storage import files
    from vdbench.storage.amounts import human_bytes

    place = Home.at(home)
    with files.sole_user(place.root):
        found = leftovers(place)
        rows = [left._asdict() | {"path": str(left.path.relative_to(place.root))} for left in found]
        total = human_bytes(sum(left.bytes for left in found))
        if as_json:
            print_json(rows)
        elif found:
            shown = [row | {"size": human_bytes(row["bytes"])} for row in rows]
            show_rows("What no result refers to", ["kind", "path", "size"], shown, False)
        if not found:
            err.print("every file here belongs to a result")
            return
        err.print(f"{len(found)} can go, which frees {total}")
        if dry_run:
            return
        if not yes:
            typer.confirm("remove them?", abort=True, err=True)
        for left in found:
            remove(left)
        out_of = err if as_json else out
        out_of.print(f"{total} freed")
