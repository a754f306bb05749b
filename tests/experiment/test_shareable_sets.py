"""Distilled sets beside submitted results: which may be handed on, and that they are those of the results."""

from pathlib import Path

import torch

from tests.experiment.conftest import Write
from tests.experiment.results import DIGITS, OWN, content, failed, result, said
from tests.sets import distilled_record
from vdbench.distilled.distilled_set import TENSORS, DistilledSet
from vdbench.experiment.rules import findings
from vdbench.experiment.submissions import export_artefacts, shareable
from vdbench.records import Provenance
from vdbench.storage import files


def test_only_clips_that_may_be_handed_on_are_shareable() -> None:
    real, ucf = result(), DIGITS.model_copy(update={"name": "ucf101"})
    assert shareable(real)
    assert not shareable(result(dataset=ucf))
    assert not shareable(result(dataset=ucf, provenance=None))
    assert not shareable(result(dataset=DIGITS.model_copy(update={"name": "unheard-of"})))
    for pool in ("real", "generated", "learned"):
        assert not shareable(result(dataset=OWN, provenance=Provenance(pool=pool)))
    for pool in ("generated", "learned"):
        assert shareable(result(dataset=ucf, provenance=Provenance(pool=pool))) == (pool == "generated"), "near copies"


def keep(folder: Path, value: int) -> str:
    """Store a distilled set and give the SHA-256 of its tensors."""
    clips = torch.full((2, 1, 2, 2, 3), value, dtype=torch.uint8)
    DistilledSet({"clips": clips, "targets": torch.tensor([0, 1])}, distilled_record()).save(folder)
    (folder / "preview.png").write_bytes(b"frames")
    return files.file_sha256(folder / TENSORS)


def test_distilled_sets_are_exported_once_each_and_never_restricted_ones(write: Write, tmp_path: Path) -> None:
    home, ucf = tmp_path / "home" / "distilled", DIGITS.model_copy(update={"name": "ucf101"})
    made = [{"distilled": f"{i:016x}", "artefact": keep(home / f"{i:016x}", i)} for i in range(4)]
    made.append(made[1] | {"distilled": "4" * 16})  # the same clips under another name
    sampled = {"dataset": ucf, "provenance": Provenance(pool="generated")}
    results = [
        result(seed=0, **made[0]), result(seed=1, **made[0]),  # one set for two results
        result(seed=2, **made[1], dataset=ucf),
        result("dm", 0, **made[2], **sampled),
        result("dm", 4, **made[4], **sampled),
        result("dm", 1),
        result("dm", 3, distilled="../distilled/" + made[0]["distilled"], artefact=made[0]["artefact"]),
        result("dm", 2, **made[3] | {"artefact": "f" * 64}),  # made anew since, with other clips
        failed(seed=3),
    ]  # fmt: skip
    folder = write("out", results)
    names = [made[0]["distilled"], made[2]["distilled"]]
    handed = export_artefacts(results, home, folder)
    assert (handed.restricted, handed.missing) == (2, 2)
    assert list(handed.copied) == [folder / "distilled" / name for name in names]
    assert sorted(path for path in content(folder) if path.startswith("distilled")) == [
        f"distilled/{place}/{name}" for place in names for name in ("distilled.json", TENSORS)
    ]
    assert len(DistilledSet.load(folder / "distilled" / names[0])) == 2
    assert said(findings([folder]), True) == ["it does not name its distilled set"]


def test_distilled_sets_beside_results_are_checked_too(write: Write, tmp_path: Path) -> None:
    folder = write("out", [])
    restricted, stray = keep(folder / "distilled" / "a", 1), keep(folder / "distilled" / "b", 2)
    write("out", [result(artefact=restricted, dataset=DIGITS.model_copy(update={"name": "ucf101"}))])
    (folder / "README.md").write_text("about")
    found = {Path(finding.where).relative_to(folder).as_posix(): finding for finding in findings([folder])
             if finding.where.startswith("/")}  # fmt: skip
    assert "may not be handed on" in found[f"distilled/a/{TENSORS}"].what
    assert "that of no result here" in found[f"distilled/b/{TENSORS}"].what
    assert all(found[f"distilled/{name}/{TENSORS}"].fault for name in "ab")
    for name in ("README.md", "distilled/a/preview.png", "distilled/b/preview.png"):
        assert (found[name].what, found[name].fault) == ("it is neither a result nor part of a distilled set", False)
    assert stray != restricted
