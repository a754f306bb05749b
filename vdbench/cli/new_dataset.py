"""``vdbench datasets new``: a data set of one's own, declared from a folder or a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vdbench.cli.advice import command
from vdbench.cli.options import HomeOption, split_list
from vdbench.cli.output import err, out
from vdbench.errors import DataError, UsageError

Folder = Annotated[
    Path | None,
    typer.Option(
        "--videos",
        metavar="FOLDER",
        help="A folder with a folder of videos per class, at any depth; also inside of train, test and val folders. "
        "With --csv, what its paths count from.",
        show_default=False,
    ),
]
Table = Annotated[
    Path | None,
    typer.Option(
        "--csv",
        metavar="FILE",
        help="A table with the columns path and label and, if need be, split, group, start and end (in seconds).",
        show_default=False,
    ),
]
HuggingFace = Annotated[
    Path | None,
    typer.Option("--hf", metavar="FOLDER", help="A Hugging Face videofolder.", show_default=False),
]


def new(
    name: Annotated[str, typer.Argument(help="What it is to be called.")],
    videos: Folder = None,
    csv: Table = None,
    hf: HuggingFace = None,
    like: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The published data set that --videos is laid out as: ucf, hmdb, ...",
            show_default=False,
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OURS=THEIRS", help="A column of the table that has another name. Repeatable.", show_default=False
        ),
    ] = None,
    class_level: Annotated[
        int, typer.Option(help="Which folder on the way to a video is its class; -1 for the one it lies in.")
    ] = 1,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX",
            help="Finds in a file's name what it shares with the others of its group, such as the person or the "
            "recording; no group is in both train and test.",
            show_default="each file by itself",
        ),
    ] = None,
    test: Annotated[
        float | None,
        typer.Option(
            help="Share of each class to test on.", show_default="0.25 where no split is given", min=0.01, max=0.99
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the split.", min=0)] = 0,
    splits: Annotated[int, typer.Option(help="How many splits to make, each with the next seed.", min=1)] = 1,
    classes: Annotated[
        str | None,
        typer.Option(metavar="LIST|FILE", help="Only these classes; or a file with one per line.", show_default=False),
    ] = None,
    frames: Annotated[int | None, typer.Option(help="Frames per clip.", show_default="16", min=1)] = None,
    size: Annotated[int | None, typer.Option(help="Pixels per side.", show_default="112", min=8)] = None,
    partial: Annotated[
        bool,
        typer.Option("--partial", help="Go on without missing files, and without classes that are too small to test."),
    ] = False,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE.yaml", help="Where to write it.", show_default="in the home")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an earlier declaration of that name.")] = False,
    home: HomeOption = None,
) -> None:
    """Declare your own videos as a data set: writes a short YAML file that can be edited.

    **Examples:** `vdbench datasets new lab --videos FOLDER`, then `vdbench run --datasets lab --suite quick`

    `vdbench datasets new lab --csv clips.csv --group "^(subject[0-9]+)"`
    """
    from vdbench.datasets.new import GEOMETRY, Wish, new_dataset
    from vdbench.experiment.home import Home

    wish = Wish(
        videos=videos,
        csv=csv,
        hf=hf,
        like=like,
        columns=_columns(column or []),
        class_level=class_level,
        group=group,
        test=test,
        seed=seed,
        splits=splits,
        classes=None if classes is None else _listed(classes),
        geometry=GEOMETRY.at(frames, size) if frames or size else None,
        partial=partial,
    )
    made = new_dataset(name, wish, Home.at(home).root, to, replace=replace)
    for split in made.spec.splits:
        counts = f"{made.index.named(split, 'train')} train and {made.index.named(split, 'test')} test clips"
        groups = len({entry.group for entry in made.index.entries})
        out.print(f"{name}, split {split}: {len(made.index.classes)} classes, {counts}, {groups} groups")
    if made.index.unlisted:
        out.print(f"{name}: {len(made.index.unlisted)} clips are in no split; validation is held out of train")
    if made.lacking is not None:
        err.print(f"{name} is not complete: {made.lacking}")
    typed = name if to is None else str(to)
    out.print(f"wrote {made.file}; next: {command('run', '--datasets', typed, '--suite', 'quick')}")


def _columns(assignments: list[str]) -> dict[str, str]:
    found = {}
    for text in assignments:
        ours, equals, theirs = text.partition("=")
        if not (ours and equals and theirs):
            raise UsageError(f"--column {text} is not of the form OURS=THEIRS, such as label=verb")
        found[ours] = theirs
    return found


def _listed(classes: str) -> list[str]:
    """Classes typed with commas between, or a file's lines."""
    path = Path(classes).expanduser()
    if not path.is_file():
        return split_list(classes)
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the list of classes {path} cannot be read ({error}); write a class per line") from error
