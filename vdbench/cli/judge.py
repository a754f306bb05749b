"""``vdbench evaluate``: judge any distilled set, also one that no run of ours made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vdbench.cli.options import HomeOption, JsonOption, SetOption, parse_settings
from vdbench.cli.output import print_json, show_rows
from vdbench.errors import UsageError

if TYPE_CHECKING:
    from vdbench.distilled import DistilledSet
    from vdbench.evaluation.judging import Evaluation
    from vdbench.records import Score

COLUMNS = ("student", "labels", "seed", "top-1", "top-5", "macro", "shuffled", "still")


def evaluate(
    path: Annotated[
        Path,
        typer.Argument(
            help="A distilled set's folder; a file of tensors (.pt, .pth, .ckpt, .npy, .npz, .safetensors), or a "
            "folder of such files that make one set; or a folder of videos, in folders called as classes are, or "
            "called CLASS_001.mp4.",
        ),
    ],
    suite: Annotated[str | None, typer.Option(help="The protocol.", show_default="quick")] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="Test on this data set.", show_default="the one it was made from, or the suite's only one"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the students.", show_default="0", min=0)] = None,
    pixels: Annotated[
        str | None,
        typer.Option(
            help="What floats in a file of tensors mean: uint8 (0 to 255), unit (0 to 1), signed (-1 to 1), "
            "normalised (by mean and std of the suite's train clips), imagenet, kinetics, or mean=R,G,B:std=R,G,B. "
            "Integers are 0 to 255.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="A file of labels: tensors, or text with a class name or number per line. Without labels, here or "
            "with the clips, these are taken class by class, as many of each, in the order of the data set's classes.",
            show_default=False,
        ),
    ] = None,
    clips: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="Which clips, where a file of tensors holds several sets of them, such as data.1 for the second "
            "experiment.",
            show_default=False,
        ),
    ] = None,
    lr: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|none",
            help="The learning rate that was learned for the clips, which students are then trained with; none for "
            "that of the protocol.",
            show_default="the one beside the clips, if there is one",
        ),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            metavar="official|sorted|FILE",
            help="The order that class numbers count: the data set's own, that of its sorted names, or that of a text "
            "file with a name per line.",
            show_default="official",
        ),
    ] = None,
    verify: Annotated[
        str | None,
        typer.Option(
            metavar="RESULT.json|ID",
            help="Judge the set as this result says, and mark it as verified if they agree: on the same CPU and torch "
            "to the bit, else within 1 to 3 points of top-1 for every student's mean, by its number of networks.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
    set_: SetOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train fresh students on a distilled set and test them, under a suite's protocol.

    **Examples:** `vdbench evaluate distilled.pt --pixels unit --dataset ucf101 --suite clean`,
    `vdbench evaluate FOLDER --verify RESULT.json`
    """
    from vdbench.experiment.home import Home

    place = Home.at(home)
    said = {"pixels": pixels, "labels": labels, "clips": clips, "lr": lr, "classes": classes}
    if verify is not None:
        from vdbench.cli.verifying import verify_result

        asked: dict[str, object] = {"suite": suite, "dataset": dataset, "seed": seed, "set": set_}
        for option, value in (asked | said).items():
            if value is not None:
                raise UsageError(f"--{option} has no effect beside --verify: the result says it; leave it out")
        verify_result(path, verify, place, device, as_json)
        return

    from vdbench.api.sets import evaluate as judge
    from vdbench.distilled.outside.loading import Reading, is_outside

    outside = is_outside(path)
    for option, value in said.items():
        if value is not None and not outside:
            raise UsageError(f"--{option} has no effect on a distilled set of vdbench; leave it out")
    reading = Reading(pixels, labels, clips, lr, classes)
    changes = parse_settings(set_ or [])
    judged = judge(
        path, dataset, suite=suite or "quick", seed=seed or 0, set=changes, reading=reading, device=device, home=home
    )
    record = judged.distilled.record
    told = {"test_set": judged.evaluation.tested.fingerprint}
    assumed = {"assumed": record.settings | {"lr": record.step_size}} if outside else {}
    _show(judged.distilled, judged.evaluation, told | assumed, as_json)


def _show(distilled: DistilledSet, scores: Evaluation, told: dict[str, Any], as_json: bool) -> None:
    """Print the scores, as JSON beside what else is told of the set."""
    from vdbench.records import by_condition

    judged = list(by_condition(scores.students, scores.conditions))
    if as_json:
        print_json([{"labels": labels} | s.model_dump(mode="json") | told for labels, s in judged])
        return
    rows = [{"student": s.student, "labels": labels} | _cells(x) for labels, s in judged for x in s.scores]
    title = f"{distilled.record.method} on {distilled.record.dataset}, {len(distilled)} clips"
    if distilled.record.step_size is not None:
        title += f", at its learned step size {distilled.record.step_size:.3g}"
    show_rows(title, COLUMNS, rows, False)


def _cells(score: Score) -> dict[str, Any]:
    """The scores of one network as a row of the table."""
    shares = {
        "top-1": score.top1,
        "top-5": score.top5,
        "macro": score.macro,
        "shuffled": score.shuffled,
        "still": score.still,
    }
    return {"seed": score.seed} | {k: None if share is None else f"{100 * share:.1f} %" for k, share in shares.items()}
