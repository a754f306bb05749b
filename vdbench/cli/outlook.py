"""What a run will do and how long that takes, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vdbench.storage.amounts import human_bytes, human_seconds

if TYPE_CHECKING:
    from vdbench.experiment.estimate import Estimate
    from vdbench.experiment.plan import Plan


def training_words(plan: Plan, cost: Estimate) -> str | None:
    """That a generator is trained first, how long that takes, and how to leave it out; None where none is."""
    trained = [some for some in cost.shared if some.training_of is not None]
    if not trained:
        return None
    names = ", ".join(str(some.training_of) for some in trained)
    kinds = {"autoencoders", "generators"}
    seconds = sum(some.seconds for some in cost.shared if some.what.split()[0] in kinds)
    takes = f", about {human_seconds(seconds)}" if not kinds & set(cost.uncounted) else ""
    generators = "a generator is" if len(trained) == 1 else "generators are"
    return f"{generators} trained first for {names}{takes}; to leave that out: --methods {without_training(plan)}"


def without_training(plan: Plan) -> str:
    """What to type after ``--methods`` for the same methods on real clips alone."""
    from vdbench.registry import Registry

    registry = Registry(plan.jobs[0].plugins)
    chosen = dict.fromkeys((job.trial.method, job.trial.pool) for job in plan.jobs if not job.trial.control)
    real = {name for name, pool in chosen if pool is not None}
    everything = {name for name, _ in registry.resolve(["all@real"])}
    controls = {job.trial.method for job in plan.jobs if job.trial.control}
    selectors = ["all@real"] if everything <= real | controls else [f"{name}@real" for name in sorted(real)]
    return ",".join([*selectors, *(name for name, pool in chosen if pool is None)])


def shared_words(cost: Estimate) -> str | None:
    """The work that comes before the trials; None where there is none."""
    if not cost.shared:
        return None
    parts = [
        f"{some.count} x {some.what}{f' ({human_seconds(some.seconds)})' if some.seconds >= 1 else ''}"
        for some in cost.shared
    ]
    return f"shared work first: {', '.join(parts)}"


def estimate_words(cost: Estimate) -> str:
    """The time and the disk."""
    return f"estimated {human_seconds(cost.seconds)} and {human_bytes(cost.bytes)} of disk, {cost.basis}"


def as_values(cost: Estimate) -> dict[str, Any]:
    """The same for programs."""
    shared = [{"what": some.what, "count": some.count, "seconds": some.seconds} for some in cost.shared]
    return {"seconds": cost.seconds, "bytes": cost.bytes, "shared": shared, "not_counted": list(cost.uncounted)}
