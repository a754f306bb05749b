"""An SVG document as an element of a page."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from vdbench_leaderboard.figures.style import ACCENT, HEAT, INK, LINE, MUTED, PAPER

THEMED = {
    **{INK: "ink", MUTED: "muted", LINE: "line", PAPER: "card", ACCENT: "accent"},
    **{shade: f"heat-{place}" for place, shade in enumerate(HEAT)},
}
"""Colours that a page has names for."""


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
    rest = re.sub(r"#[0-9a-f]{6}", lambda found: _themed(found[0]), rest)
    return Markup(f'{head} role="img" aria-label="{escape(label)}">{rest}')  # noqa: S704  matplotlib escapes its texts


def width_of(svg: str) -> str:
    """The width at which a document's text has its size, as CSS."""
    found = re.search(r'width="([\d.]+)pt"', svg)
    return f"{float(found[1]) / 72:.2f}in" if found else "100%"


def _themed(colour: str) -> str:
    return f"var(--{THEMED[colour]})" if colour in THEMED else colour
