"""What is handed in for a shared leaderboard: the text of a pull request, and a branch that holds the results.

Nothing here reaches beyond this machine.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from vdbench.errors import DataError, DependencyError, UsageError
from vdbench.experiment.repeat import repeat_command
from vdbench.experiment.submissions import plan_merge
from vdbench.storage.files import digest
from vdbench.storage.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vdbench.experiment.result import Result
    from vdbench.experiment.rules import Finding

SHARED = Path("leaderboard/results")
"""Where a checkout keeps the results that are shared."""


def request_text(results: Sequence[Result], remarks: Sequence[Finding]) -> str:
    """What a pull request with these results says; its author fills in what no file knows."""
    groups: dict[str, list[Result]] = {}
    for result in _handed_in(results):
        likeness = [result.label, result.ipc, result.budget_bytes, result.suite, result.dataset.name, result.settings]
        groups.setdefault(digest(likeness), []).append(result)
    commands = dict.fromkeys(repeat_command(group) for group in groups.values())
    lines = [
        f"**Method:** {_names(r.label for r in _handed_in(results))}",
        f"**Suite, data sets, IPC, seeds:** {_names(r.suite for r in results)}; "
        f"{_names(r.dataset.title for r in results)}; {_names(str(r.ipc or 'all') for r in results)}; "
        f"{_names(str(r.seed) for r in results)}",
        f"**Results:** {len(results)}, {sum(r.status == 'failed' for r in results)} of them failed",
        "**Commands:**\n\n```\n" + "\n".join(commands) + "\n```",
        "**Code** (for a method that is not part of vdbench, the plugin file at a commit):",
        "**Settings were chosen on:** validation / the published ones / test",
        "**What the method has seen beside the train split:** "
        + _names(
            saw
            for r in results
            if r.provenance
            for saw in (r.provenance.encoder_saw, r.provenance.generator_saw)
            if saw not in ("nothing", "train")
        ),
        *(
            ["**Remarks:**\n\n" + "\n".join(f"- {remark.where}: {remark.what}" for remark in remarks)]
            if remarks
            else []
        ),
    ]
    return "\n\n".join(lines) + "\n"


def _handed_in(results: Sequence[Result]) -> Sequence[Result]:
    """The results that are not there for comparison alone; all, where controls are all there is."""
    return [result for result in results if not result.control] or results


def _names(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names)) or "nothing"


def prepare_branch(checkout: Path, folder: Path, results: Sequence[Result]) -> str:
    """Merge results into the shared ones of a checkout, on a branch of its own, and commit them there.

    Args:
        checkout: a clean git checkout of a repository with ``leaderboard/results``.
        folder: of exported results.
        results: those in it.

    Returns:
        The name of the branch, which is checked out then.

    Raises:
        UsageError: it is no such checkout, it has changes, or the branch is there already.
        DataError: results contradict those that are shared, or git failed.
        DependencyError: there is no git.
    """
    if not (checkout / SHARED).is_dir():
        raise UsageError(f"{checkout} has no {SHARED}; name a checkout of the repository with --into")
    if _git(checkout, "status", "--porcelain"):
        raise UsageError(f"{checkout} has changes that are not committed; commit or stash them first")
    plan = plan_merge([folder], checkout / SHARED)
    if plan.conflicts:
        raise DataError(
            f"{counted(len(plan.conflicts), 'result has', 'results have')} another outcome than "
            f"is in {checkout / SHARED}"
        )
    branch = f"results-{digest(sorted(result.id for result in results), 8)}"
    if _git(checkout, "branch", "--list", branch):
        raise UsageError(f"{checkout} has a branch {branch} already, with these results; push or delete it")
    _git(checkout, "switch", "--create", branch)
    plan.write()
    _git(checkout, "add", str(SHARED))
    if _git(checkout, "diff", "--cached", "--name-only"):
        names = _names(result.label for result in _handed_in(results))
        _git(checkout, "commit", "--message", f"Add results of {names}")
    return branch


def _git(checkout: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(checkout), *words], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise DependencyError("there is no git on this machine; leave --into out and copy the folder") from error
    if done.returncode:
        raise DataError(f"git {words[0]} failed in {checkout}: {' '.join(done.stderr.split()) or 'it said nothing'}")
    return done.stdout.strip()
