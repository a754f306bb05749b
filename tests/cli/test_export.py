"""`vdbench export`: from a result to files that others open, and back to a judgement."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Cli, results, tiny_run
from vdbench.experiment.result import Result


@pytest.fixture
def ran(cli: Cli, home: Path) -> Result:
    """The result of ``random`` of a run that takes seconds."""
    cli(*tiny_run(home)).ended(0)
    return next(result for result in results(home).values() if result.method == "random")


def protocol(home: Path) -> list[str]:
    """The changes of the protocol of that run, as ``vdbench evaluate`` takes them."""
    return [word for value in tiny_run(home) if value.startswith("protocol.") for word in ("--set", value)]


def test_an_export_is_judged_as_the_set_that_it_was_made_from(
    cli: Cli, home: Path, ran: Result, tmp_path: Path
) -> None:
    for to in ("folder", "hf", "webdataset"):
        out = tmp_path / to
        told = cli("export", ran.id[:6], "--to", to, "--frames", "png", "--out", out, "--home", home).ended(0)
        assert told.out.startswith(f"3 clips in 3 classes written to {out}, ")
        assert "made from clips of ucf101, whose terms decide whether it may be handed on" in told.err
        answer = cli("evaluate", out, "--suite", "quick", "--home", home, "--json", *protocol(home)).ended(0)
        assert json.loads(answer.out)[0]["scores"] == [score.model_dump() for score in ran.students[0].scores]


def test_an_export_is_exported_again_and_verifies_no_result(cli: Cli, home: Path, ran: Result, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert cli("export", ran.id, "--frames", "png", "--out", first, "--home", home).code == 0
    assert cli("export", first, "--to", "hf", "--frames", "png", "--out", second, "--home", home).code == 0
    clips = [sorted(p.read_bytes() for p in folder.rglob("*.png")) for folder in (first, second)]
    assert clips[0] == clips[1] and len(clips[0]) == 3 * 4
    said = "is an export, whose pixels are not the tensors that result"
    cli("evaluate", first, "--verify", ran.id, "--home", home).ended(2, said)


def test_the_card_tells_licence_bytes_scores_command_and_classes(
    cli: Cli, home: Path, ran: Result, tmp_path: Path
) -> None:
    out, again = tmp_path / "set", tmp_path / "again"
    for folder in (out, again):
        assert cli("export", ran.id, "--to", "hf", "--out", folder, "--home", home).code == 0
    card = (out / "README.md").read_text(encoding="utf-8")
    assert card == (again / "README.md").read_text(encoding="utf-8")
    head = yaml.safe_load(card.split("---\n")[1])
    assert (head["license"], head["license_name"]) == ("other", "terms-of-ucf101")
    assert head["license_link"] == "https://www.crcv.ucf.edu/data/UCF101.php"
    assert head["configs"][0]["data_files"] == [{"split": "train", "path": "train/**"}]
    assert f"As the method stores it: {ran.stored_bytes} " in card
    assert f"| {100 * ran.students[0].scores[0].top1:.1f} % |" in card
    assert "vdbench run --suite quick --datasets ucf101 --methods random" in card
    assert f"vdbench export {ran.id} --to hf --frames h264:18" in card
    assert all(f"| {label} | {name} |" in card for label, name in enumerate(ran.dataset.class_names))


def test_a_folder_without_a_result_is_exported_too(cli: Cli, home: Path, ran: Result, tmp_path: Path) -> None:
    alone = Path(shutil.copytree(home / "distilled" / str(ran.distilled), tmp_path / "alone"))
    out = tmp_path / "out"
    cli("export", alone, "--out", out, "--licence", "cc-by-4.0", "--home", tmp_path / "empty").ended(0)
    card = (out / "README.md").read_text()
    assert "license: cc-by-4.0" in card and "No result of this set is known here." in card


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nothing-like-that"], "no result has an id that begins with 'nothing-like-that'"),
        (["some/where"], "there is no distilled set some/where; name its folder, or the id of a result"),
        (["x", "--frames", "gif"], "frames cannot be written as 'gif'"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(cli: Cli, tmp_path: Path, words: list[str], sentence: str) -> None:
    answer = cli("export", *words, "--home", tmp_path)
    assert answer.code in (2, 3)
    assert sentence in answer.err
