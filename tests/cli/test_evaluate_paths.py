"""`vdbench evaluate` on any artefact, and `--verify` on the result that one belongs to."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.cli.conftest import TINY, Cli, finished, judged, results
from tests.conftest import Digits
from tests.distilled.outside.test_videos import film
from vdbench.distilled.distilled_set import RECORD, DistilledSet
from vdbench.experiment.home import Home
from vdbench.experiment.result import Result
from vdbench.experiment.result_store import read_result
from vdbench.storage import files

UCF = ["--dataset", "ucf101", *TINY]


@pytest.fixture(scope="module")
def prepared(prepared: Path, mlflow_store: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which ``random`` and ``full`` ran once, with two networks each; never written to again."""
    two = ["--set", "protocol.evaluation_seeds=2", "--set", "protocol.labels=[soft]"]
    return finished(prepared, tmp_path_factory.mktemp("finished"), mlflow_store, *two)


@pytest.fixture
def ran(home: Path) -> Result:
    """The result of ``random``."""
    return next(r for r in results(home).values() if r.method == "random")


def artefact(home: Path, result: Result) -> Path:
    """The folder of a result's distilled set."""
    return home / "distilled" / str(result.distilled)


def films(folder: Path, made: DistilledSet) -> Path:
    """The clips as lossless MP4s in folders by class."""
    for row, (clip, label) in enumerate(zip(made.pixels(), made.labels().tolist(), strict=True)):
        film(folder / made.classes[label] / f"{row:03}.mp4", clip)
    return folder


def three_ways(cli: Cli, ours: Path, folder: Path, *options: object) -> None:
    """One of our sets, a tensor on a foreign scale in a foreign order, and videos: the same scores to the bit."""
    made = DistilledSet.load(ours)
    tensor = (made.pixels().float() / 255 - 0.45).div(0.225).permute(0, 1, 4, 2, 3)
    torch.save({"images": tensor, "labels": made.labels()}, folder / "theirs.pt")
    expected = judged(cli, ours, *options)
    scale = "mean=0.45,0.45,0.45:std=0.225,0.225,0.225"
    assert judged(cli, folder / "theirs.pt", *options, "--pixels", scale) == expected
    assert judged(cli, films(folder / "films", made), *options) == expected
    other = made.pixels().flip(1)
    torch.save((other, made.labels()), folder / "backwards.pt")
    assert judged(cli, folder / "backwards.pt", *options) != expected  # the clips decide


def test_a_tensor_videos_and_our_set_with_the_same_clips_score_the_same(
    cli: Cli, home: Path, ran: Result, tmp_path: Path
) -> None:
    three_ways(cli, artefact(home, ran), tmp_path, *UCF, "--home", home)


def test_as_json_every_network_says_what_it_made_of_every_clip_and_the_home_which_clips_they_are(
    cli: Cli, home: Path, ran: Result
) -> None:
    shutil.rmtree(home / "results" / "test-sets")
    own, *_ = judged(cli, artefact(home, ran), *UCF, "--home", home)
    score, *_ = own["scores"]
    known = ran.students[0].scores[0].outcomes
    assert known is not None
    assert (own["test_set"], score["outcomes"]) == (ran.test_set, known.model_dump())
    assert len(Home(home).results.clip_lists.read(own["test_set"])) == ran.dataset.test_clips


@pytest.mark.slow
def test_they_score_the_same_on_motion_digits(
    cli: Cli, tmp_path: Path, mlflow_store: str, monkeypatch: pytest.MonkeyPatch, digits: Digits
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store)
    home = digits(tmp_path / "home")
    run = ["--methods", "random", "--ipc", 2, "--seeds", 1, "--scheduler", "inline", *TINY]
    assert cli("run", *run, "--home", home).code == 0
    random = next(r for r in results(home).values() if r.method == "random")
    three_ways(cli, artefact(home, random), tmp_path, *TINY, "--home", home)


def test_the_table_shows_every_score(cli: Cli, home: Path, ran: Result) -> None:
    answer = cli("evaluate", artefact(home, ran), *UCF, "--home", home)
    lines = answer.out.splitlines()
    assert lines[1].split() == ["student", "labels", "seed", "top-1", "top-5", "macro", "shuffled", "still"]
    score = ran.students[0].scores[0]
    shares = [score.top1, score.top5, score.macro, score.shuffled, score.still]
    assert lines[2].split() == ["minic3d", "own", "0", *(p for s in shares for p in (f"{100 * (s or 0):.1f}", "%"))]


def test_one_sentence_says_what_is_wrong_with_a_path_or_an_option(
    cli: Cli, home: Path, ran: Result, tmp_path: Path
) -> None:
    torch.save(torch.rand(3, 3, 4, 16, 16), tmp_path / "set.pt")
    labels = tmp_path / "labels.txt"
    labels.write_text("0\n1\n2\n")
    ours, theirs = artefact(home, ran), tmp_path / "set.pt"
    for code, sentence, arguments in (
        (2, "holds floats from", [theirs, *UCF]),
        (2, "--pixels x is no scale", [theirs, *UCF, "--pixels", "x"]),
        (2, "the data sets ucf101, hmdb51; choose one with --dataset", [theirs, "--suite", "clean"]),
        (2, "--pixels has no effect on a distilled set of vdbench", [ours, *TINY, "--pixels", "unit"]),
        (2, "--lr has no effect on a distilled set of vdbench", [ours, *TINY, "--lr", "0.1"]),
        (2, "--classes has no effect beside --verify", [ours, "--verify", ran.id, "--classes", "sorted"]),
        (2, "--lr fast is no learning rate", [theirs, *UCF, "--pixels", "unit", "--labels", labels, "--lr", "fast"]),
        (2, "--seed has no effect beside --verify", [ours, "--verify", ran.id, "--seed", 1]),
        (2, "an id that begins with 'zz'", [ours, "--verify", "zz"]),
        (3, "there is no file or folder", [tmp_path / "none"]),
        (3, "there is no result", [ours, "--verify", tmp_path / "none.json"]),
        (3, "--set protocol.frames=4 --set protocol.size=16", [theirs, "--pixels", "unit", "--dataset", "ucf101",
                                                               "--set", "protocol.frames=8"]),
    ):  # fmt: skip
        answer = cli("evaluate", *arguments, "--home", home)
        assert (answer.code, answer.out) == (code, ""), answer
        assert sentence in answer.err


