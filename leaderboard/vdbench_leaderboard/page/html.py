"""The leaderboard as one self-contained HTML page."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

from vdbench.storage import files
from vdbench_leaderboard.figures.style import ACCENT, HEAT, INK, LINE, MUTED, PAPER
from vdbench_leaderboard.page import pairs
from vdbench_leaderboard.page.documents import environment
from vdbench_leaderboard.page.explorer import address, payload
from vdbench_leaderboard.statistics import two_way
from vdbench_leaderboard.statistics.pigeonhole import DRAWS
from vdbench_leaderboard.tables.column_words import sentence

if TYPE_CHECKING:
    from vdbench_leaderboard.page.content import Content
    from vdbench_leaderboard.statistics.estimates import Estimate
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.both_sides import BothSides
    from vdbench_leaderboard.tables.cells import Cell
    from vdbench_leaderboard.tables.keys import Group
    from vdbench_leaderboard.tables.verdicts import Verdict

STYLES = ("base.css", "question.css", "answer.css", "tables.css", "explorer.css", "methods.css")
SCRIPTS = (
    "text.js",
    "state.js",
    "theme.js",
    "question.js",
    "clips.js",
    "tables.js",
    "explorer.js",
    "compare.js",
    "panel.js",
)
"""In the order in which they need each other; together they are one module."""
NOWHERE = {"nothing", "train", "unknown"}
"""What an encoder or a generator may have seen without being outside data."""

THEMED = {
    **{INK: "var(--ink)", MUTED: "var(--muted)", LINE: "var(--line)", PAPER: "var(--card)", ACCENT: "var(--accent)"},
    **{shade: f"color-mix(in srgb,var(--hot) {9 * place}%,var(--card))" for place, shade in enumerate(HEAT)},
}
"""Colours that a page has in its own themes."""


@dataclass(frozen=True)
class Scale:
    """Positions on the track under a number, in percent of its width: 0 is no accuracy, 100 the board's highest.

    Attributes:
        top: accuracy at the right end.
    """

    top: float

    @classmethod
    def of(cls, board: Board, sides: BothSides) -> Scale:
        """Wide enough for each mean of a board with a standard deviation above it, and for intervals on other clips."""
        reached = [cell.top1.mean + (cell.top1.std or 0) for cell in board.cells if cell.top1]
        reached += [min(top1.high, 100.0) for top1 in sides.top1.values() if top1.high is not None]
        return cls(max([board.chance, *reached, 1e-9]))

    @classmethod
    def over(cls, verdict: Verdict) -> Scale:
        """Wide enough for every interval of a short table."""
        ends = [min(line.top1.high or line.top1.mean, 100.0) for line in verdict.lines]
        return cls(max([verdict.boards[0].chance, *ends]))

    def at(self, value: float) -> str:
        """The position of an accuracy, kept on the track."""
        return f"{min(max(100 * value / self.top, 0), 100):.1f}"

    def track(self, value: Estimate, others: Estimate | None = None) -> str:
        """Mean, and left end and width of the 95 % interval, as CSS variables.

        Args:
            value: on these test clips.
            others: on other clips of this kind, where that is known; its interval is shown first.
        """
        mean = f"--m:{self.at(value.mean)}"
        if others is None:
            return mean + self._band(value, "l", "w")
        return mean + self._band(others, "l", "w") + self._band(value, "tl", "tw")

    def _band(self, value: Estimate, left: str, width: str) -> str:
        if value.low is None or value.high is None:
            return ""
        low, high = float(self.at(value.low)), float(self.at(value.high))
        return f";--{left}:{low:g};--{width}:{high - low:.1f}"


def html(content: Content, url: str) -> str:
    """The page: it loads nothing from anywhere.

    Args:
        content: what it shows.
        url: where it will be; names its picture to sites that show links. Empty where nobody knows.
    """
    templates = environment(autoescape=True)
    places = {name: place for place, name in enumerate(content.plots)}
    templates.filters["breakable"] = lambda name: escape(name).replace("@", Markup("<wbr>@"))
    templates.globals |= {
        "url": url.rstrip("/") + "/" if url else "",
        "style": _ours(*STYLES),
        "script": _ours(*SCRIPTS),
        "scale": Scale.of,
        "scale_over": Scale.over,
        "sentence": sentence,
        "two_way": two_way,
        "draws": DRAWS,
        "anchor": anchor,
        "group_anchor": group_anchor,
        "comparison": comparison,
        "address": address,
        "outside": _outside,
        "wide": lambda name: width_of(content.plots[name]),
        "plot": lambda name, label: inline(content.plots[name], f"p{places[name]}", label),
        "choices": _choices(content),
        "pairs": as_script(_pairs(content)),
        "data": as_script(payload(content.boards, content.numbers, content.sides)),
    }
    return templates.get_template("index.html.j2").render(page=content)


def _pairs(content: Content) -> dict[str, Any]:
    leading = next(([verdict.leader, verdict.base] for verdict in content.verdicts if verdict.comparisons), None)
    found = pairs.payload(pairs.places(content.boards, content.verdicts, content.outcomes), content.gallery.named)
    return found | {"first": leading or (found["methods"] * 2)[:2]}


def anchor(board: Board, method: str) -> str:
    """The id of a row, which other results do not change."""
    plain = re.sub(r"[^a-z0-9@]+", "-", method.lower()).strip("-")
    unique = "" if plain == method else f"-{files.digest(method, 4)}"
    return f"{board.slug}-{plain}{unique}"


def group_anchor(group: Group) -> str:
    """The id of what is said of a group."""
    name = re.sub(r"[^a-z0-9]+", "-", f"{group.suite} {group.dataset_title} {group.evaluated_on}".lower()).strip("-")
    return f"answer-{name}-{files.digest([group.protocol, group.data], 4)}"


def comparison(group: Group, method: str, other: str) -> str:
    """The address of a comparison of two methods on one data set."""
    return urlencode({"suite": group.suite, "dataset": group.dataset_title, "a": method, "b": other})


def _ours(*names: str) -> Markup:
    folder = package_files("vdbench_leaderboard.page") / "templates"
    return Markup("\n".join((folder / name).read_text(encoding="utf-8") for name in names))  # noqa: S704  not input


def as_script(value: Any) -> Markup:
    """JSON that no text in it can end, for a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704


