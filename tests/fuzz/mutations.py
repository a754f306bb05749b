"""Inputs that nearly are what they should be, and the loop that feeds them to a parser."""

import json
import logging
import os
import resource
import time
import warnings
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vdbench.errors import VdbenchError

MINUTES = float(os.environ.get("VDBENCH_FUZZ_MINUTES", "0"))
"""How long each fuzzer goes on with inputs that are always new; without it each takes the same few inputs."""
FEW, MANY = 12, 200
"""Inputs at a time."""
MEMORY = 16 * 2**30
"""Bytes of addresses that a long search may take: an input that wants more fails, and does not end the process."""
HEAD = 200
"""Bytes of a file in which every second edit begins: headers are short, and pixels are not."""
ODD: Sequence[Any] = (
    *(None, True, -1, 0, 1, 7, 2**31, 2**63, 10**40, -(10**40), 0.5, 1e308, float("nan"), float("inf")),
    *("", " ", "\x00", "../x", "/", "..", "~nobody/x", "a" * 300, "=1+1", "\x1b[31m\n# x", "1e999", "\ud800", "ü"),
    *([], [[]], [1, "a"], {}, {"a": {}}, {"": 0}),
)
"""Values that somebody could have written in place of another."""
TOKENS: Sequence[bytes] = (
    *(b"\x00", b"\n", b"\r", b'"', b"'", b",", b";", b"\t", b" ", b":", b"-", b"[", b"]", b"{", b"}", b"&a ", b"*a"),
    *(
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        "\u202e\u2028".encode(),
        b"\x1b[2J",
        b"inf",
        b"nan",
        b"-1",
        b"1e999",
    ),
    *(b"9" * 400, b"x" * 200_000, b"[" * 3000, b"(" * 3000, b"~nobody/", b"../", b"!!python/name:os.system ", b"<<: "),
)
"""Bytes that mean something to some parser."""


def fuzz(inputs: st.SearchStrategy[Any], feed: Callable[[Any], object]) -> None:
    """Feed inputs to a parser; whatever it raises but errors of our own fails the test, with the input."""
    ends = time.monotonic() + 60 * MINUTES
    if MINUTES:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    often = settings(
        max_examples=MANY if MINUTES else FEW,
        derandomize=not MINUTES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

    @often
    @given(inputs)
    def run(value: Any) -> None:
        if MINUTES and time.monotonic() > ends:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                feed(value)
            except VdbenchError as error:
                assert str(error)

    logging.disable()  # pytest keeps every record until the test ends
    try:
        run()
        while time.monotonic() < ends:
            run()
    finally:
        logging.disable(logging.NOTSET)


def fuzz_file(path: Path, read: Callable[[], object]) -> None:
    """Write contents like that of a valid file in its place, and let each be read."""
    valid = path.read_bytes()

    def feed(content: bytes) -> None:
        path.write_bytes(content)
        read()

    fuzz(json_like(valid) if path.suffix == ".json" else bytes_like(valid), feed)


@st.composite
def bytes_like(draw: st.DrawFn, content: bytes) -> bytes:
    """A file with up to four edits: bytes flipped, cut, doubled, or tokens put between them."""
    for _ in range(draw(st.integers(1, 4))):
        anywhere = st.integers(0, min(HEAD, len(content))) | st.integers(0, len(content))
        start, end = sorted((draw(anywhere), draw(anywhere)))
        kind = draw(st.sampled_from(["flip", "cut", "end", "double", "put", "replace"]))
        if kind == "flip" and content:
            place = min(start, len(content) - 1)
            content = content[:place] + bytes([content[place] ^ draw(st.integers(1, 255))]) + content[place + 1 :]
        elif kind == "cut":
            content = content[:start] + content[end:]
        elif kind == "end":
            content = content[:start]
        elif kind == "double":
            content = content[:end] + content[start:end][:1000] + content[end:]
        else:
            token = draw(st.sampled_from(TOKENS) | st.binary(max_size=8))
            content = content[:start] + token + content[start + (len(token) if kind == "replace" else 0) :]
    return content


@st.composite
def values_like(draw: st.DrawFn, value: Any) -> Any:
    """A value of JSON in which up to three parts are odd, missing, doubled or called otherwise."""
    value = deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        value = _changed(draw, value)
    return value


def _changed(draw: st.DrawFn, value: Any) -> Any:
    inside = value if isinstance(value, dict | list) else []
    if not inside or not draw(st.integers(0, 9)):
        odd = draw(st.sampled_from(ODD) | st.text(max_size=5) | st.integers() | st.floats())
        return deepcopy(odd)  # a later change may go deeper into it
    keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
    key = draw(st.sampled_from(keys))
    kind = draw(st.sampled_from(["deeper"] * 7 + ["lost", "more"]))
    if kind == "lost":
        inside.pop(key)
    elif kind == "more" and isinstance(inside, dict):
        inside[draw(st.sampled_from(["", "surprise", "schema_version", str(key) + " "]))] = inside[key]
    elif kind == "more":
        inside.insert(key, inside[key])
    else:
        inside[key] = _changed(draw, inside[key])
    return inside


def json_like(content: bytes) -> st.SearchStrategy[bytes]:
    """A document like another one, by its values or by its bytes."""
    by_value = values_like(json.loads(content)).map(lambda value: json.dumps(value).encode())
    return st.one_of(by_value, by_value, bytes_like(content))
