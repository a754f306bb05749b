"""What Ray wants of its user's machine: variables, a short path for its sockets, and a place for its token."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vdbench.errors import UsageError

SOCKET_PATH = 107 if sys.platform == "linux" else 103
"""Bytes that the path of a socket may have."""
BELOW = len("/ray/session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store.1")
"""Bytes that Ray adds to its temporary folder's path for the longest of its sockets."""
SHORT = Path("/tmp")
"""Where it goes when the temporary folder's path is too long."""


@contextmanager
def environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """Have environment variables, where the user set no other value, and none of them afterwards.

    Programs that are started later by the same process find what its user left there.
    """
    missing = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ |= missing
    try:
        yield
    finally:
        for name in missing:
            os.environ.pop(name, None)


def temporary_folder() -> str | None:
    """The folder for Ray's sockets and logs; None where its own choice will do.

    It will not where its path is too long for sockets, or where it lies in the virtual environment, in which workers of
    Ray 2.60.0 refuse to start and their driver waits for ever.

    Raises:
        UsageError: the temporary folder will not do, and there is no other.
    """
    chosen = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or str(SHORT)
    most = SOCKET_PATH - BELOW
    long = len(os.fsencode(chosen)) > most
    if not long and not _in_virtual_environment(Path(chosen)):
        return None
    if not os.access(SHORT, os.W_OK | os.X_OK) or _in_virtual_environment(SHORT):
        why = "its path is too long for Ray's sockets" if long else "Ray starts no workers from a virtual environment"
        raise UsageError(
            f"the temporary folder {chosen} will not do, since {why}; set RAY_TMPDIR to a folder elsewhere whose path "
            f"has at most {most} bytes, or add --scheduler inline"
        )
    return str(SHORT / f"ray-{os.getuid()}")


def _in_virtual_environment(folder: Path) -> bool:
    """Whether a folder lies in the environment that is active for programs started from here, as Ray finds it."""
    root = os.environ.get("VIRTUAL_ENV")
    return root is not None and root != "" and folder.resolve().is_relative_to(Path(root).resolve())


def token_where_none_can_be_kept() -> dict[str, str]:
    """Variables that give Ray a token for this run, where it could not write one to the user's home folder."""
    if any(name in os.environ for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")):
        return {}
    try:
        folder = Path.home() / ".ray"
    except RuntimeError:  # no home folder is known
        writable = False
    else:
        writable = os.access(folder if folder.exists() else folder.parent, os.W_OK | os.X_OK)
    return {} if writable else {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
