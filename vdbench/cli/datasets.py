"""``vdbench datasets``: what there is, decoding it once, checking it, and looking at it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vdbench.cli.advice import command
from vdbench.cli.options import (
    DataRootOption,
    DatasetsArgument,
    HomeOption,
    JsonOption,
    PartialOption,
    PluginOption,
    choose_datasets,
    finite,
)
from vdbench.cli.output import err, out, print_json, show_rows
from vdbench.errors import DataError, UsageError, VdbenchError
from vdbench.storage.amounts import human_bytes
from vdbench.storage.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from vdbench.datasets.geometry import Geometry
    from vdbench.datasets.spec import DatasetSpec
    from vdbench.datasets.store import ClipStore
    from vdbench.experiment.home import Home

app = typer.Typer(no_args_is_help=True, help="List, prepare, verify and show data sets.")


SHEET_CLASSES = 24  # at most in the contact sheet, one clip each


_COLUMNS = ["name", "title", "classes", "splits", "clip", "prepared"]


@app.command("list")
def list_datasets(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List every data set that is declared, and which are prepared."""
    from vdbench.datasets.spec import dataset_names, load_dataset

    root = _home(home, to_read=True).root
    rows = []
    for name in dataset_names(root):
        try:
            spec = load_dataset(name, root)
        except VdbenchError as error:
            err.print(f"warning: {error}")
            continue
        shape = f"{spec.geometry.frames}x{spec.geometry.size}x{spec.geometry.size}"
        state = "embedded" if spec.layout == "rendered" else "when it is run" if spec.at_hand else "no"
        prepared = next((f"yes ({store})" for store in _stores(root, name)), state)
        title = spec.title or f"own data, {spec.layout}"
        rows.append(dict(zip(_COLUMNS, (name, title, spec.classes, list(spec.splits), shape, prepared), strict=True)))
    show_rows("Data sets", _COLUMNS, rows, as_json)


def _home(path: Path | None, to_read: bool = False) -> Home:
    from vdbench.experiment.home import Home

    return Home.to_read(path) if to_read else Home.at(path)


def _stores(root: Path, name: str) -> list[str]:
    """Folder names of the prepared stores of a data set, looked up without reading them."""
    found = (root / "stores").glob(f"{name}-*/manifest.json")
    return sorted(path.parent.name for path in found)


@app.command()
def prepare(
    names: DatasetsArgument,
    partial: PartialOption = False,
    reader: Annotated[
        str | None,
        typer.Option(
            help="The decoder: decord, pyav, or one of an installed package or a plugin file.",
            show_default="decord, or pyav where decord cannot be loaded",
        ),
    ] = None,
    plugin: PluginOption = None,
    frames: Annotated[int | None, typer.Option(help="Frames per clip.", show_default="the data set's", min=1)] = None,
    size: Annotated[int | None, typer.Option(help="Pixels per side.", show_default="the data set's", min=8)] = None,
    workers: Annotated[int | None, typer.Option(help="Processes.", show_default="one per core", min=1)] = None,
    timeout: Annotated[float, typer.Option(help="Seconds that one file may take.", min=0.1, callback=finite)] = 60.0,
    data_root: DataRootOption = None,
    home: HomeOption = None,
) -> None:
    """Decode data sets once into clip stores. Interrupted, it goes on where it was.

    **Example:** `vdbench datasets prepare ucf101,hmdb51 --data-root /data/videos`
    """
    from vdbench.api.progress import counting
    from vdbench.datasets.prepare import disk_needed
    from vdbench.datasets.prepare import prepare as decode
    from vdbench.extensions.kinds import use

    use(plugin or [])
    place = _home(home)
    for typed, spec in _specs(names, place.root):
        geometry = spec.geometry.at(frames, size)
        _tell_disk(spec, geometry, data_root, place.root)
        with counting(f"preparing {spec.name}", err) as on_progress:
            store = decode(
                spec,
                _absolute(data_root),
                place.root,
                reader=reader,
                workers=workers,
                partial=partial,
                timeout=timeout,
                geometry=geometry,
                on_progress=on_progress,
            )
        used = disk_needed(sum(clip.row is not None for clip in store.manifest.clips), geometry)
        for split in spec.splits:
            out.print(f"{spec.name}, {_summary(store, split)}")
        out.print(f"{spec.name}: {human_bytes(used)} in {store.folder}")
        _warn_of_faults(store, typed)


def _specs(names: str, home: Path) -> list[tuple[str, DatasetSpec]]:
    """Each data set as it was named, and its declaration."""
    from vdbench.datasets.spec import load_dataset

    return [(name, load_dataset(name, home)) for name in choose_datasets(names, home)]


def _tell_disk(spec: DatasetSpec, geometry: Geometry, data_root: Path | None, home: Path) -> None:
    """Say what is about to be written. Without a data root it is left to the sentence of the error that follows."""
    from vdbench.datasets.layouts import read_index
    from vdbench.datasets.prepare import disk_needed, video_root

    if spec.layout != "rendered" and (data_root is not None or spec.at_hand):
        index = read_index(spec, video_root(spec, _absolute(data_root), home))
        clips = len(index.entries) - len(index.missing)
        needed = human_bytes(disk_needed(clips, geometry))
        err.print(f"{spec.name}: {counted(clips, 'video')}, {needed} of disk")


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.expanduser().absolute()


def _summary(store: ClipStore, split: int) -> str:
    """What results of a split rest on, in the numbers that the leaderboard shows."""
    manifest = store.manifest
    clips, whole = manifest.judged(split), manifest.size(split)
    classes = f"{len(manifest.classes_of(split))} of {manifest.spec.classes} classes"
    counts = f"{clips['train']} train and {clips['test']} test clips"
    partial = f", {sum(clips.values())} of {whole.train + whole.test} (partial)" if manifest.partial else ""
    return f"split {split}: {classes}, {counts}{partial}"


