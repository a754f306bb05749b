"""``vdbench evaluate``: judge any distilled set, also one that no run of ours made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from vdbench.cli.options import HomeOption, JsonOption, SetOption, parse_settings
from vdbench.cli.output import err, show_rows
from vdbench.errors import UsageError


def evaluate(
    artefact: Annotated[Path, typer.Argument(help="Folder with distilled.json and tensors.safetensors.")],
    suite: Annotated[str, typer.Option(help="The protocol.")] = "quick",
    dataset: Annotated[
        str | None, typer.Option(help="Test on this data set.", show_default="the one it was made from")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the students.", min=0)] = 0,
    set_: SetOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train fresh students on a distilled set and test them, under a suite's protocol."""
    import torch

    from vdbench.cli.datasets import store_for
    from vdbench.datasets.view import open_view
    from vdbench.distilled import DistilledSet
    from vdbench.evaluate import judge
    from vdbench.experiment.home import Home
    from vdbench.experiment.suite import load_suite
    from vdbench.experiment.trial import student_seeds

    changes = parse_settings(set_ or [])
    protocol = load_suite(suite, changes.pop("protocol", None)).protocol
    if changes:
        raise UsageError(f"--set {next(iter(changes))}... has no effect here; only protocol.* can be set")
    distilled = DistilledSet.load(artefact)
    place = Home.at(home)
    store = store_for(dataset or distilled.record.dataset, place, protocol.frames, protocol.size)
    view = open_view(store, place.root, **protocol.data())
    if distilled.record.train_fingerprint != view.train.fingerprint:
        err.print("warning: it was made from other clips than this suite's train split")
    held_out = view.test if protocol.evaluate_on == "test" else view.validation
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    seeds = student_seeds(seed, protocol.evaluation_seeds)
    verdict = judge(distilled, held_out, protocol.students, protocol.recipe, seeds, device)
    judged = [
        *((distilled.record.labels, scores) for scores in verdict.students),
        *(("hard", scores) for scores in verdict.hard_labels),
    ]
    if as_json:
        print(json.dumps([{"labels": labels} | s.model_dump(mode="json") for labels, s in judged], indent=2))
        return
    rows = [
        {
            "student": s.student,
            "labels": labels,
            "seed": x.seed,
            "top1": f"{100 * x.top1:.1f} %",
            "top5": f"{100 * x.top5:.1f} %",
        }
        for labels, s in judged
        for x in s.scores
    ]
    title = f"{distilled.record.method} on {distilled.record.dataset}, {len(distilled)} clips"
    if distilled.record.step_size is not None:
        title += f", at its learned step size {distilled.record.step_size:.3g}"
    show_rows(title, ["student", "labels", "seed", "top1", "top5"], rows, False)
