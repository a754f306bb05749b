"""The rules that results have to keep before they are merged into a shared leaderboard.

What makes a result none is a fault; what only keeps it from a rank, or has to be known of it, is a remark. Numbers
cannot be checked without judging again: ``vdbench evaluate --verify`` does.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING

from pydantic import ValidationError

from vdbench.datasets.spec import dataset_names, load_dataset
from vdbench.distilled.distilled_set import TENSORS
from vdbench.errors import DataError
from vdbench.evaluation.judging import evaluation_settings
from vdbench.experiment.outcome_rules import outcome_faults
from vdbench.experiment.protocol import Protocol, unmirrored
from vdbench.experiment.result_store import ResultStore, read_result
from vdbench.experiment.submissions import ARTEFACTS, PARTS, REQUEST, result_files, shareable
from vdbench.experiment.suite import MODIFIED, load_suite, suite_names
from vdbench.experiment.test_sets import TEST_SETS
from vdbench.experiment.trial import student_seeds
from vdbench.experiment.verification import tolerance
from vdbench.storage import files
from vdbench.storage.validation import faults_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from vdbench.experiment.result import Result
    from vdbench.experiment.suite import Suite
    from vdbench.outcomes import ClipList
    from vdbench.records import StudentScores

SEEDS = 3
"""Distillation seeds that a rank takes."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        where: the file, or what of the submission.
        what: a sentence without its end.
        fault: whether it keeps the results from being merged.
    """

    where: str
    what: str
    fault: bool


def findings(places: Sequence[Path]) -> list[Finding]:
    """All that is to be said about results: faults first, in the order of files.

    Args:
        places: folders, with distilled sets beside their results if these were exported, and files.

    Raises:
        DataError: there is no result in a place.
    """
    read: list[Result] = []
    found: list[Finding] = []
    clips = lru_cache(maxsize=8)(lambda folder, fingerprint: ResultStore(folder).clip_lists.read(fingerprint))
    for path in result_files(places):
        try:
            result = read_result(path, others=True)
        except DataError as error:
            found.append(Finding(str(path), str(error).removeprefix(f"{path} "), fault=True))
            continue
        read.append(result)
        faults = (*faults_of(result), *_clip_faults(result, partial(clips, path.parent)))
        found += [Finding(str(path), what, fault=True) for what in faults]
    for place in places:
        if not (place / "results").is_dir():  # a home keeps more distilled sets than its results name
            found += _beside(place, read)
    found += [Finding(where, what, fault=False) for where, what in remarks_on(read)]
    return sorted(found, key=lambda finding: not finding.fault)


def _clip_faults(result: Result, clips: Callable[[str], ClipList]) -> Iterator[str]:
    """What is wrong with its outcomes per clip, or with the test set that they speak of, found by its fingerprint."""
    if result.status != "done":
        return
    try:
        known = None if result.test_set is None else clips(result.test_set)
    except DataError as error:
        yield str(error)
        return
    yield from outcome_faults(result, known)


def faults_of(result: Result) -> Iterator[str]:
    """What keeps one result from being merged, as far as it can be seen by itself."""
    if not re.fullmatch("[0-9a-f]{16}", result.id):
        yield f"its id '{result.id}' is no trial's"
    if not (result.environment.device and result.environment.torch and result.environment.platform):
        yield "it does not say on which device, platform and torch it was measured"
    try:
        protocol = Protocol.model_validate(result.protocol)
    except ValidationError as error:
        yield f"its protocol cannot be read: {faults_in(error)}"
        return
    yield from _suite_faults(result, protocol)
    if result.evaluated_on != protocol.evaluate_on:
        yield f"it says that it was evaluated on {result.evaluated_on}, and its protocol {protocol.evaluate_on}"
    if result.status == "failed":
        if result.failure is None:
            yield "it failed without saying why"
        if result.students or result.verified is not None:
            yield "it failed, and has scores or the mark verified"
        return
    yield from _outcome_faults(result)
    yield from _network_faults(result, protocol)


def _suite_faults(result: Result, protocol: Protocol) -> Iterator[str]:
    base = result.suite.removesuffix(MODIFIED)
    if base not in suite_names():
        yield f"there is no suite '{result.suite}'"
    elif base == result.suite:
        declared = _suite(base).protocol
        if result.dataset.name in dataset_names():
            declared = declared.on(load_dataset(result.dataset.name))
        else:
            declared = _as_mirrored(declared, protocol)
        if protocol.recipe.precision == "bf16":  # what a suite is trained in on a GPU
            declared = declared.computed_on("cuda")
        others = [name for name in Protocol.model_fields if getattr(declared, name) != getattr(protocol, name)]
        if others:
            changed = ", ".join(others)
            yield f"its {changed} are not those of the suite {base}; a modified one is called {base}{MODIFIED}"


def _as_mirrored(declared: Protocol, protocol: Protocol) -> Protocol:
    """A suite's protocol with clips mirrored or not as in another one, where nothing else of their variation differs.

    Whether classes of a data set that is not ours have a direction, its makers know.
    """
    kept = {
        name: getattr(protocol, name)
        for name in ("augmentation", "configurations")
        if getattr(protocol, name) in (getattr(declared, name), getattr(unmirrored(declared), name))
    }
    return declared.model_copy(update=kept)


@cache
def _suite(name: str) -> Suite:
    """A suite, read once for all results."""
    return load_suite(name)


def _outcome_faults(result: Result) -> Iterator[str]:
    if result.failure is not None:
        yield "it is done, and has a failure"
    if not re.fullmatch("[0-9a-f]{64}", result.artefact or ""):
        yield "it does not name the SHA-256 of its distilled set"
    if not re.fullmatch("[0-9a-f]{16}", result.distilled or ""):
        yield "it does not name its distilled set"
    if result.stored_clips < 1 or result.stored_bytes < 1:
        yield f"its distilled set has {result.stored_clips} clips and {result.stored_bytes} bytes"
    if result.provenance is None:
        yield "it does not say where its clips came from"


def _network_faults(result: Result, protocol: Protocol) -> Iterator[str]:
    """Whether the networks are those that the protocol asks for, and their scores possible."""
    asked = [spec.name for spec in protocol.students]
    if [scores.student for scores in result.students] != asked:
        yield f"its students are not {', '.join(asked)}, as its protocol says"
    step_size = result.step_size is not None
    augment, ways = protocol.augmentation is not None, protocol.configurations
    wanted = evaluation_settings(result.labels, step_size, protocol.labels, augment, ways)
    names = [] if result.ipc is None else [setting.name for setting in wanted]
    if [setting.name for setting in result.conditions] != names:
        yield f"it was not judged as its protocol says beside its own way: {', '.join(names) or 'in no other'}"
    if result.verified is not None and not 0 <= result.verified.difference <= tolerance(protocol.evaluation_seeds):
        yield f"it is marked as verified with a difference of {result.verified.difference:g} points"
    seeds = student_seeds(result.seed, protocol.evaluation_seeds)
    if any([score.seed for score in scores.scores] != seeds for scores in result.every_student):
        yield f"its networks do not have the seeds {', '.join(map(str, seeds))}"
    if any(score.top1 > score.top5 for scores in result.every_student for score in scores.scores):
        yield "a network has a higher top-1 than top-5"
    tested = result.dataset.test_clips * result.tests * protocol.evaluation_seeds
    if any(_counted(scores) not in (0, tested) for scores in result.students):
        yield f"its confusion of classes does not count {tested} test clips"


def _counted(scores: StudentScores) -> int:
    return sum(count for _, _, count in scores.confusion)


def remarks_on(results: Sequence[Result]) -> Iterator[tuple[str, str]]:
    """What has to be known of results, or keeps them from a rank: where, and what."""
    cells: dict[str, list[Result]] = defaultdict(list)
    tables: dict[str, list[Result]] = defaultdict(list)
    for result in sorted(results, key=lambda r: (r.suite, r.dataset.name, r.label, r.ipc or 0, r.seed)):
        measured = [result.suite, result.protocol, result.dataset.model_dump(mode="json")]
        asked = [result.label, result.settings, result.ipc, result.budget_bytes, result.codec]
        tables[files.digest(measured)].append(result)
        cells[files.digest([measured, asked])].append(result)
    protocols = defaultdict(set)
    for result in results:
        protocols[result.suite].add(_protocol(result))
    several = {suite for suite, found in protocols.items() if len(found) > 1}
    for place, of_table in ((tables, _table_remarks), (cells, _seed_remarks)):
        for group in place.values():
            mark = f", protocol {_protocol(group[0])}" if group[0].suite in several else ""
            yield from ((where + mark, what) for where, what in of_table(group))
    done = [result for result in results if result.status == "done"]
    if lacking := sum(result.test_set is None for result in done):
        what = f"{lacking} of {len(done)} finished results keep no outcomes per clip, as those of earlier versions"
        yield "outcomes", f"{what}; what they say of other test clips is not known"
    if marked := [result for result in results if result.verified is not None]:
        yield "verified", f"{len(marked)} of {len(results)} results bring the mark; it is their maker's claim"


def _protocol(result: Result) -> str:
    """What the leaderboard tells protocols of one name apart by."""
    return files.digest(result.protocol, 8)


def _table_remarks(table: Sequence[Result]) -> Iterator[tuple[str, str]]:
    first = table[0]
    where = f"{first.suite} on {first.dataset.title}"
    base = first.suite.removesuffix(MODIFIED)
    if base != first.suite:
        yield where, "the protocol is modified, so that these results have tables of their own"
    if first.dataset.name not in dataset_names():
        yield where, "the data set is its makers' own, so that nobody else can repeat these results"
    if first.dataset.partial:
        yield where, "the data set is partial, so that these results have tables of their own"
    if first.evaluated_on == "validation":
        yield where, "evaluated on validation clips: for choosing settings, not for comparing"
    controls = _suite(base).controls if base in suite_names() else ()
    if missing := [name for name in controls if name not in {result.method for result in table}]:
        yield where, f"no results of the control {' and '.join(missing)}"


def _seed_remarks(cell: Sequence[Result]) -> Iterator[tuple[str, str]]:
    first = cell[0]
    budget = f"ipc {first.ipc}" if first.ipc is not None else "all clips"
    where = f"{first.label} on {first.dataset.name}, {budget}, suite {first.suite}"
    done = {result.seed for result in cell if result.status == "done"}
    if len(done) < SEEDS:
        yield where, f"{len(done)} of {SEEDS} seeds that a rank takes"
    seeds = Counter(result.seed for result in cell)
    if twice := sorted(seed for seed, count in seeds.items() if count > 1):
        yield where, f"repeated seeds: {', '.join(map(str, twice))}; the finished result started last counts"
    held = sorted(seeds)
    gaps = [(a + 1, b - 1) for a, b in pairwise([-1, *held]) if b > a + 1]  # not seed by seed: somebody may write 2**31
    if gaps:
        shown = ", ".join(f"{first} to {last}" if first < last else f"{first}" for first, last in gaps)
        yield where, f"missing seeds: {shown}; failed trials are submitted too"


def _beside(place: Path, results: Iterable[Result]) -> Iterator[Finding]:
    """Distilled sets beside results, and files that are none of both."""
    if not place.is_dir():
        return
    owners: dict[str | None, list[Result]] = defaultdict(list)
    for result in results:
        owners[result.artefact].append(result)
    for path in sorted(path for path in place.rglob("*") if path.is_file() and not path.name.startswith(".")):
        parts = path.relative_to(place).parts
        in_set = len(parts) == 3 and parts[0] == ARTEFACTS and parts[2] in PARTS
        if in_set and parts[2] == TENSORS:
            yield from _set_faults(path, owners)
        elif not in_set and parts != (REQUEST,) and not (path.suffix == ".json" and parts[:-1] in ((), (TEST_SETS,))):
            yield Finding(str(path), "it is neither a result nor part of a distilled set", fault=False)


def _set_faults(path: Path, owners: Mapping[str | None, Sequence[Result]]) -> Iterator[Finding]:
    found = owners.get(files.file_sha256(path), ())
    if not found:
        yield Finding(str(path), "its SHA-256 is that of no result here", fault=True)
    elif not all(map(shareable, found)):
        what = f"it holds clips of {found[0].dataset.name}, which may not be handed on"
        yield Finding(str(path), what, fault=True)
