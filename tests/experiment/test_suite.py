"""Suites: what they prescribe, to whom, and that their prescriptions can be followed."""

import re
from importlib.metadata import EntryPoint
from importlib.resources import files
from pathlib import Path

import pytest

from vdbench.datasets.spec import as_declared_now, load_dataset
from vdbench.errors import DataError, UsageError
from vdbench.evaluation.augment import Augmentation
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.train import Recipe
from vdbench.experiment.protocol import Protocol
from vdbench.experiment.suite import Prescription, Suite, load_suite, merged, suite_names
from vdbench.generator.settings import generator_settings
from vdbench.registry import Registry

PROTOCOL = Protocol(students=(StudentSpec(name="minic3d", width=4),), recipe=Recipe())


def suite(*methods: Prescription) -> Suite:
    return Suite(name="s", description="d", datasets=("a",), ipc=(1,), seeds=1, protocol=PROTOCOL, methods=methods)


def test_later_prescriptions_win_and_nested_settings_are_joined() -> None:
    given = suite(
        Prescription(method="dm", set={"lr": 1, "deep": {"a": 1, "b": 1}}),
        Prescription(method="dm", ipc=(5,), set={"lr": 2}),
        Prescription(method="dm", datasets=("hmdb51",), set={"deep": {"b": 2}}),
        Prescription(method="mtt", set={"lr": 9}),
    )
    assert given.prescribed("dm", "ucf101", 1, {}) == {"lr": 1, "deep": {"a": 1, "b": 1}}
    assert given.prescribed("dm", "ucf101", 5, {}) == {"lr": 2, "deep": {"a": 1, "b": 1}}
    assert given.prescribed("dm", "hmdb51", 1, {}) == {"lr": 1, "deep": {"a": 1, "b": 2}}
    assert given.prescribed("frepo", "hmdb51", 1, {}) == {}


def test_conditions_see_what_the_user_set_and_what_was_prescribed_before() -> None:
    given = suite(
        Prescription(method="vdsd", set={"base": "mtt"}),
        Prescription(method="vdsd", when={"base": "mtt"}, set={"lr": 10}),
        Prescription(method="vdsd", when={"base": "dm"}, set={"lr": 1}),
    )
    assert given.prescribed("vdsd", "a", 1, {})["lr"] == 10
    assert given.prescribed("vdsd", "a", 1, {"base": "dm"})["lr"] == 1


def test_merging_leaves_its_arguments_alone() -> None:
    base = {"a": {"b": 1}}
    assert merged(base, {"a": {"c": 2}}) == {"a": {"b": 1, "c": 2}}
    assert base == {"a": {"b": 1}}
    assert merged({"a": {"b": 1}}, {"a": "plain"}) == {"a": "plain"}


@pytest.mark.parametrize("name", suite_names())
def test_every_prescription_can_be_followed(name: str) -> None:
    given, registry = load_suite(name), Registry()
    for rule in given.methods:
        for base in ("dm", "mtt", "frepo"):
            chosen = {"base": base} if rule.method == "vdsd" else {}
            for ipc in (1, 5, 10):
                settings = merged(given.prescribed(rule.method, "miniucf", ipc, chosen), chosen)
                if rule.method == "generator":
                    assert generator_settings(merged(settings, rule.set)).identity() is not None
                    continue
                method = registry.configure(rule.method, None, settings)
                assert method.settings.identity() is not None


