"""What is told of a generator and its pool: on the screen, and in MLflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vdbench.cli.generating import PAIRS, SHEET, Work, sampled

if TYPE_CHECKING:
    from vdbench.clips.pool import Pool
    from vdbench.generator.scores import PoolScores
    from vdbench.generator.source import Generator


def generator_facts(work: Work, found: Generator) -> dict[str, Any]:
    """What a generator is, for people and for MLflow."""
    record, spec = found.record, work.pool.generator
    return {
        "dataset": work.title,
        "generator": record.name,
        "source": spec.describe()["source"],
        "saw": record.saw,
        "weights": record.weights,
        "parameters": record.parameters,
        "seconds": record.seconds,
        "final_losses": {name: curve[-1][1] for name, curve in losses(work).items()},
        "folder": str(found.folder),
    }


def losses(work: Work) -> dict[str, list[tuple[int, float]]]:
    """Steps and losses of the denoiser and of its autoencoder, of what was trained here or ships with vdbench."""
    from vdbench.generator.fitting import with_steps

    spec = work.pool.generator
    folders = {"denoiser": spec, **{part.kind.removesuffix("s"): part for part in spec.parts()}}
    curves = {}
    for name, asset in folders.items():
        path = work.assets.folder(asset) / "losses.json"
        if path.is_file():
            stored = json.loads(path.read_text(encoding="utf-8"))
            pairs = stored if stored and isinstance(stored[0], list) else with_steps(stored)
            curves[f"{name} loss"] = [(int(step), float(loss)) for step, loss in pairs]
    return curves


def pool_facts(work: Work, pool: Pool) -> dict[str, Any]:
    """What a pool is, for people and for MLflow."""
    return {
        "dataset": work.title,
        "source": work.pool.generator.describe()["source"],
        **pool.record.model_dump(mode="json"),
        "clips": len(pool.clips),
        "folder": str(work.assets.folder(work.pool)),
        "sheet": str(sheet) if (sheet := work.folder / SHEET).is_file() else None,
    }


def log_pool(work: Work) -> None:
    """Write a pool that is there into MLflow, and its generator, with a contact sheet."""
    found = work.assets.get(work.pool.generator)
    mirror(work, work.assets.folder(work.pool.generator).name, "generator", generator_facts(work, found))
    mirror(work, work.assets.folder(work.pool).name, "pool", pool_facts(work, sampled(work)))


def mirror(work: Work, asset: str, what: str, facts: dict[str, Any], scores: PoolScores | None = None) -> None:
    """Write a generator or a pool into MLflow: its curves, its scores and its contact sheet."""
    from vdbench.experiment.tracking import MlflowMirror, SharedWork

    shared = SharedWork(
        asset=asset,
        title=f"{what} {facts['generator']} {work.name}",
        params={key: value for key, value in facts.items() if not isinstance(value, dict)},
        numbers=_numbers(scores) if scores else {},
        curves=losses(work),
        files=[path for path in (work.folder / SHEET, work.folder / PAIRS) if what == "pool" and path.is_file()],
    )
    MlflowMirror(work.place, shared.title).record_work(shared)


def _numbers(scores: PoolScores) -> dict[str, float]:
    numbers = {"accuracy": scores.accuracy, "held-out accuracy": scores.held_out_accuracy}
    for s in scores.sets:
        for name in ("frechet", "precision", "recall"):
            numbers[f"{name}/{s.judged} against {s.against}"] = getattr(s, name)
    for n in scores.nearest:
        numbers |= {f"nearest ratio/{n.space}": n.ratio, f"near/{n.space}": n.near}
    return numbers
