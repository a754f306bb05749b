"""Which of the page's previews shows the clips of a row on a data set.

A preview lies on the page once, with its method. Other places name it, and scripts show it there, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from vdbench_leaderboard.tables.boards import BASELINE, FULL

if TYPE_CHECKING:
    from vdbench.experiment.result import Result
    from vdbench_leaderboard.page.methods import MethodSummary
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.keys import Group
    from vdbench_leaderboard.tables.verdicts import Verdict

LEADERS = 2
"""Methods, those with the highest means, whose clips are shown beside real ones."""
REAL = {BASELINE: "real clips, picked at random", FULL: "real clips, all"}


class Clips(NamedTuple):
    """A preview, by name.

    Attributes:
        distilled: name of the distilled set.
        caption: what is seen: ``mtt, IPC 1``.
    """

    distilled: str
    caption: str


class Gallery:
    """The previews of a page by row and data set."""

    def __init__(self, boards: Sequence[Board], methods: Sequence[MethodSummary]) -> None:
        there = {s.distilled for method in methods for glimpse in method.glimpses for s in glimpse.previews}
        self._found: dict[tuple[str, str], dict[Group, Clips]] = defaultdict(dict)
        for cell in (cell for board in boards for cell in board.cells):
            shown = [result for result, _ in cell.done if result.distilled in there]
            if shown:
                place = self._found[cell.group.dataset_title, cell.method]
                place.setdefault(cell.group, Clips(shown[0].distilled or "", _caption(cell.method, shown[0])))

    def of(self, method: str, group: Group) -> Clips | None:
        """Clips of a row: of this group, or of another suite on the same data."""
        found = self._found.get((group.dataset_title, method), {})
        return found.get(group) or next(iter(found.values()), None)

    def beside(self, verdict: Verdict) -> list[Clips]:
        """Clips of the leaders and real ones; none where no leader has any."""
        leaders = self._all([line.method for line in verdict.lines if not line.role][:LEADERS], verdict.group)
        return leaders + self._all([line.method for line in verdict.lines if line.role], verdict.group) * bool(leaders)

    @property
    def named(self) -> dict[str, dict[str, Clips]]:
        """All of them by data set and row, of the first suite that has some."""
        places: dict[str, dict[str, Clips]] = defaultdict(dict)
        for (data, method), found in self._found.items():
            places[data][method] = next(iter(found.values()))
        return dict(places)

    def _all(self, methods: Iterable[str], group: Group) -> list[Clips]:
        return [clips for method in methods if (clips := self.of(method, group))]


def _caption(method: str, result: Result) -> str:
    what = f"{method} ({REAL[result.label]})" if result.label in REAL else method
    return what if result.ipc is None else f"{what}, IPC {result.ipc}"