def test_published_settings_are_those_of_the_literature() -> None:
    vdsd, registry = load_suite("vdsd"), Registry()

    def settings(method: str, ipc: int, **chosen: str):  # type: ignore[no-untyped-def]
        return registry.configure(
            method, None, merged(vdsd.prescribed(method, "miniucf", ipc, chosen), chosen)
        ).settings

    dm, mtt = settings("dm", 1), settings("mtt", 1)
    assert (dm.lr, dm.iterations, dm.real, dm.momentum, dm.width) == (30, 5000, 64, 0.5, 64)
    assert (mtt.lr, mtt.iterations, mtt.trajectory.syn_steps, mtt.trajectory.max_start) == (1e5, 8000, 10, 9)
    assert (mtt.trajectory.experts, mtt.trajectory.syn_batch >= 4662) == (30, True)
    on_dm, on_mtt = settings("vdsd", 1), settings("vdsd", 1, base="mtt")
    for learned in (mtt, on_dm, on_mtt):
        assert (learned.scale, learned.trajectory.learns) == ("plain", "plain")
    assert (on_dm.static, on_dm.dynamic, on_dm.lr_dynamic, on_dm.lr_hallucinator) == (2, 2, 1e-4, 1e-5)
    assert (on_mtt.static, on_mtt.dynamic, on_mtt.lr_dynamic, on_mtt.lr_hallucinator) == (2, 2, 1e4, 1e-3)
    assert (settings("vdsd", 5).static, settings("vdsd", 5).lr_dynamic) == (10, 1e3)
    assert (on_dm.static_loss, on_dm.static_lr, on_dm.real_frames, on_dm.real) == ("dc", 0.1, 256, 64)
    by_dm = settings("vdsd", 1, static_loss="dm")
    assert (by_dm.static_lr, by_dm.real_frames) == (1.0, 64)
    at_five = settings("vdsd", 5, base="mtt").trajectory
    assert (at_five.syn_steps, at_five.syn_batch, at_five.lr_step_size, at_five.experts) == (5, 128, 0, 30)
    for trajectory in (mtt.trajectory, on_mtt.trajectory, at_five):
        assert (trajectory.expert_standardise, trajectory.batches_from) == ("batch", "last")
    assert (mtt.trajectory.momentum_step_size, on_mtt.trajectory.momentum_step_size) == (None, 0.9)
    assert {settings(name, 1).encoder.width for name in ("herding", "k-center", "k-means")} == {64}


def test_the_recommended_protocol_takes_nothing_that_only_follows_the_public_code() -> None:
    """Its published settings are rates, iterations and sizes; the rest is what the methods have by themselves."""
    clean, registry = load_suite("clean"), Registry()
    on_bases = [("vdsd", {"base": base}) for base in ("mtt", "frepo")]
    for name, chosen in (("herding", {}), ("k-center", {}), ("mtt", {}), ("vdsd", {}), *on_bases):
        settings = merged(clean.prescribed(name, "ucf101", 5, chosen), chosen)
        found, usual = registry.configure(name, None, settings).settings, registry.configure(name, None, {}).settings
        later = {"expert_standardise", "batches_from", "momentum_step_size"}
        assert not later & set(found.identity().get("trajectory", {}))
        assert not {"static_loss", "static_real"} & set(found.identity())
        assert not {"margin", "label_scale", "online_schedule"} & set(found.identity().get("regression", {}))
        if "encoder" in usual.identity():
            assert found.identity() == usual.identity()


def test_the_factorial_has_every_selector_on_both_pools_and_leaves_presets_as_they_are() -> None:
    factorial, registry = load_suite("factorial"), Registry()
    pairs = registry.resolve(factorial.runs)
    selectors = {name for name in registry.names() if registry.get(name).pools}
    assert set(pairs) == {(name, pool) for name in selectors for pool in registry.get(name).pools}
    assert {name for name in selectors if registry.get(name).pools == ("generated",)} == {"d4m", "mode-guided"}
    assert {"random", "herding", "k-center", "k-means", "tac-dt", "vst-unet", "greedy-reward"} <= selectors
    assert factorial.prescribed("generator", "ucf101", 1, {})["training"]["steps"] == 3000
    assert factorial.prescribed("generator", "ucf101", 1, {"preset": "small"}) == {}


def test_a_suite_adds_to_the_prescriptions_that_it_takes_over() -> None:
    quick, small = load_suite("quick"), load_suite("small")
    assert small.methods[: len(quick.methods)] == quick.methods
    assert small.prescribed("mtt", "motion-digits", 1, {})["iterations"] == 40
    assert small.prescribed("mtt", "motion-digits", 1, {})["width"] == 8
    vdsd = load_suite("vdsd").methods
    assert load_suite("clean").methods[: len(vdsd)] == vdsd != ()
    assert load_suite("as-published").methods == vdsd


