"""The conformance suite: what every method promises, checked on a tiny world with a known answer."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vdbench.distilled import DistilledSet
from vdbench.distilled.soundness import faults
from vdbench.registry.declared import assets_of, limits_of, problems, work_of
from vdbench.storage import files
from vdbench.testing.tiny import tiny_task
from vdbench.work.assets import Assets, AssetSpec
from vdbench.work.reports import Report, silent

if TYPE_CHECKING:
    from vdbench.method import Method, Task


def check_method(method: Method[Any] | type[Method[Any]]) -> list[str]:
    """Check that a method keeps the contract that the suite builds on.

    It is run about five times on :func:`tiny_task`; hand over an instance with small settings where the defaults
    take long.

    Args:
        method: a class, which is then constructed from its defaults, or an instance.

    Returns:
        What is wrong, one sentence each; empty for a method that conforms.
    """
    cls = method if isinstance(method, type) else type(method)
    findings = list(problems(cls))
    try:
        subject = method() if isinstance(method, type) else method
    except (Exception, SystemExit) as error:
        return [*findings, f"it cannot be constructed from its defaults: {_words(error)}"]
    if unstable := list(_unstable_settings(subject)):
        return findings + unstable
    with TemporaryDirectory() as name:
        folder = Path(name)
        try:
            first = _run(subject, folder, "first", ipc=1, seed=0)
            again = _run(subject, folder, "again", ipc=1, seed=0)
            wide = _run(subject, folder, "wide", ipc=3, seed=1)
            unlike = first if cls.seeded else _run(subject, folder, "unlike", ipc=1, seed=1)
            resumed = _run_interrupted(subject, folder, "interrupted", ipc=1, seed=0)
        except _FailedError as failure:
            return [*findings, str(failure)]
        findings += [*first.side_effects, *_answers(subject, first.task)]
        for run in (first, wide):
            findings += [f"at IPC {run.ipc} {problem}" for problem in _content(subject, run)]
        findings += _origin(first)
        findings += _round_trip(first.distilled, folder / "artefact")
    findings += _differences(first, again, "run twice with one seed, it returns different sets")
    findings += _differences(first, resumed, "interrupted and run again, it returns another set than in one go")
    if not all(torch.equal(a, b) for a, b in zip(first.distilled.render(), unlike.distilled.render(), strict=True)):
        findings.append("it says that its seed changes nothing (seeded = False), but another seed gives another set")
    return list(dict.fromkeys(findings))


def _unstable_settings(method: Method[Any]) -> Iterator[str]:
    """Settings that a trial's id cannot be made of."""
    try:
        files.digest(method.settings.identity())
    except Exception as error:
        yield f"its settings do not turn into JSON: {_words(error)}"


def _answers(method: Method[Any], task: Task) -> Iterator[str]:
    """What is wrong with what it says of its work and of its numbers; each kind of work is done once."""
    try:
        for work in work_of(method, task) or ():
            work.ready()(1)
    except (Exception, SystemExit) as error:
        yield f"its work() fails: {_words(error)}"
    try:
        limits_of(method)
    except (Exception, SystemExit) as error:
        yield f"its limits() fails: {_words(error)}"


class _FailedError(Exception):
    """The method raised where it should have returned."""


class _InterruptedError(BaseException):
    """Stands for a killed process; no method may catch it."""


@dataclass(frozen=True)
class _Run:
    """One distillation.

    Attributes:
        task: what was asked for.
        distilled: what came back.
        side_effects: what it did beside returning a set, one sentence each.
    """

    task: Task
    distilled: DistilledSet
    side_effects: tuple[str, ...]

    @property
    def ipc(self) -> int | None:
        return self.task.ipc


class _WatchedAssets(Assets):
    """Assets that remember what was asked for after they were prepared."""

    asked: list[Path]
    built: list[str]

    def prepare(self, specs: Sequence[AssetSpec[Any]]) -> None:
        """Build what was declared; only what is asked for from now on counts."""
        self.asked, self.built = [], []
        for spec in specs:
            self.get(spec)
        self.asked, self.built = [], []

    def get(self, spec: AssetSpec[Any]) -> Any:
        """Load an asset, and take a note."""
        self.asked.append(self.folder(spec))
        if not self.folder(spec).is_dir():
            self.built.append(f"{spec.kind} ({type(spec).__name__})")
        return super().get(spec)


def _run(method: Method[Any], folder: Path, trial: str, ipc: int, seed: int, report: Report = silent) -> _Run:
    """Distil once under observation. All runs share their assets, those of one trial their checkpoints."""
    from sklearn import cluster  # noqa: F401  (importing it sets an environment variable, which is not the method's doing)

    torch.optim.SGD([torch.zeros(1, requires_grad=True)])  # and so does the first optimiser of a process
    task = tiny_task(folder, ipc if method.budgeted else None, seed, report)
    assets = _WatchedAssets(task.assets.root, task.train, task.device)
    given = {name: value for name, value in task.given.items() if name in method.reads}
    task = replace(task, assets=assets, checkpoints=folder / trial, given=given)
    settings, fields, clips = method.settings.model_dump_json(), dict(vars(task)), _train_sha256(task)
    try:
        specs = assets_of(method, task)
        assets.prepare(specs)
        before = _process_state()
        distilled = method.distill(task)
    except (Exception, SystemExit) as error:
        raise _FailedError(f"at IPC {task.ipc} and seed {seed} it fails: {_words(error)}") from error
    if not isinstance(distilled, DistilledSet):
        raise _FailedError(f"distill returns a {type(distilled).__name__}, not a DistilledSet")
    after = _process_state()
    effects = [f"it changes {name} of the process" for name in before if before[name] != after[name]]
    effects += [f"distill builds {name}, which needs() does not declare" for name in assets.built]
    unused = [spec for spec in specs if assets.folder(spec) not in assets.asked]
    effects += [f"needs() declares {type(spec).__name__}, which distill does not ask for" for spec in unused]
    if _train_sha256(task) != clips:
        effects.append("it changes the train clips")
    if any(vars(task)[name] is not value for name, value in fields.items()):
        effects.append("it changes the task")
    if method.settings.model_dump_json() != settings:
        effects.append("it changes its settings")
    return _Run(task, distilled, tuple(effects))


