"""SVG as matplotlib writes it, in a fraction of the bytes: a page holds many."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from xml.etree import ElementTree

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
HREF = f"{{{XLINK}}}href"
FONT = "font-family: 'DejaVu Sans'"
SHARED = 3
"""Neighbours, at least, that share a style through a group."""

Element = ElementTree.Element


def compact(document: str) -> str:
    """Drop what changes nothing: metadata, unused names, bare groups, repeated shapes and styles, the third decimal."""
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(document)  # noqa: S314  our own
    for part in root.findall(f"{{{SVG}}}metadata"):
        root.remove(part)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', document))
    for element in root.iter():
        _lean(element, used)
    _reuse(root)
    _unwrap(root)
    _share(root)
    for child in root:
        child.tail = "\n"
    root.set("style", f"{FONT}; stroke-linejoin: round")
    text = ElementTree.tostring(root, encoding="unicode")
    short = {name: f"s{place}" for place, name in enumerate(re.findall(r' id="([^"]+)"', text))}
    text = re.sub(r'( id="|#)([^")]+)(?=[")])', lambda found: found[1] + short.get(found[2], found[2]), text)
    return re.sub(r"(\.\d\d)\d+", r"\1", text) + "\n"


def _lean(element: Element, used: set[str]) -> None:
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


def _reuse(root: Element) -> None:
    """Keep one of the shapes that are drawn again and again."""
    first: dict[tuple[str, str], str] = {}
    same: dict[str, str] = {}
    for shapes in list(root.iter(f"{{{SVG}}}defs")):
        for shape in list(shapes):
            name, path = shape.get("id"), shape.get("d")
            if name and path:
                same[name] = first.setdefault((path, shape.get("style", "")), name)
                if same[name] != name:
                    shapes.remove(shape)
    for use in root.iter(f"{{{SVG}}}use"):
        name = use.get(HREF, "").removeprefix("#")
        use.set(HREF, f"#{same.get(name, name)}")


def _unwrap(parent: Element) -> None:
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


def _share(parent: Element) -> None:
    """Write once, on a group around them, what neighbours have in common: all of their styles, then parts of them."""
    for child in parent:
        _share(child)
    _group(parent, lambda child: (child.tag, child.get("style")))
    _group(parent, lambda child: (child.tag, child.get("style") is not None))


def _group(parent: Element, kind: Callable[[Element], Hashable]) -> None:
    for _, run in groupby(list(parent), key=kind):
        alike = list(run)
        common = _common(alike)
        if len(alike) < SHARED or not common or alike[0].tag == f"{{{SVG}}}g":
            continue
        group = ElementTree.Element(f"{{{SVG}}}g", style="; ".join(common))
        clips = {child.get("clip-path") for child in alike}
        parent.insert(list(parent).index(alike[0]), group)
        for child in alike:
            parent.remove(child)
            group.append(child)
            own = [part for part in child.attrib.pop("style").split("; ") if part not in common]
            if own:
                child.set("style", "; ".join(own))
            if len(clips) == 1 and (clip := child.attrib.pop("clip-path", None)):
                group.set("clip-path", clip)


def _common(elements: Sequence[Element]) -> list[str]:
    """Parts of the style that all of them have, but for opacity, which a group would apply once."""
    styles = [element.get("style", "").split("; ") for element in elements]
    return [part for part in styles[0] if part and not part.startswith("opacity") and all(part in s for s in styles)]