@pytest.mark.parametrize("suite", ["quick", "small"])
def test_trajectory_matching_has_one_preset_for_all_clips_but_those_it_was_tuned_on(suite: str) -> None:
    for method, chosen in (("mtt", {}), ("sfvd", {}), ("vdsd", {"base": "mtt"})):
        found = [load_suite(suite).prescribed(method, name, 1, chosen) for name in ("ucf101", "hmdb51", "lab")]
        assert found[0] == found[1] == found[2]
        assert (found[0]["scale"], found[0]["trajectory"]["learns"]) == ("relative", "log")
        tuned = load_suite(suite).prescribed(method, "motion-digits", 1, chosen)
        assert (tuned["scale"], tuned["trajectory"]["learns"]) == ("plain", "plain")


def test_clips_whose_class_has_a_direction_are_not_mirrored() -> None:
    varied = PROTOCOL.model_copy(update={"augmentation": Augmentation(crop=0.25)})
    mirrored = {name: varied.on(load_dataset(name)).augmentation for name in ("ucf101", "motion-digits", "ssv2")}
    assert {name for name, how in mirrored.items() if how and how.mirror} == {"ucf101"}
    assert all(how and how.crop == 0.25 for how in mirrored.values())
    assert PROTOCOL.on(load_dataset("ssv2")) == PROTOCOL


def test_a_store_of_an_earlier_declaration_is_read_by_the_one_of_today() -> None:
    spec = load_dataset("motion-digits")
    assert as_declared_now(spec.model_copy(update={"directed": False})) == spec
    own = spec.model_copy(update={"name": "of-my-own", "directed": False})
    assert as_declared_now(own) == own


def test_a_package_brings_a_suite_by_an_entry_point_but_none_of_our_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "lab_suites"
    package.mkdir()
    (package / "__init__.py").touch()
    text = (files("vdbench_benchmarks") / "suites" / "quick.yaml").read_text(encoding="utf-8")
    (package / "lab.yaml").write_text(text.replace("seeds: 3", "seeds: 7"))
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [EntryPoint(name, "lab_suites", "vdbench.suites") for name in ("lab", "quick")]
    monkeypatch.setattr("vdbench.experiment.suite.entry_points", lambda group: points)
    assert "lab" in suite_names()
    assert (load_suite("lab").name, load_suite("lab").seeds) == ("lab", 7)
    assert load_suite("quick").seeds == 3


def protocol(**changes: object) -> Protocol:
    return Protocol.model_validate(PROTOCOL.model_dump(mode="json") | changes)


def test_a_configuration_is_laid_over_the_protocol_as_it_was_modified() -> None:
    given = load_suite("recipes", {"recipe": {"batch": 7}, "students": [{"name": "minic3d", "width": 5}]}).protocol
    ways = given.configured
    assert {way.recipe.batch for way in ways.values()} == {7}
    assert (ways["adamw"].recipe.optimiser, ways["adamw"].recipe.max_steps) == ("adamw", given.recipe.max_steps)
    assert ways["adamw"].student == given.students[0]
    assert ways["half-width"].student.width == 8
    assert {spec.name for spec in given.every_student} == {"minic3d", "cnn-gru"}
    assert given.on(load_dataset("motion-digits")).configured == ways


def test_configurations_are_not_mirrored_either_where_a_class_has_a_direction() -> None:
    varied = protocol(configurations={"a": {"recipe": {"augmentation": {"crop": 0.2}}}, "b": {}})
    directed = varied.on(load_dataset("ssv2")).configured
    assert varied.configured["a"].recipe.augmentation == Augmentation(crop=0.2)
    assert directed["a"].recipe.augmentation == Augmentation(crop=0.2, mirror=False)
    assert directed["b"].recipe.augmentation is None