def _run_interrupted(method: Method[Any], folder: Path, trial: str, ipc: int, seed: int) -> _Run:
    """Distil, end it the hard way at its second report, and run it again on the checkpoints that it left."""
    calls = 0

    def interrupt(step: int, **metrics: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise _InterruptedError

    try:
        _run(method, folder, trial, ipc, seed, interrupt)
    except _InterruptedError:
        pass
    return _run(method, folder, trial, ipc, seed)


def _content(method: Method[Any], run: _Run) -> Iterator[str]:
    """What is wrong with a set by itself."""
    distilled, train = run.distilled, run.task.train
    if found := [str(fault) for fault in faults(distilled, train, run.ipc if method.budgeted else None)]:
        yield from found
        return
    clips, targets = distilled.render()
    if missing := sorted(set(range(len(train.classes))) - set(distilled.labels().tolist())):
        yield f"there is no clip of class {train.classes[missing[0]]}"
    if targets.ndim == 2 and not method.learns_labels():
        yield "it returns soft labels, but its card does not say so"
    if method.budgeted and run.ipc is not None:
        number = run.ipc * len(train.classes)
        floats = clips[0].numel() + (len(train.classes) if targets.ndim == 2 else 0)
        if len(clips) > number or distilled.stored_bytes > 4 * floats * number:
            yield f"it stores {len(clips)} clips in {distilled.stored_bytes} bytes, more than {number} float32 clips"
        elif problem := _broken_promise(method, run):
            yield problem


def _broken_promise(method: Method[Any], run: _Run) -> str:
    """What is wrong with the bytes that a method says its sets take; empty if nothing is."""
    try:
        promised = float(method.stored_bytes(run.task))
    except Exception as error:
        return f"its stored_bytes() fails: {_words(error)}"
    if run.distilled.stored_bytes <= promised:
        return ""
    stored = f"it stores {run.distilled.stored_bytes} bytes"
    return f"{stored}, but its stored_bytes() promises {round(promised)}; override that method"


def _origin(run: _Run) -> Iterator[str]:
    """Clips that are said to be of the train split, or of the generated pool, must be."""
    provenance = run.distilled.record.provenance
    ids, pool, source = provenance.clip_ids, run.task.train, "train"
    if ids is None:
        return
    if provenance.pool == "generated" and run.task.pool is not None:
        pool, source = run.task.assets.get(run.task.pool).clips, "generated"
    if len(ids) != len(run.distilled) or not set(ids) <= set(pool.ids):
        yield f"its provenance does not name a {source} clip for every clip"
        return
    rows = [pool.ids.index(name) for name in ids]
    same = np.array_equal(run.distilled.pixels().numpy(), pool.clips[rows])
    if not same or run.distilled.labels().tolist() != pool.labels[rows].tolist():
        yield f"its clips and labels are not those of the {source} clips that its provenance names"


def _round_trip(distilled: DistilledSet, folder: Path) -> Iterator[str]:
    """A set must come back from disk as it was."""
    try:
        distilled.save(folder)
        loaded = DistilledSet.load(folder)
    except Exception as error:
        yield f"its set cannot be stored and read again: {_words(error)}"
        return
    if _content_sha256(loaded) != _content_sha256(distilled):
        yield "its set is another one after it was stored and read again"


def _differences(one: _Run, other: _Run, sentence: str) -> list[str]:
    return [] if _content_sha256(one.distilled) == _content_sha256(other.distilled) else [sentence]


def _content_sha256(distilled: DistilledSet) -> str:
    sha256 = hashlib.sha256(files.digest(distilled.record.model_dump(mode="json")).encode())
    for name, tensor in sorted(distilled.tensors.items()):
        sha256.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        sha256.update(tensor.contiguous().numpy().tobytes())
    for tensor in distilled.render():
        sha256.update(tensor.contiguous().numpy().tobytes())
    return sha256.hexdigest()


def _train_sha256(task: Task) -> str:
    train = task.train
    return hashlib.sha256(train.clips.tobytes() + train.labels.tobytes()).hexdigest()


def _process_state() -> dict[str, object]:
    """Everything global that a method could be tempted to change."""
    return {
        "Python's random state": random.getstate(),
        "numpy's random state": repr(np.random.get_state()),
        "torch's random state": torch.get_rng_state().numpy().tobytes(),
        "torch's default dtype": torch.get_default_dtype(),
        "torch's number of threads": torch.get_num_threads(),
        "torch's gradient mode": torch.is_grad_enabled(),
        "torch's determinism switch": torch.are_deterministic_algorithms_enabled(),
        "the working directory": Path.cwd(),
        "the environment": dict(os.environ),
    }


def _words(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
