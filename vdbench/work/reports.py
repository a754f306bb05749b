"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[..., None]
"""``report(step, **metrics)``."""


def silent(step: int, **metrics: object) -> None:
    """A report that nobody hears."""
