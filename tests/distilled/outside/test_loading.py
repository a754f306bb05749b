"""What is ours, what is not, and what the record of an outside set claims."""

from pathlib import Path
from typing import Any

import pytest

from tests.distilled.outside.conftest import CLASSES, LABELS, Save, pixels, same
from vdbench.datasets.view import View
from vdbench.distilled.outside.loading import is_outside
from vdbench.errors import DataError


def test_the_record_claims_nothing(load: Any, save: Save, view: View) -> None:
    record = load(save((pixels(), LABELS), "theirs.pt")).record
    assert (record.method, record.dataset, record.ipc) == ("outside:theirs.pt", "ucf101", 2)
    assert (record.provenance.encoder_saw, record.provenance.generator_saw) == ("unknown", "unknown")
    assert record.provenance.clip_ids is None
    assert record.train_fingerprint == view.train.fingerprint
    assert record.classes == CLASSES


def test_what_is_ours_and_what_is_not(load: Any, save: Save, tmp_path: Path) -> None:
    ours = load(save((pixels(), LABELS)))
    ours.save(tmp_path / "ours")
    (tmp_path / "ours" / "preview.mp4").write_bytes(b"")
    assert not is_outside(tmp_path / "ours")
    assert is_outside(tmp_path / "ours" / "tensors.safetensors")
    assert same(load(tmp_path / "ours" / "tensors.safetensors"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty is no distilled set, and holds neither videos nor files of tensors$"):
        is_outside(tmp_path / "empty")
    frame = tmp_path / "empty" / "Archery" / "clip" / "000.PNG"
    frame.parent.mkdir(parents=True)
    frame.touch()
    with pytest.raises(DataError, match="pictures are not read: make a video of each clip, or one array of all"):
        is_outside(tmp_path / "empty")
    with pytest.raises(DataError, match="there is no file or folder"):
        is_outside(tmp_path / "none.pt")