def test_clips_without_labels_are_judged_class_by_class_with_a_warning(cli: Cli, home: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "set.npy", np.zeros((3, 4, 16, 16, 3), dtype=np.uint8))
    with pytest.warns(UserWarning, match="taken class by class, 1 of each, from 'Archery' to 'Diving'"):
        assert len(judged(cli, tmp_path / "set.npy", *UCF, "--home", home)) == 1


def test_verifying_marks_the_result_and_changes_nothing_else(cli: Cli, home: Path, ran: Result, tmp_path: Path) -> None:
    path = tmp_path / f"{ran.id}.json"
    files.write_json(path, ran.model_dump(mode="json"))
    assert [way.name for way in ran.conditions] == ["soft"]
    answer = cli("evaluate", artefact(home, ran), "--verify", path, "--home", home).ended(0)
    assert "difference of a student's mean 0.00 points; every network has to agree to the bit" in answer.out
    assert answer.out.count("minic3d") == 4  # two networks, by their own labels and by soft ones
    marked = read_result(path)
    assert marked.verified is not None
    assert marked.verified.difference == 0
    assert marked.verified.environment == ran.environment
    assert marked.model_copy(update={"verified": None}) == ran
    assert results(home)[ran.id].verified is None


def test_a_result_of_the_home_is_named_by_its_id(cli: Cli, home: Path, ran: Result) -> None:
    answer = cli("evaluate", artefact(home, ran), "--verify", ran.id[:6], "--home", home, "--json").ended(0)
    told = json.loads(answer.out)
    assert (told["result"], told["agrees"], told["difference"]) == (ran.id, True, 0)
    assert {network["before"] == network["now"] for network in told["networks"]} == {True}
    assert results(home)[ran.id].verified is not None


def shifted(result: Result, points: float, **environment: object) -> Result:
    """A result whose last network is better by so many points than it was."""
    (student,) = result.students
    last = student.scores[-1]
    other = last.model_copy(update={"top1": last.top1 - points / 100 if last.top1 > 0.5 else last.top1 + points / 100})
    student = student.model_copy(update={"scores": (*student.scores[:-1], other)})
    machine = result.environment.model_copy(update=environment)
    return result.model_copy(update={"students": (student,), "environment": machine})


@pytest.mark.parametrize(
    ("points", "machine", "agrees"),
    [(0.9, {}, False), (4.0, {"device": "another"}, True), (4.4, {"torch": "1.0"}, False)],
)
def test_the_mean_on_another_machine_may_differ_by_points_and_on_the_same_one_by_nothing(
    cli: Cli, home: Path, ran: Result, points: float, machine: dict[str, object], agrees: bool
) -> None:
    path = Home(home).results.write(shifted(ran, points, **machine))
    before = path.read_bytes()
    answer = cli("evaluate", artefact(home, ran), "--verify", path, "--home", home)
    if agrees:
        mark = read_result(path).verified
        assert answer.code == 0
        assert mark is not None
        assert mark.difference == pytest.approx(points / 2)
        return
    assert answer.code == 1
    assert f"difference of a student's mean {points / 2:.2f} points" in answer.out
    assert "is not verified" in answer.err
    assert path.read_bytes() == before


def test_only_the_set_and_the_clips_of_a_result_can_verify_it(cli: Cli, home: Path, ran: Result) -> None:
    full = next(r for r in results(home).values() if r.method == "full")
    ours, store = artefact(home, ran), Home(home).results
    record = json.loads((ours / RECORD).read_text())

    def refused(folder: Path, sentence: str) -> None:
        before = store.path(ran.id).read_bytes()
        answer = cli("evaluate", folder, "--verify", ran.id, "--home", home)
        assert (answer.code, answer.out) == (3, ""), answer
        assert sentence in answer.err
        assert store.path(ran.id).read_bytes() == before

    refused(artefact(home, full), "is not the distilled set of result")
    files.write_json(ours / RECORD, record | {"step_size": 0.5})
    refused(ours, "its step_size is 0.5, not None")
    files.write_json(ours / RECORD, record)
    for claim, sentence in (
        ({"method": "herding"}, "its method is random, not herding"),
        ({"stored_bytes": 1}, "its stored_bytes is"),
        ({"ipc": 50}, "its ipc is 1, not 50"),
    ):
        store.write(ran.model_copy(update=claim))
        refused(ours, sentence)
    store.write(ran)
    other = ran.dataset.model_copy(update={"fingerprint": "0" * 16})
    store.write(ran.model_copy(update={"dataset": other}))
    refused(ours, "is prepared here from other clips")
    store.write(ran.model_copy(update={"protocol": ran.protocol | {"students": []}}))
    refused(ours, "the protocol of result")
    store.write(ran.model_copy(update={"students": (ran.students[0], ran.students[0].model_copy(update={"width": 9}))}))
    refused(ours, "has other networks than its protocol asks for")
