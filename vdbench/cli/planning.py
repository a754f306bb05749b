"""Where a plan looks at clips."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

    from vdbench.experiment.home import Home


def home_of_plan(ctx: typer.Context, asked: Path | None, datasets: str | None, dry_run: bool) -> Home:
    """The home that a plan is made for.

    Where only the plan is wanted, a home that is not there stays so: ids take the pixels of clips, which are then
    rendered into a folder that is removed when the command ends. Videos of a YAML file are decoded into the home all
    the same, since that may take hours.

    Args:
        ctx: of the command.
        asked: for what was typed as ``--home``.
        datasets: as they were typed.
        dry_run: whether only the plan is wanted.

    Raises:
        UsageError: it is no folder, cannot be written although that is wanted, or the user has none.
    """
    from vdbench.datasets.spec import is_file
    from vdbench.experiment.home import Home

    if not dry_run:
        return Home.at(asked)
    place = Home.to_read(asked)
    if place.root.exists() or any(map(is_file, (datasets or "").split(","))):
        return place
    folder = TemporaryDirectory(prefix="vdbench-")
    return Home(Path(ctx.with_resource(folder)))
