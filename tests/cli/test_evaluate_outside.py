"""`vdbench evaluate` on files as the field's own code writes them, and on files that nobody should have written."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.cli.conftest import TINY, Cli, judged

UCF = ["--dataset", "ucf101", *TINY]
CLIPS = torch.randint(0, 256, (3, 4, 16, 16, 3), generator=torch.Generator().manual_seed(1)).byte()
LABELS = torch.arange(3)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """The clips as uint8 with their labels and nothing else."""
    torch.save({"clips": CLIPS, "labels": LABELS}, tmp_path / "plain.pt")
    return tmp_path / "plain.pt"


def test_a_result_file_of_dataset_condensation_scores_as_its_clips_do(
    cli: Cli, home: Path, plain: Path, tmp_path: Path
) -> None:
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    clips = ((CLIPS.float() / 255 - mean) / std).permute(0, 1, 4, 2, 3)
    accuracies = {"accs_all_exps": {"ConvNet3D": [np.float64(0.31), np.float64(0.3)]}}
    path = tmp_path / "res_DM_UCF101_ConvNet3D_1ipc.pt"
    torch.save({"data": [[torch.zeros_like(clips), LABELS], [clips, LABELS]]} | accuracies, path)
    options = ["--pixels", "imagenet", "--clips", "data.1", *UCF, "--home", home]
    assert judged(cli, path, *options) == judged(cli, plain, *UCF, "--home", home)
    answer = cli("evaluate", path, *options, "--json")
    told = {"clips": "data.1.0", "pixels": "imagenet", "labels": "as numbers or shares", "lr": None}
    assert [scores["assumed"] for scores in json.loads(answer.out)] == [told]


def test_students_are_trained_with_the_learned_rate_beside_the_clips(
    cli: Cli, home: Path, plain: Path, tmp_path: Path
) -> None:
    path = tmp_path / "distilled.pt"
    torch.save({"image": CLIPS, "label": LABELS, "lr": torch.tensor(0.5)}, path)
    with pytest.warns(UserWarning, match=r"trained with the learning rate 0\.5 .* --lr none leaves it out"):
        answer = cli("evaluate", path, *UCF, "--home", home).ended(0)
    assert answer.out.splitlines()[0].endswith("at its learned step size 0.5")
    with pytest.warns(UserWarning, match="learning rate"):
        learned = judged(cli, path, *UCF, "--home", home)
    assert [scores["labels"] for scores in learned] == ["own", "own-random"]
    usual = judged(cli, plain, *UCF, "--home", home)
    assert judged(cli, path, *UCF, "--home", home, "--lr", "none") == usual
    assert learned[0]["scores"][0]["train_loss"] != usual[0]["scores"][0]["train_loss"]


def test_images_motions_and_hallucinator_in_a_folder_are_judged(cli: Cli, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "S2D_DM"
    folder.mkdir()
    torch.save({"image": torch.randn(6, 3, 16, 16)}, folder / "ucf_static.pt")
    torch.save(torch.randn(6, 4, 1, 16, 16), folder / "dynamic_best.pt")
    state = {"0.encoder.weight": torch.randn(3, 4, 3, 3, 3), "0.encoder.bias": torch.zeros(3)}
    torch.save(state, folder / "weights_best.pt")
    answer = cli("evaluate", folder, *UCF, "--home", home, "--pixels", "imagenet").ended(0)
    assert answer.out.splitlines()[0] == "outside:S2D_DM on ucf101, 3 clips"
    (folder / "dynamic_best.pt").unlink()
    cli("evaluate", folder, *UCF, "--home", home, "--pixels", "imagenet").ended(3, "holds no motions")


def test_what_the_public_code_of_frepo_on_images_and_motions_wrote_is_judged_with_its_labels(
    cli: Cli, home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "S2D_FRePo"
    folder.mkdir()
    torch.save({"image": torch.randn(3, 3, 16, 16)}, folder / "static.pt")
    for iteration in (1, 400):
        torch.save(torch.randn(3, 1, 4, 1, 16, 16), folder / f"dynamic_{iteration}.pt")
        state = {"0.encoder.weight": torch.randn(3, 4, 3, 3, 3), "0.encoder.bias": torch.zeros(3)}
        torch.save(state, folder / f"hal_{iteration}.pt")
        torch.save(0.9 * (torch.eye(3) - 1 / 3), folder / f"y_syn_{iteration}.pt")
    with pytest.warns(UserWarning, match="those of the last one, 400, are judged"):
        own, random = judged(cli, folder, *UCF, "--home", home, "--pixels", "imagenet")
    assert (own["labels"], random["labels"]) == ("own", "own-random")


def test_no_bad_file_is_more_than_a_sentence(cli: Cli, home: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.pt"
    torch.save({"clips": torch.zeros(3, 4, 16, 16, 3, dtype=torch.uint8), "labels": torch.arange(3)}, whole)
    content = whole.read_bytes()
    (tmp_path / "cut.pt").write_bytes(content[:-200])
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "folder.pt").mkdir()
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "cut.pt").write_bytes(content[:500])
    torch.save([], tmp_path / "list.pt")
    torch.save(Path, tmp_path / "global.pt")
    for name in ("cut.pt", "empty.pt", "folder.pt", "files", "list.pt", "global.pt"):
        answer = cli("evaluate", tmp_path / name, *UCF, "--home", home)
        assert (answer.code, answer.out) == (3, ""), answer
        assert answer.err.startswith("error: ")
        assert len(answer.err.splitlines()) == 1
