"""Verdicts in words: which method to use, and why. What is found, without words, is in ``verdicts.py``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from vdbench.storage.text import counted
from vdbench_leaderboard.statistics.estimates import FEW_SEEDS
from vdbench_leaderboard.statistics.power import MOST_SEEDS
from vdbench_leaderboard.tables import formats, own_recipes

if TYPE_CHECKING:
    from vdbench_leaderboard.tables.verdicts import Line, Verdict

MOST_NAMES = 4
"""Methods that a sentence names; the table has the others."""
RANDOM = "clips picked at random"
NO_WINNER = "No winner yet."


class Answer(NamedTuple):
    """A sentence in two parts.

    Attributes:
        short: what to do, in a few words.
        reason: why.
    """

    short: str
    reason: str

    def __str__(self) -> str:
        return f"{self.short} {self.reason}".strip()


def answer(verdict: Verdict) -> Answer:
    """Which method to use on one data set."""
    lead = verdict.comparisons[verdict.leader].difference if verdict.leader in verdict.comparisons else None
    ahead = f"{formats.percent(lead.mean)} points" if lead else ""
    match verdict.kind:
        case "best":
            reason = f"It is {ahead} better than {RANDOM}, and better than every other method."
        case "only":
            reason = f"It is the only method shown to be better than {RANDOM}; others may be."
        case "several":
            reason = f"Each is better than {RANDOM}; which of them is the best cannot be told yet."
        case "ahead":
            more = verdict.more_seeds
            tell = f"; {needed(more)} would tell" if more is not None else ""
            reason = f"{verdict.leader} is {ahead} ahead of {RANDOM}, which may be chance{tell}."
        case "behind":
            reason = f"No method is ahead of {RANDOM}, even on average."
        case "few seeds":
            reason = f"To tell merit from chance takes at least {FEW_SEEDS} seeds."
        case "no baseline":
            reason = f"Methods are compared with {RANDOM}, and these were not run."
        case "nothing":
            reason = f"No method was run beside {RANDOM}."
    reason = f"{reason} {own_recipes.remark(verdict)}".strip()
    return Answer(f"Use {named(verdict.recommended)}." if verdict.recommended else NO_WINNER, reason)


def headline(verdicts: Sequence[Verdict]) -> Answer:
    """Which method to use, over all data sets: those of the test clips, where there are some."""
    tested = [verdict for verdict in verdicts if verdict.group.evaluated_on == "test"] or list(verdicts)
    won = [verdict for verdict in tested if verdict.better]
    data = list(dict.fromkeys(verdict.group.dataset_title for verdict in tested))
    if not won:
        where = "here" if not data else f"on {data[0]}" if len(data) == 1 else f"on any of the {len(data)} data sets"
        return Answer(NO_WINNER, f"No method is shown to be better than {RANDOM} {where}.")
    if len(won) == len(tested) and len({tuple(verdict.recommended) for verdict in won}) == 1:
        every = f"on {data[0]}" if len(data) == 1 else "on every data set"
        return Answer(f"Use {named(won[0].recommended)}.", f"Shown to be better than {RANDOM} {every}.")
    places: dict[str, list[str]] = defaultdict(list)
    for verdict in won:
        places[named(verdict.recommended)].append(place(verdict))
    found = "; ".join(f"{methods} on {' and '.join(where)}" for methods, where in places.items())
    elsewhere = f"Elsewhere no method is shown to be better than {RANDOM}." if len(won) < len(tested) else ""
    return Answer(f"Use {found}.", elsewhere)


def place(verdict: Verdict) -> str:
    """Where a verdict holds: ``ucf101, 7 of 101 classes (suite small)``."""
    on = ", validation" if verdict.group.evaluated_on == "validation" else ""
    return f"{verdict.group.dataset_title} (suite {verdict.group.suite}{on})"


def averaged(verdict: Verdict) -> str:
    """What its accuracies average: ``3 seeds, IPC 1 and 5, 3 students``."""
    students = [board.student.name for board in verdict.boards]
    budgets = " and ".join(map(str, verdict.budgets)).replace(" and IPC ", " and ")
    seeds = max((top1.repeats for top1 in verdict.means.values() if top1.over == "seeds"), default=1)
    who = f"student {students[0]}" if len(students) == 1 else f"{len(students)} students"
    return f"{counted(seeds, 'seed')}, {budgets}, {who}"


def standing(line: Line, verdict: Verdict) -> str:
    """A row against ``random``: ``better``, ``worse`` or ``may be chance``; empty where it is not compared."""
    if line.versus is None:
        return ""
    return "better" if line.method in verdict.better else "worse" if line.method in verdict.worse else "may be chance"


def remarks(verdict: Verdict) -> list[str]:
    """What else a reader of one verdict should know, as sentences."""
    worse, lacking, students = (", ".join(names) for names in (verdict.worse, verdict.lacking, verdict.at_chance))
    return [
        *[f"Shown to be worse than {RANDOM}: {worse}."] * bool(worse),
        *[f"Not compared, because something is missing: {lacking}."] * bool(lacking),
        *[f"Left out, because it stays near chance even when trained on full: {students}."] * bool(students),
    ]


def needed(more: int) -> str:
    """``about 12 more seeds``."""
    count = f"more than {MOST_SEEDS}" if more >= MOST_SEEDS else f"about {more}"
    return f"{count} more seed{'s' if more > 1 else ''}"


def named(methods: Sequence[str], joint: str = "or") -> str:
    """``a``, ``a or b``, ``a, b, c, d or 3 others``."""
    rest = len(methods) - MOST_NAMES
    shown = [*methods[:MOST_NAMES], *([counted(rest, "other")] if rest > 0 else [])]
    return f" {joint} ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)
