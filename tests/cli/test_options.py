"""The one parser of lists and settings."""

from pathlib import Path

import pytest

from vdbench.cli.options import choose, choose_datasets, parse_settings, positive_list
from vdbench.errors import UsageError

KNOWN = ["hmdb51", "ucf101", "miniucf"]


def test_lists_globs_and_all() -> None:
    assert choose("ucf101, hmdb51,ucf101", KNOWN, "data set") == ["ucf101", "hmdb51"]
    assert choose("*ucf*", KNOWN, "data set") == ["ucf101", "miniucf"]
    assert choose("all", KNOWN, "data set") == KNOWN
    with pytest.raises(UsageError, match="unknown data set 'ucf10'; did you mean 'ucf101'"):
        choose("ucf10", KNOWN, "data set")


def test_an_unknown_data_set_may_be_one_of_another_home(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown data set 'lab'; .*; your own belong to the home"):
        choose_datasets("lab", tmp_path)


def test_number_lists() -> None:
    assert positive_list("5,1,5", "--ipc") == [5, 1]


def test_settings_nest_and_values_have_types() -> None:
    parsed = parse_settings(
        [
            "dm.lr=0.3",
            "dm.steps=1e3",
            "dm.word=no",
            "dm.on=true",
            "herding.encoder.name=pixels",
            "protocol.students=[{name: cnn-gru}]",
        ]
    )
    assert parsed == {
        "dm": {"lr": 0.3, "steps": 1000.0, "word": "no", "on": True},
        "herding": {"encoder": {"name": "pixels"}},
        "protocol": {"students": [{"name": "cnn-gru"}]},
    }


@pytest.mark.parametrize("text", ["dm", "dm=3", "dm.=3", ".lr=3", "dm..lr=3"])
def test_a_malformed_setting_is_explained(text: str) -> None:
    with pytest.raises(UsageError, match=r"NAME\.SETTING=VALUE"):
        parse_settings([text])


def test_a_value_that_is_no_yaml_is_text() -> None:
    assert parse_settings(["generator.prompt={name: a"]) == {"generator": {"prompt": "{name: a"}}


def test_contradicting_settings_are_refused() -> None:
    with pytest.raises(UsageError, match="contradicts"):
        parse_settings(["herding.encoder=pixels", "herding.encoder.dim=3"])
