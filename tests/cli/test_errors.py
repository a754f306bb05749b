"""What bad input gets: one sentence, the exit code of the design, and nothing lost."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, tiny_run


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--methods", "hurding"], 2, "unknown method 'hurding'; did you mean 'herding'?"),
        (["--methods", "random@moon"], 2, "method 'random' has no pool 'moon'; its pools are: real"),
        (["--methods", ""], 2, "names nothing"),
        (["--methods", ","], 2, "names nothing"),
        (["--methods", " , "], 2, "names nothing"),
        (["--datasets", "ucf102"], 2, "unknown data set 'ucf102'; did you mean 'ucf101'"),
        (["--datasets", "mine.yaml"], 3, "there is no data set file mine.yaml; check the path"),
        (["--suite", "quik"], 2, "unknown suite 'quik'; did you mean 'quick'?"),
        (["--ipc", "0"], 2, "--ipc takes whole numbers of at least 1, not '0'"),
        (["--ipc", "-3"], 2, "--ipc takes whole numbers of at least 1, not '-3'"),
        (["--ipc", "1.5"], 2, "--ipc takes whole numbers of at least 1, not '1.5'"),
        (["--ipc", "1,x"], 2, "--ipc takes whole numbers of at least 1, not 'x'"),
        (["--seeds", "0"], 2, "--seeds takes whole numbers of at least 1, not '0'"),
        (["--seeds", "1000000000"], 2, "1,000,000,000 seeds are too many; a run takes 10,000 at most"),
        (["--ipc", "99"], 2, "IPC 99 is more than ucf101 has: class 'Archery' has 4 clips to choose from"),
        (["--set", "random.x=1"], 2, "unknown setting 'random.x'"),
        (["--set", "herding.encoder=moon", "--methods", "herding"], 2, "herding.encoder.name='moon' is not valid"),
        (["--set", "herding.encoder=pixels"], 2, "method 'herding' is not among those of this run"),
        (["--set", "protocol.recip.lr=1"], 2, "unknown setting 'protocol.recip'; did you mean 'protocol.recipe'"),
        (["--set", "protocol.recipe.lr=-1"], 2, "setting protocol.recipe.lr=-1 is not valid"),
        (["--set", "protocol.readings=1000000000"], 2, "setting protocol.readings=1000000000 is not valid"),
        (["--set", "protocol.recipe.maxsteps=3"], 2, "did you mean 'protocol.recipe.max_steps'"),
        (["--set", "protocol.split=7"], 2, "ucf101 has no split 7"),
        (["--set", "protocol.configurations={a: {recipe: {lr: no}}}"], 2, "lr: Input should be a valid number"),
        (["--set", "protocol.configurations={a: {student: {name: resnet}}}"], 2, "there is no student 'resnet'"),
        (["--set", "protocol.labels=[teacher]"], 2, "labels 'teacher' are given at every step to varied clips; say"),
        (
            ["--set", "protocol.students=[{name: resnet}]"],
            2,
            "there is no student 'resnet'; there are: cnn-gru, cnn-lstm, cnn-lstm-as-published, minic3d",
        ),
        (["--set", "protocol.recipe.lr=.inf"], 2, "--set protocol.recipe.lr=.inf is not valid: .inf is not a finite"),
        (["--set", "dm.lr=-.inf"], 2, "--set dm.lr=-.inf is not valid: -.inf is not a finite number"),
        (["--set", "protocol.recipe.lr=.nan"], 2, "--set protocol.recipe.lr=.nan is not valid: .nan is not a finite"),
        (["--set", "protocol.recipe.lr=Infinity"], 2, "setting protocol.recipe.lr='Infinity' is not valid"),
        (["--set", "dm.lr=inf", "--methods", "dm"], 2, "setting dm.lr='inf' is not valid"),
        (["--set", "dm.lr=12:30", "--methods", "dm"], 2, "setting dm.lr='12:30' is not valid"),
        (["--set", "dm.lr=2026-01-01", "--methods", "dm"], 2, "setting dm.lr='2026-01-01' is not valid"),
        (["--set", "dm.lr=", "--methods", "dm"], 2, "setting dm.lr=None is not valid"),
        (["--set", "generator.training.lr=nan"], 2, "setting generator.training.lr='nan' is not valid"),
        (["--set", "generator.training="], 2, "setting generator.training=None is not valid"),
        (["--set", "generator.sampling=many"], 2, "setting generator.sampling='many' is not valid"),
        (["--set", "generator.preset=[small]"], 2, "setting generator.preset=['small'] is not valid"),
        (["--set", "nonsense"], 2, "is not of the form NAME.SETTING=VALUE"),
        (["--set", "protocol.frames=99"], 3, "vdbench datasets prepare ucf101 --frames 99"),
        (["--datasets", "hmdb51"], 3, "vdbench datasets prepare hmdb51 --data-root FOLDER --partial --home "),
        (["--plugin", "nothing.py"], 2, "nothing.py; check the path"),
        (["--device", "cuda"], 2, "torch finds no CUDA GPU here"),
        (["--timeout", "0"], 2, "Invalid value for '--timeout'"),
        (["--nonsense"], 2, "No such option"),
    ],
)
def test_a_wrong_run_is_one_sentence(cli: Cli, home: Path, arguments: list[str], code: int, sentence: str) -> None:
    if "cuda" in arguments:
        import torch

        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU")
    answer = cli(*tiny_run(home, *arguments))
    assert sentence in " ".join(answer.err.split())
    assert answer.code == code
    assert "Traceback" not in answer.err
    assert not (home / "results").exists()


@pytest.mark.parametrize(
    ("method", "chosen", "sentence"),
    [
        ("vdsd", ["vdsd.base=frepo", "vdsd.static=3"], "for 1 clips, which pairing=fixed takes; leave vdsd.static and"),
        ("vdsd", ["vdsd.pairing=fixed", "vdsd.static=1", "vdsd.dynamic=2"], "leave vdsd.static and vdsd.dynamic out"),
        ("random@generated", ["protocol.size=12"], "shrinks frames 8 times, so 12 pixels do not do; choose a size"),
        ("random@generated", ["generator.denoiser.patch=3"], "2x2 do not split into tokens of 3x3; add --set"),
        ("d4m", ["generator.pipeline=nobody/there"], "the pipeline nobody/there is not; leave out generator.pipeline"),
    ],
)
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_settings_that_do_not_fit_each_other_are_told_before_anything_is_computed(
    cli: Cli, home: Path, method: str, chosen: list[str], sentence: str, more: list[str]
) -> None:
    answer = cli(*tiny_run(home, *(word for text in chosen for word in ("--set", text)), *more, methods=method))
    answer.ended(2, sentence)
    assert not any((home / made).exists() for made in ("results", "assets", "distilled"))


def test_partial_data_needs_partial(cli: Cli, home: Path) -> None:
    words = [argument for argument in tiny_run(home) if argument != "--partial"]
    cli(*words).ended(3, "ucf101 is partial: 3 of 101 classes and 24 of 13320 clips are there; add --partial")


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc").exists(), reason="needs a folder that cannot be written")
def test_an_unwritable_home(cli: Cli) -> None:
    cli("run", "--home", "/proc/home").ended(2, "home /proc/home cannot be written", "--home or VDBENCH_HOME")


def test_a_home_that_is_a_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert cli("results", "list", "--home", tmp_path / "file").code == 2


def test_preparing_without_or_from_a_wrong_data_root(cli: Cli, tmp_path: Path) -> None:
    cli("datasets", "prepare", "ucf101", "--home", tmp_path).ended(3, "--data-root or VDBENCH_DATA")
    cli("datasets", "prepare", "ucf101", "--home", tmp_path, "--data-root", tmp_path / "nowhere").ended(3, "nowhere")


@pytest.mark.parametrize(("text", "cause"), [("import no_such_library", "no_such_library"), ("def x(:", "SyntaxError")])
def test_a_broken_plugin_is_an_error_whatever_is_run(
    cli: Cli, home: Path, tmp_path: Path, text: str, cause: str
) -> None:
    plugin = tmp_path / "broken_one.py"
    plugin.write_text(text)
    runs = [tiny_run(home, methods=methods) for methods in ("broken-one", "random", "all", "*")]
    listings = [["methods", "list"], ["methods", "show", "random"], ["methods", "check", "random"]]
    for command in (*runs, tiny_run(home, "--dry-run"), *listings):
        cli(*command, "--plugin", plugin).ended(3, f"plugin {plugin} cannot be used: ", cause)
    assert not (home / "results").exists()
    cli("methods", "check", plugin).ended(3, cause)
    assert "herding" in cli("methods", "list", "--plugin", plugin).out


def test_results_and_leaderboards_that_are_not_there(cli: Cli, tmp_path: Path) -> None:
    for command in (["leaderboard", "build"], ["leaderboard", "show"], ["results", "export", tmp_path / "out"]):
        cli(*command, "--home", tmp_path).ended(3, "vdbench run")
    cli("results", "show", "abc", "--home", tmp_path).ended(2, "vdbench results list")


def test_an_artefact_that_is_none(cli: Cli, tmp_path: Path) -> None:
    cli("evaluate", tmp_path, "--home", tmp_path / "home").ended(3, "is no distilled set")


def test_a_run_leaves_a_result_of_a_later_version_as_it_is(cli: Cli, home: Path) -> None:
    (home / "results").mkdir(exist_ok=True)
    later, broken = home / "results" / "later.json", home / "results" / "broken.json"
    later.write_text('{"schema_version": 99, "environment": {"vdbench": "9.0"}}')
    broken.write_text("{")
    before = sorted(home.rglob("*"))
    said = "later.json was written by vdbench 9.0, a later version: its schema is 99"
    cli(*tiny_run(home)).ended(3, said, "upgrade vdbench, or use another --home")
    assert later.read_text().startswith('{"schema_version": 99')
    assert [path for path in sorted(home.rglob("*")) if path.suffix == ".corrupt"] == []
    assert set(before) <= set(home.rglob("*"))


def test_what_a_distilled_set_calls_its_data_set_is_never_opened(cli: Cli, home: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("password: [hunter2")
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "tensors.safetensors").write_bytes(b"")
    empty = hashlib.sha256(b"").hexdigest()
    (folder / "distilled.json").write_text(json.dumps({"dataset": str(secret), "tensors_sha256": empty}))
    answer = cli("evaluate", folder, "--home", home).ended(3, "is no distilled set that can be read")
    assert "password" not in answer.err and "hunter2" not in answer.err


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs a folder that cannot be written")
@pytest.mark.parametrize("words", [["leaderboard", "show"], ["leaderboard", "variance"], ["power"]])
def test_what_only_reads_needs_no_home_that_can_be_written(cli: Cli, words: list[str]) -> None:
    cli(*words, "--home", "/proc/home").ended(3, "no results in /proc/home/results; check the path")


def test_listing_the_results_of_a_mistyped_home_says_that_there_are_none_and_makes_nothing(
    cli: Cli, tmp_path: Path
) -> None:
    answer = cli("results", "list", "--home", tmp_path / "hoem").ended(0)
    assert f"no results in {tmp_path / 'hoem' / 'results'}; check the path" in " ".join(answer.err.split())
    assert not (tmp_path / "hoem").exists()
    assert json.loads(cli("results", "list", "--home", tmp_path / "hoem", "--json").out) == []
