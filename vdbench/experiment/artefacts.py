"""Distilled sets on disk: made once, whatever judges them, with their cost, their curves and pictures."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vdbench.clips.codecs import parse_codec
from vdbench.clips.pictures import contact_sheet, preview_video
from vdbench.distilled import DistilledSet
from vdbench.distilled.recoding import stored_as
from vdbench.distilled.soundness import check_set
from vdbench.errors import UsageError
from vdbench.experiment.result import Curve, Stage
from vdbench.storage import files
from vdbench.work.checkpoints import Checkpoint
from vdbench.work.measure import CODE, measured

if TYPE_CHECKING:
    from vdbench.experiment.home import Home
    from vdbench.experiment.trial import Trial
    from vdbench.method import Method, Task

COST = "cost.json"
"""Beside a distilled set: what making it took."""
CURVES = "curves.json"
"""And what was reported meanwhile."""
PREVIEWS = "previews"
"""Beside a learned one: a preview per class."""
PICTURES = "preview*"
"""What may be lost of a distilled set without harm to a result."""


class Made(NamedTuple):
    """A distilled set as its method returned it, what that took, and what was reported meanwhile."""

    distilled: DistilledSet
    cost: Stage
    curves: Mapping[str, Curve]


def make(trial: Trial, home: Home, method: Method[Any], task: Task, curves: Callable[[], Mapping[str, Curve]]) -> Made:
    """Make the distilled set, unless a trial with other students or, for some methods, another seed made it."""
    checkpoint = Checkpoint(home.checkpoints(trial.distillation_id))

    def build(draft: Path) -> None:
        with measured(task.device) as cost:
            distilled = checkpoint.resumed(lambda: method.distill(task))
        check_set(distilled, task.train, trial.ipc, method.name)
        distilled.save(draft)
        _preview(distilled, draft)
        files.write_json(draft / COST, Stage(**asdict(cost), code=CODE).model_dump(mode="json"))
        files.write_json(draft / CURVES, curves())

    made = files.made_once(home.artefact(trial.distillation_id), build, _load, unsealed=PICTURES)
    checkpoint.forget()
    return made


def store(trial: Trial, home: Home, made: DistilledSet) -> DistilledSet:
    """The distilled set as the trial stores it.

    Raises:
        UsageError: it takes more bytes than the trial allows.
    """
    allowed = trial.budget_bytes
    if trial.codec is not None:
        made = stored_as(made, parse_codec(trial.codec), allowed)
    elif allowed is not None and made.stored_bytes > allowed:
        raise UsageError(
            f"{trial.method} returned {made.stored_bytes} bytes for a budget of {allowed}, more than its "
            "stored_bytes() promised; correct that, or raise --budget"
        )
    if trial.storage_id == trial.distillation_id:
        return made

    def build(draft: Path) -> None:
        made.save(draft)
        _preview(made, draft)

    return files.made_once(home.artefact(trial.storage_id), build, DistilledSet.load, unsealed=PICTURES)


def _load(folder: Path) -> Made:
    points = json.loads((folder / CURVES).read_text(encoding="utf-8"))
    curves = {name: tuple((step, value) for step, value in curve) for name, curve in points.items()}
    cost = Stage.model_validate_json((folder / COST).read_text(encoding="utf-8"))
    return Made(DistilledSet.load(folder), cost, curves)


def _preview(distilled: DistilledSet, folder: Path) -> None:
    """A contact sheet and a playing preview of the clips; of learned ones, a preview of each class as well."""
    clips = distilled.pixels().numpy()
    names = [distilled.record.classes[label] for label in distilled.labels()]
    try:
        contact_sheet(clips, names, folder / "preview.png")
        preview_video(clips, names, folder / "preview.mp4")
        if distilled.record.provenance.pool == "learned":
            for label, name in enumerate(distilled.classes):
                file = f"{label:03}-{re.sub('[^A-Za-z0-9]+', '-', name).strip('-')}.mp4"
                own = clips[distilled.labels().numpy() == label]
                preview_video(own, [name] * len(own), folder / PREVIEWS / file)
    except Exception as error:  # a picture is not worth a trial
        warnings.warn(f"there is no preview of {folder.name}: {error}", stacklevel=1)