def _choices(content: Content) -> dict[str, list[str]]:
    """What the page can be filtered by, and the values there are."""
    boards = content.boards
    pools = {cell.taken_from for board in boards for cell in board.cells}
    return {
        "suite": sorted({board.group.suite for board in boards}),
        "dataset": sorted({board.group.dataset_title for board in boards}),
        "budget": [str(budget) for budget in sorted({budget for board in boards for budget in board.budgets})],
        "student": list(dict.fromkeys(board.student.name for board in boards)),
        "pool": sorted(pools),
    }


def _outside(cell: Cell) -> list[str]:
    """Data outside the train split that a cell's clips depend on."""
    known = next((result.provenance for result, _ in cell.done if result.provenance), None)
    if known is None:
        return []
    seen = [known.encoder_saw] * bool(known.encoder) + [known.generator_saw] * bool(known.generator)
    return [name for name in dict.fromkeys(seen) if name not in NOWHERE]


def inline(svg: str, prefix: str, label: str) -> Markup:
    """Turn a document into an element: no outside names, ids of its own, the page's colours.

    Args:
        svg: of this package.
        prefix: makes its ids unique on the page.
        label: what a screen reader says.
    """
    body = svg[svg.index("<svg") :]
    head, rest = body.split(">", 1)
    head = re.sub(r' (xmlns(:\w+)?|version|width|height|style)="[^"]*"', "", head)
    rest = rest.replace("xlink:href", "href")
    rest = re.sub(r' id="', f' id="{prefix}-', rest)
    rest = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", rest)
    rest = re.sub(r"#[0-9a-f]{6}", lambda found: THEMED.get(found[0], found[0]), rest)
    return Markup(f'{head} role="img" aria-label="{escape(label)}">{rest}')  # noqa: S704  matplotlib escapes its texts


def width_of(svg: str) -> str:
    """The width at which a document's text has its size, as CSS."""
    found = re.search(r'width="([\d.]+)pt"', svg)
    return f"{float(found[1]) / 72:.2f}in" if found else "100%"
