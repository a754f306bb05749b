"""The version of vdbench that is installed."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def installed() -> str:
    """The version, ``0+unknown`` for a source tree that was never installed; looked up once per process."""
    try:
        return version("vdbench")
    except PackageNotFoundError:
        return "0+unknown"
