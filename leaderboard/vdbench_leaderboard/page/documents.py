"""The leaderboard as Markdown and LaTeX, and what its templates share with those of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined

from vdbench.storage.text import harmless, in_markdown
from vdbench_leaderboard.tables import board_words, formats, frames, health, own_recipes, pool_words, verdict_words

if TYPE_CHECKING:
    import pandas as pd
    from jinja2.bccache import Bucket

    from vdbench_leaderboard.page.content import Content


def markdown(content: Content) -> str:
    """The page for GitHub; it shows the plots."""
    templates = environment(autoescape=False)
    templates.filters["md"] = in_markdown
    templates.globals["table"] = _pipe_table
    return templates.get_template("README.md.j2").render(page=content)


def latex(content: Content) -> str:
    """The main tables, for ``booktabs``."""
    templates = environment(autoescape=False)
    templates.filters["tex"] = _tex
    templates.filters["lines"] = _tex_lines
    return templates.get_template("leaderboard.tex.j2").render(page=content)


class Compiled(BytecodeCache):
    """Templates that this process has compiled, which takes longer than to fill them."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what was kept; it counts if the source is still the same."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = {True: Compiled(), False: Compiled()}
"""With and without escapes, which are compiled in."""


def environment(autoescape: bool) -> Environment:
    """Templates, which call the functions of the modules of tables by their names."""
    templates = Environment(
        loader=PackageLoader("vdbench_leaderboard", "page/templates"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=COMPILED[autoescape],
    )
    called = (board_words, formats, frames, health, own_recipes, pool_words, verdict_words)
    templates.globals |= {module.__name__.rpartition(".")[2]: module for module in called}
    return templates


def _pipe_table(*frames: pd.DataFrame) -> str:
    """One Markdown table of frames that share their columns."""
    columns = list(frames[0].columns)
    rule = [":--", *["--:"] * (len(columns) - 1)]
    rows = [[_in_row(text) for text in row] for frame in frames for row in frame.itertuples(index=False)]
    return "".join(f"| {' | '.join(row)} |\n" for row in [[*map(_in_row, columns)], rule, *rows])


def _in_row(text: str) -> str:
    """A text with its second line, if it has one, behind its first."""
    return ", ".join(map(in_markdown, text.split("\n")))


_TEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "−": "$-$",
    "–": "--",
    "†": r"$^\dagger$",
    "‡": r"$^\ddag$",
    "§": r"$^\S$",
    "¶": r"$^\P$",
    "‖": r"$^\|$",
    "Δ": r"$\Delta$",
    "·": r"$\cdot$",
    "…": r"\dots{}",
}


def _tex_lines(texts: tuple[str, ...]) -> str:
    """A row of a table, and the second lines of its texts as a row in small below it."""
    parts = [text.partition("\n")[::2] for text in texts]
    small = [note and f"{{\\scriptsize {_tex(note)}}}" for _, note in parts]
    return " & ".join(_tex(text) for text, _ in parts) + " \\\\\n    " + " & ".join(small) + " \\\\"


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in harmless(text))
