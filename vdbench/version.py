"""The version of vdbench that is installed."""

from importlib.metadata import PackageNotFoundError, version


def installed() -> str:
    """The version, ``0+unknown`` for a source tree that was never installed."""
    try:
        return version("vdbench")
    except PackageNotFoundError:
        return "0+unknown"