def test_a_protocol_without_configurations_is_stored_as_it_was() -> None:
    assert not {"configurations", "checkpoints"} & PROTOCOL.model_dump(mode="json").keys()
    assert protocol(checkpoints=[1, 0.5, 0.5]).checkpoints == (0.5, 1)
    varied = protocol(configurations={"a": {}})
    assert Protocol.model_validate(varied.model_dump(mode="json")) == varied


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("{bad name: {}}", "protocol.configurations.bad name.[key]: String should match pattern"),
        ("{a: {recipe: {optimiser: sdg}}}", "optimiser: Input should be 'sgd' or 'adamw'"),
        ("{a: {recipe: {learning_rate: 1}}}", "learning_rate: Extra inputs are not permitted"),
        ("{a: {recipe: {max_steps: 3}}}", "configuration 'a': max_steps 3 is less than min_steps 9"),
        ("{a: {student: {width: 0}}}", "width: Input should be greater than 0"),
        ("{a: {labels: soft}}", "protocol.configurations.a.labels: Extra inputs are not permitted"),
    ],
)
def test_a_configuration_that_fits_nothing_is_told_in_a_sentence(tmp_path: Path, lines: str, sentence: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "{description: d, datasets: [motion-digits], ipc: [1], seeds: 1, protocol: {students: [{name: minic3d}], "
        f"recipe: {{min_steps: 9}}, configurations: {lines}}}}}"
    )
    with pytest.raises(DataError, match=re.escape(sentence)) as found:
        load_suite(file)
    assert "\n" not in str(found.value)
    assert str(found.value).startswith("suite file mine.yaml is malformed: protocol.configurations")


def test_labels_of_a_teacher_at_every_step_take_an_augmentation() -> None:
    with pytest.raises(UsageError, match=r"protocol.augmentation=None is not valid: .*say how, as {crop"):
        load_suite("quick", {"labels": ["teacher"]})
    assert load_suite("quick", {"labels": ["teacher"], "augmentation": {}}).protocol.taught


def test_a_data_set_with_a_direction_is_not_mirrored_by_the_usual_recipe_either() -> None:
    mirrored = {"recipe": {"augmentation": {"mirror": True, "crop": 0, "jitter": 0}}}
    protocol = load_suite("as-published", mirrored).protocol
    assert protocol.on(load_dataset("ucf101")) == protocol
    directed = protocol.on(load_dataset("ssv2")).recipe
    assert directed.augmentation == Augmentation(mirror=False, crop=0, jitter=0)


@pytest.mark.parametrize("text", ["", "just text", "[1, 2]"])
def test_a_file_without_fields_is_no_suite(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(DataError, match="suite file mine.yaml is malformed: it holds no fields, such as 'ipc: "):
        load_suite(file)


PLAIN = """\
description: d
datasets: [motion-digits]
ipc: [1]
seeds: 1
protocol: {students: [{name: minic3d}], recipe: {min_steps: 9}}
"""


def test_settings_of_another_suite_stand_where_a_file_names_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        f"{PLAIN}methods:\n  - {{method: mtt, set: {{lr: 7, width: 9}}}}\n  - methods_of: vdsd\n"
        "  - {method: mtt, set: {iterations: 3}}\n"
    )
    found = load_suite(file).prescribed("mtt", "ucf101", 1, {})
    theirs = load_suite("vdsd").prescribed("mtt", "ucf101", 1, {})
    assert theirs["lr"] == 1e5
    assert found == {**theirs, "width": 9, "iterations": 3}


def test_settings_of_another_suite_come_first_where_a_file_takes_them_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(f"{PLAIN}methods_of: vdsd\nmethods:\n  - {{method: mtt, set: {{lr: 7}}}}\n")
    (tmp_path / "other.yaml").write_text(f"{PLAIN}methods: [{{methods_of: vdsd}}, {{method: mtt, set: {{lr: 7}}}}]\n")
    one, other = (load_suite(tmp_path / name).methods for name in ("one.yaml", "other.yaml"))
    assert one == other


@pytest.mark.parametrize(
    ("methods", "sentence"),
    [
        ("[{methods_of: mine.yaml}]", "methods_of leads back to itself"),
        ("[{methods_of: vdsdd}]", "unknown suite 'vdsdd'; did you mean 'vdsd'"),
        ("[{methods_of: vdsd, method: dm}]", r"methods\.0.*Extra inputs"),
        ("{methods_of: vdsd}", r"methods: it takes a list, as in '\[a, b\]'"),
    ],
)
def test_another_suite_that_cannot_be_taken_from_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, methods: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(f"{PLAIN}methods: {methods}\n")
    with pytest.raises(DataError, match=f"suite file mine.yaml is malformed: .*{sentence}"):
        load_suite("mine.yaml")
