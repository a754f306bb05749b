"""Records of distilled sets, for tests that make sets by hand."""

from typing import Any

from vdbench.clips.clipset import Normalisation
from vdbench.distilled import DistilledRecord
from vdbench.records import Provenance


def distilled_record(**changes: Any) -> DistilledRecord:
    """Of a set of one clip for each of two classes, with some of it replaced."""
    known = {
        "dataset": "tiny",
        "train_fingerprint": "f",
        "classes": ("a", "b"),
        "ipc": 1,
        "labels": "hard",
        "normalisation": Normalisation((0.4, 0.5, 0.6), (0.2, 0.3, 0.1)),
        "method": "any",
        "method_version": 1,
        "settings": {},
        "seed": 0,
        "provenance": Provenance(pool="learned"),
    }
    return DistilledRecord.model_validate(known | changes)
