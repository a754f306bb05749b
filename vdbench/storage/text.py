"""Text that others wrote, made safe for where it is shown: one line of a terminal, of Markdown, a cell of a sheet."""

from __future__ import annotations

import re


def harmless(text: str) -> str:
    """One line, with what cannot be printed (escapes, line breaks, bytes that are no UTF-8) written as Python does."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def counted(number: int, what: str, several: str = "") -> str:
    """So many of something, in its right form: ``1 clip``, ``2 clips``, ``1,000 clips``.

    Args:
        number: how many.
        what: one of them.
        several: more or fewer than one, where that is not ``what`` with an s.
    """
    return f"{number:,} {what if number == 1 else several or what + 's'}"


def in_markdown(text: str) -> str:
    """One line that Markdown shows as it is: it begins no heading, table or HTML, and stresses and links nothing."""
    shown = re.sub(r"([\\`*_<>\[\]|])", r"\\\1", harmless(text))
    return re.sub(r"^(\s*)(#|[-+](?=\s|$)|~~~)", r"\1\\\2", shown)


def in_a_cell(text: str) -> str:
    """A cell that spreadsheets show as text: those that begin like a formula would be carried out."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
