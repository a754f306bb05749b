"""Where the files of an exported set lie, and what they are called.

Other libraries read meaning into names. The ``videofolder`` builder of the library datasets takes a word such as
``test`` between separators, in a folder or a file, for the name of a split; webdataset cuts the key of a sample at
the first dot. So no name here holds such a word, and no name holds a dot but before its ending; the classes
themselves stand in ``metadata.csv`` or beside each clip, spelt as they are.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Layout = Literal["folder", "hf", "webdataset"]
LAYOUTS: tuple[Layout, ...] = ("folder", "hf", "webdataset")

METADATA = "metadata.csv"
RECORD = "vdbench.json"
"""What :mod:`vdbench.distilled.sharing.reading` needs beside the clips."""
CARD = "README.md"
ROOTS: dict[Layout, str] = {"folder": "", "hf": "train/", "webdataset": ""}
"""Where class folders and ``metadata.csv`` lie. Without a folder ``train``, a split word elsewhere hides the rest."""
SPLIT_WORDS = {"train", "training", "test", "testing", "eval", "evaluation", "val", "valid", "validation", "dev"}
PER_SHARD = 1000
"""Clips in one archive of webdataset."""


def class_folder(label: int, name: str, count: int) -> str:
    """The folder of a class: its number, and what of its name is harmless.

    Returns:
        For example ``007-high-jump``; only ``007`` for a name such as ``Test Drive`` or ``跳远``.
    """
    number = f"{label:0{max(3, len(str(count - 1)))}}"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall("[a-z0-9]+", plain)
    if not words or SPLIT_WORDS & set(re.findall("[a-z]+", plain)):
        return number
    return "-".join([number, *words])[:80].rstrip("-")


def key(row: int, count: int) -> str:
    """What the files of a clip begin with: its place in the set, so that names sort as clips stand."""
    return f"{row:0{max(5, len(str(count - 1)))}}"


def place(folder: str, name: str, ending: str) -> str:
    """The path of a file of a clip in a class's folder: ``007-jump/00031.mp4``, or ``007-jump/00031/03.png``."""
    return f"{folder}/{name}/{ending}" if "." in ending else f"{folder}/{name}.{ending}"


def shard(row: int) -> str:
    """The archive that a clip lies in."""
    return f"train-{row // PER_SHARD:06}.tar"
