"""``vdbench generator``: train what fills a pool, sample the pool, score it, and look at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vdbench.cli.generating import PAIRS, SCORES, SHEET, Work, no_pool, sampled, scored, stored_scores, works
from vdbench.cli.generator_facts import generator_facts, mirror, pool_facts
from vdbench.cli.options import DataRootOption, DatasetsArgument, HomeOption, JsonOption, PartialOption, SetOption
from vdbench.cli.output import out, print_json, show_rows
from vdbench.storage.amounts import human_bytes, human_seconds

if TYPE_CHECKING:
    from vdbench.generator.scores import PoolScores

app = typer.Typer(no_args_is_help=True, help="Train, sample, score and show what fills the generated pool.")


SuiteOption = Annotated[
    str, typer.Option(help="Whose protocol gives clips and train split, and whose settings the generator has.")
]
ExportOption = Annotated[
    Path | None,
    typer.Option("--to", help="Also copy it into this folder, as generators ship with vdbench.", show_default=False),
]
EMBEDDED = "motion-digits"


@app.command()
def train(
    dataset: DatasetsArgument = EMBEDDED,
    suite: SuiteOption = "quick",
    set_: SetOption = None,
    partial: PartialOption = False,
    to: ExportOption = None,
    data_root: DataRootOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the generator of a data set, unless it is there already. Interrupted, it goes on where it was.

    Where a generator ships with vdbench, that one is taken; `--set generator.source=trained` trains one nevertheless.
    """
    from vdbench.generator.shipped import export

    told = []
    for work in works(dataset, suite, set_, partial, home):
        with work.undisturbed():
            found = work.get(work.pool.generator)
            facts = generator_facts(work, found)
            if to is not None:
                facts["copy"] = str(export(work.pool.generator, found, work.name, work.view.train, to))
            mirror(work, work.assets.folder(work.pool.generator).name, "generator", facts)
        told.append(facts)
    _tell("generator", told, as_json)


@app.command()
def sample(
    dataset: DatasetsArgument = EMBEDDED,
    suite: SuiteOption = "quick",
    set_: SetOption = None,
    partial: PartialOption = False,
    data_root: DataRootOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sample the pool of a data set, unless it is there already, and write a contact sheet of it."""
    told = []
    for work in works(dataset, suite, set_, partial, home):
        with work.undisturbed():
            facts = pool_facts(work, sampled(work))
            mirror(work, work.assets.folder(work.pool).name, "pool", facts)
        told.append(facts)
    _tell("pool", told, as_json)


@app.command()
def score(
    dataset: DatasetsArgument = EMBEDDED,
    suite: SuiteOption = "quick",
    set_: SetOption = None,
    partial: PartialOption = False,
    seed: Annotated[int, typer.Option(help="Of the student that judges.", min=0)] = 0,
    data_root: DataRootOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score the pool of a data set against real clips; it is sampled first if need be.

    A student that was trained on the real train split says of which class the generated clips are, and its features
    tell how near they are to train clips and to clips that were held out.
    """
    told = []
    for work in works(dataset, suite, set_, partial, home):
        with work.undisturbed():
            pool = sampled(work)
            scores = scored(work, pool, seed)
            facts = pool_facts(work, pool)
            mirror(work, work.assets.folder(work.pool).name, "pool", facts, scores)
        told.append(facts | {"scores": scores.model_dump(mode="json")})
        if not as_json:
            _show_scores(work, scores)
    if as_json:
        _tell("pool", told, as_json)


@app.command()
def show(
    dataset: DatasetsArgument = EMBEDDED,
    suite: SuiteOption = "quick",
    set_: SetOption = None,
    partial: PartialOption = False,
    data_root: DataRootOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show where the pool of a data set comes from and its scores, if it was scored, and write its contact sheet."""
    from vdbench.experiment.home import Home

    place, told = Home.to_read(home), []
    for work in works(dataset, suite, set_, partial, place):
        if not work.assets.folder(work.pool).is_dir():
            raise no_pool(place, work.name)
        facts, scores = pool_facts(work, sampled(work)), stored_scores(work)
        told.append(facts | {"scores": scores.model_dump(mode="json") if scores else None})
        if not as_json:
            _tell("pool", [facts], as_json)
            if scores:
                _show_scores(work, scores)
    if as_json:
        _tell("pool", told, as_json)


def _tell(title: str, told: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    for facts in told:
        rows = [{"what": key.replace("_", " "), "value": _words(key, value)} for key, value in facts.items()]
        show_rows(f"{facts['dataset']}: {title}", ["what", "value"], rows[1:], False)
        if facts["source"].startswith("ships with"):
            out.print("to train one here, add --set generator.source=trained")


def _words(key: str, value: Any) -> Any:
    if key == "final_losses":
        return ", ".join(f"{name} {loss:.4f}" for name, loss in value.items())
    formats = {"seconds": human_seconds, "bytes": human_bytes}
    return formats[key](value) if key in formats else value


def _show_scores(work: Work, scores: PoolScores) -> None:
    rows: list[dict[str, Any]] = [
        {
            "class": c.name,
            "clips": c.clips,
            "right": _percent(c.accuracy),
            "held-out right": _percent(c.held_out_accuracy),
            "else taken for": c.taken_for,
        }
        for c in scores.classes
    ]
    mean = {"class": "all", "clips": scores.clips[0], "right": _percent(scores.accuracy), "else taken for": None}
    rows.append(mean | {"held-out right": _percent(scores.held_out_accuracy)})
    title = f"{work.title}: what a student that was trained on train takes generated clips for"
    show_rows(title, list(rows[0]), rows, False)
    sets = [
        {
            "clips": f"{s.judged} against {s.against}",
            "Fréchet": f"{s.frechet:.3g}",
            "precision": f"{s.precision:.3f}",
            "recall": f"{s.recall:.3f}",
        }
        for s in scores.sets
    ]
    generated, train, unseen = scores.clips
    title = (
        f"Sets in its features: {generated} generated, {train} train and {unseen} held-out ({scores.held_out}) clips"
    )
    show_rows(title, list(sets[0]), sets, False)
    near = [
        {
            "distance": n.space,
            "generated": f"{n.generated:.3g}",
            "held-out": f"{n.held_out:.3g}",
            "ratio": f"{n.ratio:.2f}",
            "nearer than 95 % of held-out": _percent(n.near),
        }
        for n in scores.nearest
    ]
    show_rows("Medians of the distance to the nearest train clip", list(near[0]), near, False)
    for name in (SHEET, PAIRS, SCORES):
        out.print(f"{work.folder / name}")


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.1f} %"