def _warn_of_faults(store: ClipStore, typed: str) -> None:
    counts = Counter(clip.decode.status for clip in store.manifest.faults())
    if told := ", ".join(f"{count} {status}" for status, count in sorted(counts.items())):
        named = command("datasets", "show", typed)
        err.print(f"{store.manifest.spec.name}: {told}; `{named}` names them")
    clips = [clip.decode for clip in store.manifest.clips]
    if elsewhere := sum(decode.status == "ok" and decode.message != "" for decode in clips):
        err.print(
            f"{store.manifest.spec.name}: clips read by PyAV, because decord does not show them right: {elsewhere}"
        )
    if "timeout" in counts:
        err.print(f"to try those that hung again, delete {store.folder} and prepare with a longer --timeout")


@app.command()
def verify(names: DatasetsArgument, data_root: DataRootOption = None, home: HomeOption = None) -> None:
    """Hash every video, every stored clip and every view again, and name what has changed."""
    from vdbench.datasets.prepare import store_named
    from vdbench.datasets.prepare import verify as find_changes
    from vdbench.datasets.view import verify_views
    from vdbench.storage.digests import sealed

    place = _home(home, to_read=True)
    changed = []
    for typed, spec in _specs(names, place.root):
        store = store_named(typed, place.root, frames=1, size=1, look=False)
        faults = find_changes(store, _absolute(data_root))
        changed += [typed] * len(faults)
        if not sealed(store.folder):
            out.print(f"{spec.name}: its manifest carries no digest, since an earlier version prepared it")
        for fault in faults:
            out.print(f"{spec.name}: {fault}")
        if faults:
            out.print(f"{spec.name}: delete {store.folder} and prepare it again")
        else:
            out.print(f"{spec.name}: every file and every stored clip is what was prepared")
    for sentence in verify_views(place.root):
        out.print(sentence)
    if changed:
        again = ["datasets", "prepare", ",".join(dict.fromkeys(changed))]
        raise DataError(f"{counted(len(changed), 'fault')}; delete the stores above, and prepare them again:", again)


@app.command()
def show(
    name: str,
    split: Annotated[int, typer.Option(help="Which official split.", min=1)] = 1,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Where to write the contact sheet.", show_default="in the store")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show classes, counts and faults of a prepared data set, and write a contact sheet to look at."""
    from vdbench.clips.pictures import contact_sheet
    from vdbench.datasets.prepare import prepared_store

    with preparing(name) as on_progress:
        place = _home(home, to_read=True).root
        store = prepared_store(name, place, frames=1, size=1, on_progress=on_progress)
    manifest = store.manifest
    if split not in manifest.spec.splits:
        raise UsageError(f"{name} has no split {split}; there are: {', '.join(map(str, manifest.spec.splits))}")
    train, test = manifest.usable(split, "train"), manifest.usable(split, "test")
    counts = {part: Counter(clip.class_name for clip in clips) for part, clips in (("train", train), ("test", test))}
    rows: list[dict[str, Any]] = [
        {"class": label, "train": counts["train"][label], "test": counts["test"][label]}
        for label in sorted(counts["train"] | counts["test"])
    ]
    faults = [{"clip": c.id, "status": c.decode.status, "what": c.decode.message} for c in manifest.faults()]
    present = [fault for fault in faults if fault["status"] != "missing"]
    path = sheet or store.folder / "contact-sheet.png"
    first = {clip.class_name: clip for clip in reversed(train)}
    shown = [first[label] for label in sorted(first)][:SHEET_CLASSES]
    clips = store.clips[[clip.row for clip in shown if clip.row is not None]]
    try:
        contact_sheet(clips, [clip.class_name for clip in shown], path)
    except OSError as error:
        if sheet is not None:
            raise
        err.print(f"no contact sheet is written ({error.strerror}); name a file for it with --sheet")
    if as_json:
        value = {"name": name, "split": split, "partial": manifest.partial, "fingerprint": manifest.fingerprint}
        print_json(value | {"classes": rows, "faults": faults, "sheet": str(path) if path.exists() else None})
        return
    show_rows(f"{name}, {_summary(store, split)}", ["class", "train", "test"], rows, False)
    if present:
        show_rows("Faults", ["clip", "status", "what"], present, False)
    if missing := len(faults) - len(present):
        out.print(f"missing of the clips that the split files name: {missing:,}")
    if path.exists():
        out.print(f"contact sheet: {path}")


def preparing(name: str) -> AbstractContextManager[Callable[[int, int], None]]:
    """Show how far preparing a data set is, where it has to be prepared."""
    from vdbench.api.progress import counting

    return counting(f"preparing {name}", err)


def state_of(name: str, data_root: Path | None, home: Path) -> dict[str, str]:
    """For ``vdbench doctor``: whether a data set is prepared, and whether its videos are found."""
    from vdbench.datasets.layouts import read_index
    from vdbench.datasets.prepare import video_root
    from vdbench.datasets.spec import load_dataset

    spec = load_dataset(name, home)
    prepared = "prepared" if _stores(home, name) else "not prepared"
    if spec.layout == "rendered":
        return {"state": "ok", "details": f"embedded, {prepared}"}
    if data_root is None and not spec.at_hand:
        return {"state": "unknown", "details": f"{prepared}; give --data-root to look for its videos"}
    try:
        index = read_index(spec, video_root(spec, _absolute(data_root), home))
    except VdbenchError as error:
        return {"state": "absent", "details": f"{prepared}; {error}"}
    there = len(index.entries) - len(index.missing)
    return {"state": "found", "details": f"{there} of {len(index.entries)} clips, {prepared}"}
