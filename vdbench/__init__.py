"""vdbench: the benchmark suite for video dataset distillation."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("vdbench")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
