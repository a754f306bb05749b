"""Distilled sets: how they are stored and read, what makes one sound, and those that other code made."""

from vdbench.distilled.distilled_set import DistilledRecord, DistilledSet

__all__ = ["DistilledRecord", "DistilledSet"]
