"""Drafts tell who writes them, and those of writers that have ended are swept."""

import subprocess
import sys
from pathlib import Path

from vdbench.storage import drafts, files

DRAFTS = """
import sys
from pathlib import Path
from vdbench.storage.drafts import draft_of
draft_of(Path(sys.argv[1]) / "result.json").write_text("{")
folder = draft_of(Path(sys.argv[1]) / "set")
folder.mkdir()
(folder / "tensors").write_text("")
"""


def test_drafts_of_a_writer_that_ended_are_swept_and_nothing_else(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", DRAFTS, str(tmp_path)], check=True)
    left = set(tmp_path.iterdir())
    assert len(left) == 2 and all(drafts.is_draft(path) and drafts.abandoned(path) for path in left)
    ours = drafts.draft_of(tmp_path / "result.json")
    elsewhere = tmp_path / ours.name.replace(ours.name.split(".")[3].split("-")[0], "000000")
    others = {ours, elsewhere, tmp_path / "result.json", tmp_path / ".run.lock", tmp_path / ".x.draft"}
    for path in others:
        path.write_text("")
    drafts.sweep(tmp_path)
    assert set(tmp_path.iterdir()) == others
    drafts.sweep(tmp_path / "missing")


def test_a_draft_ends_as_its_file_does_and_is_gone_when_that_is_written(tmp_path: Path) -> None:
    with files.atomic(tmp_path / "page.html") as draft:
        draft.write_text("whole")
        assert draft.suffix == ".html" and draft.parent == tmp_path
        assert drafts.is_draft(draft) and not drafts.abandoned(draft)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
