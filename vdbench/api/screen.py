"""What is shown while work is done: text that cannot steer a terminal, and stretches of time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.segment import Segment

from vdbench.storage.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rich.console import ConsoleOptions, RenderableType
    from rich.text import Text

NOBODY_READS = 1
"""What a command exits with whose output nobody reads to the end."""


class Screen(Console):
    """A console whose strings are text, never markup, and that shows harmlessly what would steer a terminal.

    A string is one line, however narrow the terminal: a line break in it, as in a file's name, is shown and not made.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def print(self, *objects: Any, **how: Any) -> None:
        """As the base does, without wrapping strings."""
        super().print(*objects, **{"soft_wrap": all(isinstance(one, str) for one in objects)} | how)

    def render_str(self, text: str, **how: Any) -> Text:
        """As the base does, without characters that steer."""
        return super().render_str(harmless(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As the base does; texts and tables that were made elsewhere lose what steers a terminal here."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment("\n".join(map(harmless, text.split("\n"))), style)

    def on_broken_pipe(self) -> None:
        """End quietly, whichever of the two outputs broke."""
        silence(self.file)
        raise SystemExit(NOBODY_READS)


def silence(stream: TextIO | Any) -> None:
    """Let what is still to be written to a stream that is broken go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
