"""``vdbench export``: a distilled set as files that need no vdbench."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vdbench.cli.options import HomeOption
from vdbench.cli.output import err, out
from vdbench.errors import DataError
from vdbench.storage.amounts import human_bytes
from vdbench.storage.text import counted

if TYPE_CHECKING:
    from vdbench.experiment.home import Home
    from vdbench.experiment.result import Result


def export(
    distilled: Annotated[str, typer.Argument(metavar="SET", help="A distilled set's folder, or the id of a result.")],
    to: Annotated[
        Literal["folder", "hf", "webdataset"],
        typer.Option(
            help="folder: a folder of videos per class; hf: the same as the library datasets wants it, for the "
            "Hugging Face hub; webdataset: archives of samples."
        ),
    ] = "folder",
    place: Annotated[
        Path | None,
        typer.Option("--out", help="A new folder for it.", show_default="the name of the set and --to, here"),
    ] = None,
    frames: Annotated[
        str,
        typer.Option(metavar="h264:QUALITY|png", help="What clips are written as: h264 loses a little, png nothing."),
    ] = "h264:18",
    licence: Annotated[
        str | None,
        typer.Option(
            help="The licence that the card names, such as cc-by-4.0.", show_default="other, the data set's terms"
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Write a distilled set as videos or pictures with labels and a card, for people who do not have vdbench.

    `vdbench evaluate` reads the folder back.

    **Examples:** `vdbench export 3f9a --to hf`, `vdbench export FOLDER --to webdataset --frames png`
    """
    from vdbench.clips.frames import parse_frames
    from vdbench.distilled.sharing.reading import open_set
    from vdbench.distilled.sharing.writing import write
    from vdbench.experiment.cards import Card
    from vdbench.experiment.home import Home
    from vdbench.experiment.submissions import may_be_handed_on

    spec = parse_frames(frames)
    kept = Home.to_read(home)
    folder, results = _found(distilled, kept)
    what = open_set(folder)
    target = place if place is not None else Path(f"{what.record.dataset}-{what.record.method}-{folder.name}-{to}")
    named = results[0].id if results else folder.name
    words = ["export", named, "--to", to, "--frames", str(spec), *(["--licence", licence] if licence else [])]
    write(what, target, to, spec, Card(what, to, spec, results, licence, words, kept.root).text)
    size = human_bytes(sum(path.stat().st_size for path in target.rglob("*") if path.is_file()))
    out.print(
        f"{counted(len(what), 'clip')} in {counted(len(what.classes), 'class', 'classes')} written to {target}, {size}"
    )
    if not may_be_handed_on(what.record.dataset, what.record.provenance):
        err.print(
            f"warning: it is made from clips of {what.record.dataset}, whose terms decide whether it may be handed on; "
            "its README.md names them"
        )


def _found(named: str, home: Home) -> tuple[Path, list[Result]]:
    """The folder of a set, and the results that were measured on it.

    Raises:
        DataError: it is not in the home.
        UsageError: no result, or more than one, has an id that begins so.
    """
    from vdbench.cli.results import find_result
    from vdbench.distilled.distilled_set import TENSORS
    from vdbench.storage.files import file_sha256

    folder = Path(named)
    if not folder.is_dir():
        if folder.suffix or len(folder.parts) > 1:
            raise DataError(f"there is no distilled set {named}; name its folder, or the id of a result")
        _, result = find_result(named, home.results)
        if result.distilled is None:
            raise DataError(f"result {result.id} failed, so that there is no distilled set; run its trial again")
        folder = home.artefact(Path(result.distilled).name)
        if not folder.is_dir():
            raise DataError(f"the distilled set of result {result.id} is no longer in {home.root}; run its trial again")
    sha256 = file_sha256(folder / TENSORS) if (folder / TENSORS).is_file() else None
    return folder, [result for result in home.results.readable() if sha256 is not None and result.artefact == sha256]
