"""Where methods are found: the entry points of installed packages, and files named on the command line."""

from vdbench.registry.methods import Registry

__all__ = ["Registry"]
