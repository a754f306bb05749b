"""SVG as matplotlib writes it, in a fraction of the bytes: a page holds many."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
FONT = "font-family: 'DejaVu Sans'"
SHARED = 3
"""Neighbours, at least, that share a style through a group."""


def compact(document: str) -> str:
    """Drop what changes nothing: metadata, unused names, bare groups, repeated styles, and all decimals after two."""
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(document)  # noqa: S314  our own
    for part in root.findall(f"{{{SVG}}}metadata"):
        root.remove(part)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', document))
    for element in root.iter():
        _lean(element, used)
    _unwrap(root)
    _share(root)
    for child in root:
        child.tail = "\n"
    root.set("style", f"{FONT}; stroke-linejoin: round")
    text = ElementTree.tostring(root, encoding="unicode")
    return re.sub(r"(\.\d\d)\d+", r"\1", text) + "\n"


def _lean(element: ElementTree.Element, used: set[str]) -> None:
    """An element without names that nobody uses, turns by nothing, and line breaks."""
    if element.get("id") not in used:
        element.attrib.pop("id", None)
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    if style := element.get("style"):
        element.set("style", "; ".join(part for part in style.split("; ") if part != FONT))
    if path := element.get("d"):
        element.set("d", re.sub(r"\s*([A-Za-z])\s*", r"\1", path).strip())
    if element.tag == f"{{{SVG}}}style":
        element.text = ""
    elif not (element.text or "").strip():
        element.text = None
    element.tail = None


def _unwrap(parent: ElementTree.Element) -> None:
    """Put the children of groups without attributes in their place, and drop what is empty."""
    for child in list(parent):
        _unwrap(child)
        bare = child.tag == f"{{{SVG}}}g" and not child.attrib
        empty = child.tag in {f"{{{SVG}}}defs", f"{{{SVG}}}style"} and not len(child) and not child.text
        if bare or empty:
            place = list(parent).index(child)
            parent.remove(child)
            for inside in reversed(child):
                parent.insert(place, inside)


def _share(parent: ElementTree.Element) -> None:
    """Write what neighbours of one kind have in common of their styles once, on a group around them."""
    for child in parent:
        _share(child)
    for _, run in groupby(list(parent), key=lambda child: (child.tag, child.get("style") is not None)):
        alike = list(run)
        common = _common(alike) if len(alike) >= SHARED else []
        if not common:
            continue
        group = ElementTree.Element(f"{{{SVG}}}g", style="; ".join(common))
        parent.insert(list(parent).index(alike[0]), group)
        for child in alike:
            parent.remove(child)
            group.append(child)
            own = [part for part in child.attrib.pop("style").split("; ") if part not in common]
            if own:
                child.set("style", "; ".join(own))


def _common(elements: Sequence[ElementTree.Element]) -> list[str]:
    """Parts of the style that all of them have, but for opacity, which a group would apply once."""
    styles = [element.get("style", "").split("; ") for element in elements]
    return [part for part in styles[0] if part and not part.startswith("opacity") and all(part in s for s in styles)]
